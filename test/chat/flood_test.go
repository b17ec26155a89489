//go:build e2e

package chat_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/test/chat"
	"github.com/shiplock/shiplock/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const apps = 40

var numbered = regexp.MustCompile(`app-\d\d#1`)

// Forty runs that fail at once are told of within DingTalk's limit, each once, most of
// them in one message: a robot that says more is silenced for ten minutes.
func TestFloodIsDigested(t *testing.T) {
	group := chat.New(t, "dingtalk", "13800000001")
	s := harness.NewServer(t, "--lease", "2s", "--capacity", "8")
	s.Start()
	a := harness.NewAPI(t, s)
	for name, value := range map[string]string{"room-url": group.URL, "room-sign": group.Secret} {
		a.Must(http.MethodPost, "/secrets", api.SetSecret{Name: name, Value: []byte(value)}, nil)
	}
	docs := []harness.Doc{
		harness.Document("Channel", "room", `{"vendor": "dingtalk", "urlSecret": "room-url", "signSecret": "room-sign", "language": "zh"}`),
		harness.Document("Stack", "fails", `{"language": "none", "build": {"checkout": "none", "steps": [{"name": "test", "run": "echo no; exit 3"}]}, "runtime": {"base": ""}}`),
	}
	for i := range apps {
		docs = append(docs, harness.Document("App", fmt.Sprintf("app-%02d", i), fmt.Sprintf(`{"repo": "http://127.0.0.1:1/group/app-%02d.git", "stack": "fails"}`, i)))
	}
	a.Apply(docs...)
	began := time.Now()
	for i := range apps {
		a.Must(http.MethodPost, "/runs", map[string]string{"app": fmt.Sprintf("app-%02d", i), "env": "dev", "commit": strings.Repeat("ab", 20)}, nil)
	}
	told := map[string]int{}
	if !harness.Eventually(time.Minute, func() bool {
		told = map[string]int{}
		for _, p := range group.Posts() {
			seen := map[string]bool{} // a message of its own names it twice
			for _, name := range numbered.FindAllString(p.Text, -1) {
				seen[name] = true
			}
			for name := range seen {
				told[name]++
			}
		}
		return len(told) == apps
	}) {
		t.Fatalf("told of %d runs in %d messages; refused were %v", len(told), len(group.Posts()), group.Refused())
	}
	for name, n := range told {
		if n != 1 {
			t.Errorf("%s was told of %d times", name, n)
		}
	}
	if refused := group.Refused(); len(refused) > 0 {
		t.Errorf("the vendor refused %v", refused)
	}
	digests := 0
	for _, p := range group.Posts() {
		if strings.Contains(p.Text, "个运行失败") {
			digests++
		}
	}
	if digests == 0 || len(group.Posts()) > 20 {
		t.Errorf("%d messages, %d of them of several", len(group.Posts()), digests)
	}
	harness.Tell(t, "%d failed runs: %d messages, %d of them of several, all told after %s", apps, len(group.Posts()), digests, time.Since(began).Round(time.Second))
}
