package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Every route asks for credentials, but these.
func TestOnlyNamedRoutesAnswerStrangers(t *testing.T) {
	w := newWorld(t)
	public := []string{
		"GET /healthz", "GET /version", "GET /static/", "GET /login", "POST /login", "GET /login/oidc", "GET /login/oidc/callback", "POST /language", "POST /api/v1/login", "POST /hooks/{forge}", "/v2/",
		"POST /runner/v1/claim", "POST /runner/v1/attempts/{key}/plan", "POST /runner/v1/attempts/{key}/push", "POST /runner/v1/attempts/{key}/reports", "POST /runner/v1/attempts/{key}/log",
	}
	if len(w.server.routes) < 30 {
		t.Fatalf("only %d routes are known", len(w.server.routes))
	}
	for _, pattern := range w.server.routes {
		if slices.Contains(public, pattern) != w.server.public[pattern] {
			t.Errorf("%s: is it meant to be public?", pattern)
		}
		method, path, ok := strings.Cut(pattern, " ")
		if !ok {
			method, path = "GET", pattern
		}
		path = strings.NewReplacer("{$}", "", "{run}", "shop", "{", "", "}", "").Replace(path)
		res := w.do(method, path, "{}", "")
		res.Body.Close()
		if good := res.StatusCode < 300; good && !slices.Contains(public, pattern) {
			t.Errorf("%s answers %d to a stranger", pattern, res.StatusCode)
		}
		if res.StatusCode == http.StatusSeeOther && !slices.Contains(public, pattern) && !strings.HasPrefix(res.Header.Get("Location"), "/login") {
			t.Errorf("%s leads a stranger to %s", pattern, res.Header.Get("Location"))
		}
	}
}

func TestStrangersAndTheDeniedAreToldApart(t *testing.T) {
	w := newWorld(t)
	powerless, err := w.keeper.Issue(t.Context(), "bob", delivery.Grants{})
	w.must(err)
	for token, want := range map[string]int{"": 401, "slk_wrong": 401, powerless: 403, w.token: 200} {
		res := w.do("GET", "/api/v1/status", nil, token)
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("with %.8q: %d, want %d", token, res.StatusCode, want)
		}
		if (want == 401) != (res.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("with %.8q: WWW-Authenticate is %q", token, res.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestErrorsHaveOneForm(t *testing.T) {
	w := newWorld(t)
	huge := `{"manager":"` + strings.Repeat("x", maxBody) + `"}`
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		kind, says   string
	}{
		{"GET", "/api/v1/apps/nope", nil, 404, "not_found", "shiplock get apps"},
		{"GET", "/api/v1/runs/nope%2317x", nil, 400, "invalid", "app#number"},
		{"GET", "/api/v1/runs?limit=0", nil, 400, "invalid", "query.limit"},
		{"GET", "/api/v1/runs?state=odd", nil, 400, "invalid", "query.state"},
		{"POST", "/api/v1/runs", `{"app":"shop"}`, 400, "invalid", "env"},
		{"POST", "/api/v1/runs", `{"app":`, 400, "invalid", ""},
		{"POST", "/api/v1/runs", `{"app":"shop","env":"dev","commit":"abc"}`, 400, "invalid", "SHA"},
		{"POST", "/api/v1/releases", `{"app":"shop","env":"dev","run":1,"from":"dev"}`, 400, "invalid", "one of"},
		{"POST", "/api/v1/runs", `{"app":"shop","env":"dev","a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1}`, 400, "invalid", "; and 2 more"},
		{"POST", "/api/v1/catalog", huge, 413, "invalid", ""},
		{"POST", "/api/v1/catalog", `{"manager":"m","documents":[{"kind":"App","name":"x","spec":{"stak":"y"}}]}`, 400, "invalid", "stak"},
		{"POST", "/api/v1/targets/shop/dev/rollback", `{}`, 409, "conflict", "no earlier"},
		{"GET", "/api/v1/events/stream?ref=nonsense", nil, 400, "invalid", "run/ID"},
		{"GET", "/api/v1/releases/nope", nil, 404, "not_found", ""},
		{"POST", "/runner/v1/claim", `{"protocols":[99]}`, 400, "invalid", "protocols"},
		{"POST", "/runner/v1/attempts/shop-1-build-1/log", `{`, 400, "invalid", "JSON"},
	} {
		var p struct{ Kind, Message string }
		status := w.call(c.method, c.path, c.body, &p)
		if status != c.status || p.Kind != c.kind || !strings.Contains(p.Message, c.says) {
			t.Errorf("%s %s: %d %+v, want %d %s with %q", c.method, c.path, status, p, c.status, c.kind, c.says)
		}
	}
}

func TestOpenAPIIsWhole(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID, Summary string }
		Components struct{ Schemas map[string]any }
	}
	res := w.do("GET", "/openapi.json", nil, w.token)
	defer res.Body.Close()
	w.must(json.NewDecoder(res.Body).Decode(&doc))
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %q", doc.OpenAPI)
	}
	seen := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.OperationID == "" || op.Summary == "" || seen[op.OperationID] {
				t.Errorf("%s %s: operation id %q, summary %q", method, path, op.OperationID, op.Summary)
			}
			seen[op.OperationID] = true
		}
	}
	for _, pattern := range w.server.routes {
		method, path, _ := strings.Cut(pattern, " ")
		if _, documented := doc.Paths[path][strings.ToLower(method)]; strings.HasPrefix(path, "/api/") && !documented {
			t.Errorf("%s is not documented", pattern)
		}
	}
	checkRefs(t, doc.Components.Schemas, w.server)
}

// checkRefs wants every $ref to lead somewhere.
func checkRefs(t *testing.T, schemas map[string]any, s *Server) {
	t.Helper()
	spec, err := json.Marshal(schemas)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(spec), `"$ref":"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := schemas[name]; !ok {
			t.Errorf("nothing is at %s", name)
		}
	}
	if _, ok := schemas["ErrorModel"]; ok {
		t.Error("the framework's error is documented and never answered")
	}
}

func TestAnswersHaveNoSchemaLinks(t *testing.T) {
	w := newWorld(t)
	var body map[string]any
	w.ok("GET", "/api/v1/status", nil, &body)
	if _, ok := body["$schema"]; ok {
		t.Error("the body has a $schema")
	}
}

func TestPagesAreSelfContained(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/runs/x", "/releases/x", "/docs", "/account", "/login"} {
		res := w.do("GET", path, nil, w.token)
		res.Body.Close()
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s: %d, policy %q", path, res.StatusCode, res.Header.Get("Content-Security-Policy"))
		}
	}
	entries, err := web.ReadDir("web")
	w.must(err)
	for _, e := range entries {
		data, err := web.ReadFile("web/" + e.Name())
		w.must(err)
		text := strings.ReplaceAll(string(data), `xmlns="http://www.w3.org/2000/svg"`, "")
		for _, bad := range []string{"http://", "https://", "innerHTML", "insertAdjacentHTML", "document.write", " style=", "onclick="} {
			if strings.Contains(text, bad) {
				t.Errorf("web/%s contains %q", e.Name(), bad)
			}
		}
		if strings.HasSuffix(e.Name(), ".html") {
			continue
		}
		res := w.do("GET", "/static/"+e.Name(), nil, "")
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("/static/%s: %d", e.Name(), res.StatusCode)
		}
	}
}
