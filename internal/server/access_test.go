package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// holder returns the token of somebody who has what bindings give, and nothing else.
func (w *world) holder(name string, groups ...string) string {
	w.t.Helper()
	token, err := w.keeper.Issue(w.t.Context(), name, delivery.Grants{Groups: groups})
	w.must(err)
	return token
}

func (w *world) bind(name, role, subject, scope string) {
	w.t.Helper()
	spec := fmt.Sprintf(`{"role":%q,"subjects":[%q],"scope":%s}`, role, subject, scope)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "access", Documents: []api.Document{{Kind: "RoleBinding", Name: name, Spec: json.RawMessage(spec)}}}, nil)
}

// refused calls as the holder of a token and tells whether it was refused, and as what.
func (w *world) refused(method, path string, body any, token string) (refused bool, answer string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel() // ends streams
	res := w.doIn(ctx, method, path, body, token)
	defer res.Body.Close()
	if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusNotFound {
		return false, res.Status
	}
	data, err := io.ReadAll(res.Body)
	w.must(err)
	var p struct{ Kind, Message string }
	_ = json.Unmarshal(data, &p)
	hidden := strings.HasPrefix(p.Message, "there is no run ") || strings.HasPrefix(p.Message, "there is no release ") || strings.HasPrefix(p.Message, "there is no target ") || strings.HasPrefix(p.Message, "there is no hook ")
	return res.StatusCode == http.StatusForbidden || hidden, res.Status + " " + p.Message
}

// twoTeams has what runs of web's shop and pay's bank in dev and prod leave.
type twoTeams struct {
	*world
	runs     map[string]string // by app/env
	releases map[string]string
}

func newTwoTeams(t *testing.T) *twoTeams {
	t.Helper()
	w := &twoTeams{world: newWorld(t), runs: map[string]string{}, releases: map[string]string{}}
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "test", Documents: []api.Document{
		{Kind: "App", Name: "bank", Spec: json.RawMessage(`{"repo":"http://git/pay/bank","stack":"go-1.26","team":"pay"}`)},
	}}, nil)
	w.run()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := client.New(w.url, w.token)
	for _, app := range []string{"shop", "bank"} {
		for _, env := range []string{"dev", "prod"} {
			run, err := c.StartRun(ctx, api.StartRun{App: app, Env: env, Commit: strings.Repeat("ab", 20)})
			w.must(err)
			w.runs[app+"/"+env] = string(run.ID)
			w.finish(map[string]string{"shop": "a", "bank": "b"}[app])
			_, err = c.WatchRun(ctx, string(run.ID), func(api.Run) error { return nil })
			w.must(err)
			if env == "dev" {
				w.awaitRelease(ctx, c, string(run.ID))
				ex, err := c.ExplainRun(ctx, string(run.ID))
				w.must(err)
				w.releases[app+"/dev"] = string(ex.Release.ID)
				continue
			}
			made, err := c.CreateRelease(ctx, api.CreateRelease{App: app, Env: "prod", From: "dev"})
			w.must(err)
			w.releases[app+"/prod"] = string(made.ID)
		}
	}
	return w
}

// request is a call of a route that is about an App in an Environment.
func (w *twoTeams) request(pattern, app, env string, n int) (method, path string, body any) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.NewReplacer("{$}", "", "{app}", app, "{env}", env, "{run}", w.runs[app+"/"+env], "{release}", w.releases[app+"/"+env], "{commit}", "abababab", "{user}", "ann", "{token}", "x", "{secret}", "x").Replace(path)
	if method == "POST" {
		body = map[string]any{}
	}
	switch pattern {
	case "POST /api/v1/runs":
		body = api.StartRun{App: app, Env: env, Commit: strings.Repeat("cd", 20)}
	case "POST /api/v1/releases":
		body = api.CreateRelease{App: app, Env: env}
	case "POST /api/v1/catalog":
		team := map[string]string{"shop": "web", "bank": "pay"}[app]
		spec := fmt.Sprintf(`{"repo":"http://git/x/%s","stack":"go-1.26","team":%q,"labels":{"n":"%d"}}`, app, team, n)
		body = api.Apply{Manager: "test", Documents: []api.Document{{Kind: "App", Name: app, Spec: json.RawMessage(spec)}}}
	case "POST /api/v1/apps/{app}/plan":
		body = api.AskPlan{Env: env}
	case "GET /api/v1/apps/{app}/plan":
		path += "?env=" + env
	case "GET /api/v1/history", "GET /api/v1/events/stream":
		path += "?ref=target/" + app + "/" + env
	case "GET /api/v1/access/can":
		path += "?command=read&as=user:x&app=" + app + "&env=" + env
	case "GET /api/v1/windows/month":
		path += "?month=2026-12&app=" + app + "&env=" + env
	case "GET /api/v1/tokens":
		path += "?for=ann"
	case "POST /api/v1/tokens":
		body = api.CreateToken{For: "ann", Name: "x"}
	case "POST /api/v1/users":
		body = api.AddUser{Name: fmt.Sprint("user-", n)}
	case "POST /api/v1/secrets":
		body = api.SetSecret{Name: "x", Value: []byte("y")}
	case "POST /api/v1/caches/drop":
		body = api.DropCaches{App: app}
	case "POST /api/v1/releases/{release}/review":
		body = api.Note{Note: "x"}
	case "POST /api/v1/targets/{app}/{env}/scale":
		body = api.Scale{Replicas: 1}
	}
	return method, path, body
}

