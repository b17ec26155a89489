package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// Who may not answer is told so, however the release stands.
func TestStrangersDoNotLearnTheState(t *testing.T) {
	w := newTwoTeams(t)
	w.bind("all", "viewer", "user:vic", `{"everything":true}`)
	vic := w.holder("vic")
	ask := func(id, verb string) string {
		res := w.do("POST", "/api/v1/releases/"+id+"/"+verb, map[string]string{
			"approve": `{}`, "reject": `{"reason":"no"}`, "ask": ``, "review": `{"note":"x"}`}[verb], vic)
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		w.must(err)
		return res.Status + " " + strings.ReplaceAll(string(data), id, "ID")
	}
	w.ok("POST", "/api/v1/targets/bank/prod/pause", api.Reason{}, nil) // so that none starts
	for _, verb := range []string{"approve", "reject", "ask", "review"} {
		var made api.Release
		w.ok("POST", "/api/v1/releases", api.CreateRelease{App: "bank", Env: "prod", From: "dev"}, &made)
		w.releases["bank/prod"] = string(made.ID)
		before := ask(w.releases["bank/prod"], verb)
		w.ok("POST", "/api/v1/releases/"+w.releases["bank/prod"]+"/cancel", api.Reason{}, nil)
		after := ask(w.releases["bank/prod"], verb)
		if before != after || !strings.HasPrefix(before, "403") || !strings.Contains(before, "vic may not") {
			t.Errorf("%s: %s, and then %s", verb, before, after)
		}
	}
}

// A release says what its reader may do to it, and why he may not approve it.
func TestAReleaseSaysWhatOneMay(t *testing.T) {
	w := newTwoTeams(t)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "rules", Documents: []api.Document{
		docOf("ApprovalPolicy", "prod", `{"scope":{"environments":["prod"]},"groups":[{"name":"leads","subjects":["user:lee","user:own"]}]}`),
	}}, nil)
	w.bind("view", "viewer", "group:all", `{"everything":true}`)
	w.bind("own", "owner", "user:own", `{"teams":["web"]}`)
	own, lee, vic := w.holder("own"), w.holder("lee", "all"), w.holder("vic", "all")
	res := w.do("POST", "/api/v1/releases", api.CreateRelease{App: "shop", Env: "prod", From: "dev"}, own)
	var made api.Release
	w.must(json.NewDecoder(res.Body).Decode(&made))
	res.Body.Close()
	show := func(token, lang string) (r api.Release) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/api/v1/releases/"+string(made.ID), nil)
		w.must(err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Accept-Language", lang)
		res, err := http.DefaultClient.Do(req)
		w.must(err)
		defer res.Body.Close()
		w.must(json.NewDecoder(res.Body).Decode(&r))
		return r
	}
	const steps = "release.continue release.full release.pause release.resume release.abort release.cancel"
	for _, c := range []struct{ token, may, refusal string }{
		{own, steps, "own asked for this release, and nobody approves his own request"},
		{lee, "release.approve release.reject", ""},
		{vic, "", "vic is in none of the groups that may approve: leads (lee, own)"},
	} {
		r := show(c.token, "en")
		if got := strings.Trim(fmt.Sprint(r.May), "[]"); got != c.may || !strings.HasPrefix(r.Approval.Refusal, c.refusal) || (c.refusal == "") != (r.Approval.Refusal == "") {
			t.Errorf("may %s, refusal %q; want %s and %q", got, r.Approval.Refusal, c.may, c.refusal)
		}
	}
	if zh := show(vic, "zh").Approval.Refusal; !strings.HasPrefix(zh, "vic 不在可以批准的任何组中") {
		t.Errorf("in Chinese: %s", zh)
	}
	approve := func(token string) int {
		res := w.do("POST", "/api/v1/releases/"+string(made.ID)+"/approve", api.Approve{Subject: made.Approval.Subject}, token)
		res.Body.Close()
		return res.StatusCode
	}
	reading := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "lee"}, Grants: delivery.Grants{Groups: []string{"all"}, Only: &delivery.TokenScope{Commands: []delivery.Command{delivery.CmdRead}}}}
	if _, err := w.engine.Approve(t.Context(), reading, made.ID, engine.Consent{}); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("a token for reading approves: %v", err)
	}
	if _, err := w.engine.Reject(t.Context(), reading, made.ID, "no"); delivery.KindOf(err) != delivery.Denied {
		t.Errorf("a token for reading rejects: %v", err)
	}
	if status := approve(lee); status != http.StatusOK {
		t.Errorf("lee approves: %d", status)
	}
	if r := show(lee, "en"); slices.Contains(r.May, delivery.CmdReleaseApprove) {
		t.Errorf("afterwards: %s %v", r.State, r.May)
	}
}
