package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// An entry says from where, and what differs afterwards, without secrets.
func TestAuditSaysWhatChanged(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		p := admin()
		p.Address = "192.0.2.7"
		w.apply(app("shop", ""))
		w.must(w.PauseTarget(t.Context(), p, "shop", "prod", "the till is broken"))
		a := w.audit()[0]
		if a.Address != "192.0.2.7" || len(a.Changes) == 0 {
			t.Fatalf("got %+v", a)
		}
		told, err := json.Marshal(a.Changes)
		w.must(err)
		if !strings.Contains(string(told), "target/shop/prod") || !strings.Contains(string(told), "the till is broken") {
			t.Errorf("the changes are %s", told)
		}
		w.apply(document("Environment", "lab", `{"rank":9,"branch":"lab-token"}`))
		w.apply(document("Environment", "lab", `{"rank":8,"branch":"lab"}`))
		a = w.audit()[0]
		want := []delivery.Difference{
			{Object: "Environment/lab", Field: "branch", From: `"lab-token"`, To: `"lab"`},
			{Object: "Environment/lab", Field: "rank", From: "9", To: "8"},
		}
		if fmt.Sprint(a.Changes) != fmt.Sprint(want) {
			t.Errorf("got %+v", a.Changes)
		}
	})
}

// Refusals of what only few may do are in the audit, and nobody fills it with them.
func TestAuditOfRefusals(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		eve := engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: "eve"}, Address: "192.0.2.66"}
		before := len(w.audit())
		try := func() {
			_, err := w.SetSecret(t.Context(), eve, "robot", []byte("value"))
			w.refused(err, delivery.Denied, "secret.set")
		}
		try()
		a := w.audit()[0]
		if len(w.audit()) != before+1 || !a.Refused || a.Rule != "" || a.Actor != eve.Actor || a.Address != eve.Address || a.Command != delivery.CmdSecretSet || a.Detail == "" {
			t.Errorf("got %+v", a)
		}
		for range 300 {
			try()
		}
		if n := len(w.audit()) - before; n > 61 {
			t.Errorf("%d entries of 301 refusals", n)
		}
		time.Sleep(3 * time.Second)
		try()
		if a := w.audit()[0]; !strings.Contains(a.Detail, "more before it were left out") {
			t.Errorf("got %+v", a)
		}
		w.LogInFailed(t.Context(), strings.Repeat("x", 1000)+"\n", "192.0.2.66", delivery.E(delivery.Denied, "no"))
		c, err := w.CheckAudit(t.Context(), admin())
		if err != nil || len(c.Faults) > 0 {
			t.Errorf("%+v, %v", c, err)
		}
		_, err = w.CheckAudit(t.Context(), eve)
		w.refused(err, delivery.Denied, "audit.read")
		_, err = w.AuditRecords(t.Context(), eve, 0, time.Time{}, 1)
		w.refused(err, delivery.Denied, "audit.read")
	})
}