// Every route is declared, and nothing else is.
func TestEveryRouteIsDeclared(t *testing.T) {
	w := newWorld(t)
	declared := rights()
	for _, pattern := range w.server.routes {
		r, ok := declared[pattern]
		if !ok {
			t.Errorf("%s is not in rights(): say what it takes of who asks", pattern)
		}
		if open := r.about == strangers || r.about == runners; ok && open != w.server.public[pattern] {
			t.Errorf("%s: declared for %s, but open to strangers: %v", pattern, r.about, w.server.public[pattern])
		}
		if ok && !slices.Contains(delivery.RoleAdmin.Commands(), r.command) {
			t.Errorf("%s takes %q, which no role has", pattern, r.command)
		}
		delete(declared, pattern)
	}
	for pattern := range declared {
		t.Errorf("%s is declared, and there is no such route", pattern)
	}
}

// A route that is not declared answers administrators only.
func TestUndeclaredRoutesAreClosed(t *testing.T) {
	w := newWorld(t)
	w.bind("b", "viewer", "user:vic", `{"everything":true}`)
	m := &guardedMux{s: w.server, mux: http.NewServeMux(), rights: map[string]right{}, compress: compressor()}
	m.guarded("GET /api/v1/new", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTeapot) })
	w.server.handler = w.server.wrap(m)
	for token, want := range map[string]int{w.token: http.StatusTeapot, w.holder("vic"): http.StatusForbidden, w.holder("nil"): http.StatusForbidden} {
		res := w.do("GET", "/api/v1/new", nil, token)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%d, want %d", res.StatusCode, want)
		}
	}
}

// wanted is whether a route lets somebody do what it does to an App in an Environment,
// by what it declares and by the policy.
func wanted(t *testing.T, w *twoTeams, r right, actor delivery.Actor, app, env string) bool {
	t.Helper()
	v, err := w.server.sightOf(t.Context(), engine.Principal{Actor: actor})
	w.must(err)
	may := func(cmd delivery.Command, on delivery.Object) bool {
		return v.set.Policy.Decide(actor, delivery.Grants{}, cmd, v.set.Place(on)).Allowed
	}
	on := delivery.On(app, env)
	switch r.about {
	case anybody:
		return true
	case lists:
		return v.some()
	case installation, oneself: // what the request is about is somebody else's
		return may(r.command, delivery.Object{})
	case anApp:
		return v.app(app)
	case bodies:
		if r.command == delivery.CmdApply {
			on.Env = ""
		}
	}
	return may(delivery.CmdRead, delivery.On(app, env)) && may(r.command, on)
}

