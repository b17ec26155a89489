package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
)

func docOf(kind, name, spec string) api.Document {
	return api.Document{Kind: kind, Name: name, Spec: json.RawMessage(spec)}
}

// The company's rules are shown to those whose Apps they are about.
func TestRulesAreShownToWhomTheyConcern(t *testing.T) {
	w := newTwoTeams(t)
	const hours = `"weekly":[{"start":"10:00","end":"18:00"}]`
	w.ok("POST", "/api/v1/secrets", api.SetSecret{Name: "bot", Value: []byte("https://open.feishu.cn/open-apis/bot/v2/hook/x")}, nil)
	w.ok("POST", "/api/v1/secrets", api.SetSecret{Name: "bot-of-web", Value: []byte("https://open.feishu.cn/open-apis/bot/v2/hook/y")}, nil)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "rules", Documents: []api.Document{
		docOf("Calendar", "ours", `{"years":[{"year":2026,"source":"x"}]}`),
		docOf("Calendar", "theirs", `{"years":[{"year":2026,"source":"x"}]}`),
		docOf("Window", "all", `{"kind":"deny","zone":"UTC","once":[{"from":"2030-01-01","until":"2030-01-02"}]}`),
		docOf("Window", "pay", `{"kind":"allow","zone":"UTC","calendar":"theirs","onlyOn":["workday"],"scope":{"teams":["pay"]},`+hours+`}`),
		docOf("Window", "prod", `{"kind":"allow","zone":"UTC","calendar":"ours","onlyOn":["workday"],"scope":{"environments":["prod"],"apps":["s*"]},`+hours+`}`),
		docOf("ApprovalPolicy", "pay", `{"scope":{"apps":["bank"],"environments":["pre"]},"groups":[{"name":"x","subjects":["user:x"]}]}`),
		docOf("ApprovalPolicy", "pre", `{"scope":{"environments":["pre"]},"groups":[{"name":"x","subjects":["user:x"]}]}`),
		docOf("Delegation", "pay", `{"from":"user:a","to":"user:b","until":"2036-01-01T00:00:00Z","scope":{"teams":["pay"]}}`),
		docOf("Delegation", "wes-for-pay", `{"from":"user:a","to":"user:wes","until":"2036-01-01T00:00:00Z","scope":{"teams":["pay"]}}`),
		docOf("Delegation", "web", `{"from":"user:a","to":"user:b","until":"2036-01-01T00:00:00Z","scope":{"teams":["web"]}}`),
		docOf("Channel", "pay", `{"vendor":"feishu","urlSecret":"bot","scope":{"teams":["pay"]}}`),
		docOf("Channel", "web", `{"vendor":"feishu","urlSecret":"bot-of-web","scope":{"teams":["web"]}}`),
	}}, nil)
	w.bind("web", "viewer", "user:wes", `{"teams":["web"]}`)
	w.bind("dev", "viewer", "user:dee", `{"environments":["dev"]}`)
	w.bind("all", "viewer", "group:all", `{"everything":true}`)
	tokens := map[string]string{"wes": w.holder("wes"), "dee": w.holder("dee"), "ann": w.holder("ann", "all"), "nil": w.holder("nil")}
	for path, want := range map[string]map[string]string{
		"/windows":          {"wes": "all prod", "dee": "all pay", "ann": "all pay prod"},
		"/calendars":        {"wes": "china ours", "dee": "china theirs", "ann": "china ours theirs"},
		"/approvalpolicies": {"wes": "pre", "dee": "", "ann": "pay pre"},
		"/delegations":      {"wes": "web wes-for-pay", "dee": "pay web wes-for-pay", "ann": "pay web wes-for-pay"},
		"/channels":         {"wes": "web", "dee": "pay web", "ann": "pay web"},
	} {
		w.wantNamed(path, tokens, want)
	}
}

// Who waits for whose consent, and which emergencies nobody has looked at, is told to
// those who may see the release.
func TestApprovalsAndReviewsShowOnesOwn(t *testing.T) {
	w := newTwoTeams(t)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "rules", Documents: []api.Document{
		docOf("ApprovalPolicy", "prod", `{"scope":{"environments":["prod"]},"groups":[{"name":"leads","subjects":["user:lee","user:wes"]}]}`),
	}}, nil)
	for _, app := range []string{"shop", "bank"} {
		w.ok("POST", "/api/v1/releases", api.CreateRelease{App: app, Env: "prod", From: "dev", Reason: "new"}, nil)
		w.ok("POST", "/api/v1/releases", api.CreateRelease{App: app, Env: "dev", Run: 1, Reason: "fire", Emergency: &api.AskEmergency{Incident: "https://incidents/7", BreakGlass: true}}, nil)
	}
	w.bind("web", "viewer", "user:wes", `{"teams":["web"]}`)
	w.bind("prod", "viewer", "user:lee", `{"environments":["prod"]}`)
	wes, lee := w.holder("wes"), w.holder("lee")
	for path, want := range map[string][2]string{
		"/approvals":          {"shop/prod", "bank/prod shop/prod"},
		"/approvals?all=true": {"shop/prod", "bank/prod shop/prod"},
		"/reviews":            {"shop/dev", ""},
	} {
		for i, token := range []string{wes, lee} {
			if got := w.targetsOf(path, token); got != want[i] {
				t.Errorf("%s to %d: %q, want %q", path, i, got, want[i])
			}
		}
	}
}

func (w *world) targetsOf(path, token string) string {
	w.t.Helper()
	res := w.do("GET", "/api/v1"+path, nil, token)
	defer res.Body.Close()
	var page api.Page[api.ReleaseSummary]
	w.must(json.NewDecoder(res.Body).Decode(&page))
	all := map[string]bool{}
	for _, r := range page.Items {
		all[r.App+"/"+r.Env] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " ")
}
