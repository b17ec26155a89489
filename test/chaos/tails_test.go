//go:build e2e

package chaos

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/test/harness"
)

// checkTails follows the log of a run at both servers, whichever its runner speaks to:
// each shows every line once, and the end.
func (p *peers) checkTails() {
	p.t.Helper()
	p.world.pushTo("app0", true)
	sha := p.world.newest["app0"]
	var id delivery.RunID
	if !harness.Eventually(30*time.Second, func() bool {
		for _, r := range p.world.api.Runs() {
			if r.Commit.SHA == sha {
				id = r.ID
			}
		}
		return id != ""
	}) {
		p.t.Fatal("a push became no run")
	}
	var tails sync.WaitGroup
	for _, one := range p.live {
		tails.Go(func() { tail(p.t, one.URL()+api.Prefix+"/runs/"+string(id)+"/logs/stream") })
	}
	tails.Wait()
}

// tail reads a log's stream to its end.
func tail(t *testing.T, url string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+harness.AdminToken)
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	defer resp.Body.Close()
	next := 1
	event := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
		case event == api.EventEnd:
			if next != logLines+1 {
				t.Errorf("%s ended at line %d of %d", url, next-1, logLines)
			}
			return
		case event == api.EventLines:
			next = countLines(t, data, next)
		}
	}
	t.Errorf("%s broke off at line %d", url, next-1)
}

// countLines wants the step's lines in order, and returns the number of the next.
func countLines(t *testing.T, data string, next int) int {
	t.Helper()
	var lines []api.LogLine
	if err := json.Unmarshal([]byte(data), &lines); err != nil {
		t.Error(err)
	}
	for _, l := range lines {
		var n int
		if _, err := fmt.Sscanf(l.Text, "line %d", &n); err != nil {
			continue
		}
		if n != next {
			t.Errorf("line %d where line %d belongs", n, next)
		}
		next = n + 1
	}
	return next
}