// Every route × role, in dev and in prod, of one's own team, another one's, and of
// nobody: the answer is what is declared.
func TestRoutesByRole(t *testing.T) {
	w := newTwoTeams(t)
	declared, n := rights(), 0
	tokens := map[string]string{"nil": w.holder("nil")}
	for _, role := range delivery.AllRoles() {
		for _, team := range []string{"web", "pay"} {
			name := string(role) + "-" + team
			w.bind(name, string(role), "user:"+name, fmt.Sprintf(`{"teams":[%q]}`, team))
			tokens[name] = w.holder(name)
		}
	}
	for _, pattern := range w.server.routes {
		r := declared[pattern]
		if w.server.public[pattern] || strings.HasSuffix(pattern, "/logout") {
			continue
		}
		for who, token := range tokens {
			for _, env := range []string{"dev", "prod"} {
				n++
				method, path, body := w.request(pattern, "shop", env, n)
				actor := delivery.Actor{Kind: delivery.ActorUser, Name: who}
				want := wanted(t, w, r, actor, "shop", env)
				if pattern == "GET /api/v1/access/can" { // about others: of what oneself may read
					want = wanted(t, w, reads(aTarget), actor, "shop", env)
				}
				if refused, answer := w.refused(method, path, body, token); refused == want {
					t.Errorf("%s to %s: %s; declared %+v, so allowed is %v", path, who, answer, r, want)
				}
			}
		}
	}
	t.Logf("%d requests to %d routes", n, len(w.server.routes))
}

// What belongs to another team is not there: whatever way it is named, the answer is that
// for a thing that does not exist.
func TestAnothersThingsAreNotThere(t *testing.T) {
	w := newTwoTeams(t)
	w.bind("web", "admin", "user:wes", `{"teams":["web"]}`)
	wes := w.holder("wes")
	ask := func(path string) (int, string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res := w.doIn(ctx, "GET", "/api/v1"+path, nil, wes)
		defer res.Body.Close()
		if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
			return res.StatusCode, ""
		}
		data, err := io.ReadAll(res.Body)
		w.must(err)
		return res.StatusCode, string(data)
	}
	no := "0190a0a0-0000-7000-8000-000000000000"
	for _, c := range []struct{ path, own, others, absent string }{
		{"/runs/%s", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/runs/%s", "shop%231", "bank%231", "bank%2399"},
		{"/runs/%s", "shop", "bank", "nope"},
		{"/runs/%s/explain", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/runs/%s/logs", w.runs["shop/prod"], w.runs["bank/prod"], no},
		{"/runs/%s/logs.txt", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/runs/%s/logs/stream", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/releases/%s", w.releases["shop/prod"], w.releases["bank/prod"], no},
		{"/releases/%s/diff", w.releases["shop/dev"], w.releases["bank/dev"], no},
		{"/releases/" + w.releases["shop/prod"] + "/diff?with=%s", w.releases["shop/dev"], w.releases["bank/dev"], no},
		{"/history?ref=run/%s", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/history?ref=release/%s", w.releases["shop/dev"], w.releases["bank/dev"], no},
		{"/history?ref=target/%s", "shop/dev", "bank/dev", "nope/dev"},
		{"/events/stream?ref=run/%s", w.runs["shop/dev"], w.runs["bank/dev"], no},
		{"/events/stream?ref=release/%s", w.releases["shop/dev"], w.releases["bank/dev"], no},
		{"/events/stream?ref=target/shop/dev&ref=target/%s", "shop/prod", "bank/prod", "nope/prod"},
		{"/targets/%s", "shop/dev", "bank/dev", "nope/dev"},
		{"/targets/%s/history", "shop/dev", "bank/dev", "nope/dev"},
		{"/targets/%s/diff", "shop/prod", "bank/prod", "nope/prod"},
		{"/targets/%s/logs/stream", "shop/prod", "bank/prod", "nope/prod"},
		{"/apps/%s", "shop", "bank", "nope"},
		{"/apps/%s/artifacts", "shop", "bank", "nope"},
		{"/apps/%s/plan?env=dev", "shop", "bank", "nope"},
		{"/commits/abab/where?app=%s", "shop", "bank", "nope"},
		{"/drift?app=%s", "shop", "bank", "nope"},
	} {
		if status, body := ask(fmt.Sprintf(c.path, c.own)); status != 200 {
			t.Errorf("%s of one's own: %d %s", c.path, status, body)
		}
		status, body := ask(fmt.Sprintf(c.path, c.others))
		absent, nobody := ask(fmt.Sprintf(c.path, c.absent))
		if status != absent || status != 403 && status != 404 || strings.ReplaceAll(body, plain(c.others), "X") != strings.ReplaceAll(nobody, plain(c.absent), "X") {
			t.Errorf("%s of another team: %d %s, and of what is not there: %d %s", c.path, status, body, absent, nobody)
		}
	}
}

// wantNamed checks what each reader's list names; "nil" is refused.
func (w *twoTeams) wantNamed(path string, tokens, want map[string]string) {
	w.t.Helper()
	for who, token := range tokens {
		got, status := w.named(path, token)
		if want[who] != got || (who == "nil") != (status == 403) {
			w.t.Errorf("%s to %s: %d %q, want %q", path, who, status, got, want[who])
		}
	}
}

func plain(name string) string { return strings.ReplaceAll(name, "%23", "#") }

// Lists have what their reader may see and nothing else, also page by page.
func TestListsShowOnesOwn(t *testing.T) {
	w := newTwoTeams(t)
	w.bind("web", "viewer", "user:wes", `{"teams":["web"]}`)
	w.bind("dev", "viewer", "user:dee", `{"environments":["dev"]}`)
	w.bind("all", "viewer", "group:all", `{"everything":true}`)
	tokens := map[string]string{"wes": w.holder("wes"), "dee": w.holder("dee"), "ann": w.holder("ann", "all"), "nil": w.holder("nil")}
	for path, want := range map[string]map[string]string{
		"/runs":                {"wes": "shop/dev shop/prod", "dee": "bank/dev shop/dev", "ann": "bank/dev bank/prod shop/dev shop/prod"},
		"/releases":            {"wes": "shop/dev shop/prod", "dee": "bank/dev shop/dev", "ann": "bank/dev bank/prod shop/dev shop/prod"},
		"/targets":             {"wes": "shop/dev shop/prod", "dee": "bank/dev shop/dev", "ann": "bank/dev bank/prod shop/dev shop/prod"},
		"/apps":                {"wes": "shop", "dee": "bank shop", "ann": "bank shop"},
		"/environments":        {"wes": "dev pre prod test", "dee": "dev", "ann": "dev pre prod test"},
		"/rolebindings":        {"wes": "all dev web", "dee": "all dev web", "ann": "all dev web"},
		"/apps/shop/artifacts": {"wes": "shop/dev", "dee": "shop/dev", "ann": "shop/dev"},
	} {
		w.wantNamed(path, tokens, want)
	}
	for who, others := range map[string]string{"wes": "bank/", "dee": "/prod"} {
		if got, _ := w.named("/commits/abab/where", tokens[who]); got == "" || strings.Contains(got, others) {
			t.Errorf("where a commit is, to %s: %q", who, got)
		}
		if got, _ := w.named("/drift", tokens[who]); got == "" || strings.Contains(got, others) {
			t.Errorf("drift, to %s: %q", who, got)
		}
	}
	var status api.Status
	res := w.do("GET", "/api/v1/status", nil, tokens["wes"])
	w.must(json.NewDecoder(res.Body).Decode(&status))
	res.Body.Close()
	if len(status.Apps) != 1 || status.Apps[0].Name != "shop" || status.Counts.Apps != 1 || slices.Contains(status.Silent, "bank") ||
		slices.ContainsFunc(status.Releases, func(r api.ReleaseSummary) bool { return r.App != "shop" }) {
		t.Errorf("the status of another team: %+v", status)
	}
}

// named lists what a list has, all pages of it.
func (w *world) named(path, token string) (names string, status int) {
	w.t.Helper()
	var all []string
	for next := ""; ; {
		res := w.do("GET", "/api/v1"+path+"?limit=1&before="+next, nil, token)
		var page struct {
			Items []struct{ Name, App, Env string }
			Next  string
		}
		err := json.NewDecoder(res.Body).Decode(&page)
		res.Body.Close()
		w.must(err)
		if status = res.StatusCode; status != 200 {
			return "", status
		}
		for _, i := range page.Items {
			if i.Env != "" {
				i.Name = i.App + "/" + i.Env
			}
			all = append(all, i.Name)
		}
		if next = page.Next; next == "" {
			slices.Sort(all)
			return strings.Join(slices.Compact(all), " "), status
		}
	}
}

// The feed of changes names only what its reader may see, and ends with the last role.
func TestTheFeedHidesOthers(t *testing.T) {
	w := newTwoTeams(t)
	w.bind("web", "viewer", "user:wes", `{"teams":["web"]}`)
	admin := w.token
	w.token = w.holder("wes")
	feed := w.stream("/api/v1/events/stream", "")
	w.token = admin
	w.ok("POST", "/api/v1/targets/bank/dev/pause", api.Reason{}, nil)
	w.ok("POST", "/api/v1/targets/shop/dev/pause", api.Reason{}, nil)
	for {
		e, ok := feed.next()
		if !ok {
			t.Fatal("the feed ended")
		}
		if strings.Contains(e.data, "bank") {
			t.Fatalf("another team's: %s", e.data)
		}
		if strings.Contains(e.data, "target/shop/dev") {
			break
		}
	}
	w.bind("web", "viewer", "user:other", `{"teams":["web"]}`)
	w.ok("POST", "/api/v1/targets/shop/dev/resume", api.Reason{}, nil)
	for {
		e, ok := feed.next()
		if !ok {
			break
		}
		if strings.Contains(e.data, "shop") {
			t.Fatalf("told after the role was gone: %s", e.data)
		}
	}
}

// Histories and logs that are being followed end when their reader loses the role.
func TestStreamsEndWithTheRole(t *testing.T) {
	w := newTwoTeams(t)
	w.bind("web", "viewer", "user:wes", `{"teams":["web"]}`)
	admin := w.token
	w.token = w.holder("wes")
	history := w.stream("/api/v1/events/stream?ref=target/shop/dev", "")
	history.history()
	w.token = admin
	run := w.startRun()
	w.token = w.holder("wes")
	log := w.stream("/api/v1/runs/"+string(run.ID)+"/logs/stream", "")
	w.token = admin
	w.bind("web", "viewer", "user:other", `{"teams":["web"]}`)
	w.ok("POST", "/api/v1/targets/shop/dev/pause", api.Reason{Reason: "secret"}, nil)
	w.ok("POST", "/api/v1/runs/"+string(run.ID)+"/cancel", api.Reason{}, nil)
	for _, s := range []*sseReader{history, log} {
		for {
			e, ok := s.next()
			if !ok {
				break
			}
			if strings.Contains(e.data, "secret") || e.name == api.EventEnd {
				t.Errorf("told after the role was gone: %+v", e)
			}
		}
	}
}

// The token of one job's attempt is good for nothing else.
func TestATokenOfOneJobIsGoodForNoOther(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.startRun()
	first, token := w.claim()
	other := w.startRun()
	second := <-w.starts
	claim := func(code string) int {
		return w.call("POST", api.RunnerClaimPath, api.Claim{Protocols: []int{api.RunnerProtocol}, Attempt: second.Key, Code: code, Token: strings.Repeat("u", 40)}, nil)
	}
	if status := claim("wrong"); status != 403 {
		t.Errorf("another attempt's claim: %d", status)
	}
	if status := claim(second.ClaimCode); status != 200 {
		t.Fatalf("its own claim: %d", status)
	}
	finish := api.Reports{Reports: []api.Report{{Seq: 1, Finish: &api.Finish{Outcome: api.OutcomeFailed}}}}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"POST", "/runner/v1/attempts/" + second.Key + "/reports", finish},
		{"POST", "/runner/v1/attempts/" + second.Key + "/log", api.LogBatch{First: 1, Lines: []api.LogLine{{Text: "x"}}}},
		{"POST", "/runner/v1/attempts/" + second.Key + "/push", api.PushAsk{}},
		{"POST", "/runner/v1/attempts/" + second.Key + "/plan", api.Source{}},
		{"GET", "/api/v1/status", nil},
		{"GET", "/api/v1/runs/" + string(other.ID) + "/logs", nil},
		{"GET", "/api/v1/runs/shop/logs", nil},
		{"POST", "/api/v1/runs", api.StartRun{App: "shop", Env: "dev"}},
	} {
		res := w.do(c.method, c.path, c.body, token)
		res.Body.Close()
		if res.StatusCode != 401 && res.StatusCode != 403 && res.StatusCode != 410 {
			t.Errorf("%s %s with the token of %s: %d", c.method, c.path, first, res.StatusCode)
		}
	}
	if run, err := w.store.Run(t.Context(), other.ID); err != nil || run.State() == delivery.RunFailed {
		t.Errorf("the other run: %v %v", run.State(), err)
	}
}

func TestCanI(t *testing.T) {
	w := newWorld(t)
	w.bind("owners", "owner", "group:leads", `{"apps":["shop"]}`)
	w.bind("devs", "developer", "user:dan", `{"teams":["web"]}`)
	dan, nobody := w.holder("dan"), w.holder("nil")
	for _, c := range []struct {
		token, query string
		status       int
		says         string
	}{
		{dan, "command=release.create&app=shop&env=dev", 200, `"allowed":true`},
		{dan, "command=release.create&app=shop&env=prod", 200, "dan may not release.create on shop/prod: group:leads may (RoleBinding/owners: owner), or ask for the emergency lane"},
		{dan, "command=release.create&app=shop&env=prod&as=user:lea&groups=x,leads", 200, `"binding":"owners"`},
		{dan, "command=release.create&app=shop&env=prod&as=lea", 200, `"allowed":false`},
		{dan, "command=release.create&app=bank&env=prod&as=user:lea", 403, "dan may not read on bank/prod"},
		{dan, "command=release.create&as=user:lea", 403, "dan may not read on the installation"},
		{nobody, "command=release.create&app=shop&env=dev", 200, "ask an administrator for a role there"},
		{nobody, "command=read&app=shop&env=dev&as=user:dan", 403, "nil may not read on shop/dev"},
		{w.token, "command=access.edit", 200, `"rule":"administrator"`},
		{w.token, "command=fly&app=shop", 400, "there is no permission"},
		{w.token, "command=read&as=group:x", 400, "nobody who acts"},
		{w.token, "command=read&groups=a", 400, "say whose"},
	} {
		res := w.do("GET", "/api/v1/access/can?"+c.query, nil, c.token)
		data, err := io.ReadAll(res.Body)
		res.Body.Close()
		w.must(err)
		if res.StatusCode != c.status || !strings.Contains(string(data), c.says) {
			t.Errorf("%s: %d %s, want %d with %s", c.query, res.StatusCode, data, c.status, c.says)
		}
	}
}

// Somebody else is asked for with the groups that he is known to be in.
func TestCanIOfAUser(t *testing.T) {
	w := newWorld(t)
	w.bind("owners", "owner", "group:leads", `{"apps":["shop"]}`)
	w.ok("POST", "/api/v1/users", api.AddUser{Name: "bob", Groups: []string{"leads"}}, nil)
	for query, want := range map[string]bool{
		"&as=user:bob": true, "&as=bob": true, "&as=user:bob&groups=others": false, "&as=user:eve": false, "&as=service:bob": false,
	} {
		var d delivery.Decision
		w.ok("GET", "/api/v1/access/can?command=release.create&app=shop&env=prod"+query, nil, &d)
		if d.Allowed != want {
			t.Errorf("%s: %+v, want %v", query, d, want)
		}
	}
}

// A page of a list with hidden lines is as long as it may be, continues where it ended,
// and reads no more than maxScan lines.
func TestVisiblePages(t *testing.T) {
	all := make([]string, 10_000)
	for i := range all {
		all[i] = fmt.Sprintf("%05d", len(all)-i)
	}
	read := 0
	page := func(limit int, before string, keep func(string) bool) ([]string, string) {
		read = 0
		got, next, err := visible(limit, before, func(before string, limit int) ([]string, error) {
			from := 0
			if before != "" {
				from = slices.Index(all, before) + 1
			}
			batch := all[from:min(from+limit, len(all))]
			read += len(batch)
			return batch, nil
		}, func(s string) string { return s }, keep)
		if err != nil || len(got) > limit || read > maxScan+500 {
			t.Fatalf("%d lines, %d read, %v", len(got), read, err)
		}
		return got, next
	}
	for _, limit := range []int{1, 3, 50, 499} {
		for _, every := range []int{1, 2, 7, 3000, 20_000} {
			var got []string
			for next := ""; ; {
				var lines []string
				lines, next = page(limit, next, func(s string) bool { return strings.TrimLeft(s, "0") != "" && atoi(s)%every == 0 })
				if got = append(got, lines...); next == "" {
					break
				}
			}
			if want := len(all) / every; len(got) != want || !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) {
				t.Errorf("limit %d, every %d: %d lines, want %d in order", limit, every, len(got), want)
			}
		}
	}
	if got, next := page(0, "", func(string) bool { return true }); len(got) != 0 || next != "" {
		t.Errorf("no limit: %v %q", got, next)
	}
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
