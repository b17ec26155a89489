package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// person is somebody of these groups, without any grant.
func person(name string, groups ...string) engine.Principal {
	return engine.Principal{Actor: delivery.Actor{Kind: delivery.ActorUser, Name: name}, Grants: delivery.Grants{Groups: groups}}
}

func binding(name, role, subject, scope string) delivery.Document {
	return document("RoleBinding", name, `{"role":"`+role+`","subjects":["`+subject+`"],"scope":`+scope+`}`)
}

// Who has a role by a binding is judged by the environment, and the audit names the
// binding.
func TestBindings(t *testing.T) {
	inProd(t, func(t *testing.T, w *world) {
		w.apply(
			binding("devs", "developer", "user:dan", `{"teams":["web"]}`),
			binding("owners", "owner", "group:leads", `{"apps":["shop"]}`),
		)
		dan, lea := person("dan"), person("lea", "leads")
		release := func(p engine.Principal, env string) error {
			_, err := w.CreateRelease(t.Context(), p, engine.CreateRelease{App: "shop", Env: env, From: "dev"})
			return err
		}
		w.refused(release(dan, "prod"), delivery.Denied, "dan may not release.create on shop/prod: group:leads may (RoleBinding/owners: owner), or ask for the emergency lane")
		w.must(release(lea, "prod"))
		synctest.Wait()
		if a := w.audit()[0]; a.Rule != "RoleBinding/owners: owner" || a.Actor.Name != "lea" {
			t.Errorf("the audit says %+v", a)
		}
		w.must(w.PauseTarget(t.Context(), dan, "shop", "dev", "why"))
		w.refused(w.PauseTarget(t.Context(), dan, "shop", "prod", "why"), delivery.Denied, "dan may not target.pause")
		w.refused(w.PauseTarget(t.Context(), person("eve"), "shop", "dev", "why"), delivery.Denied, "ask an administrator for a role there")

		w.apply(binding("owners", "owner", "group:others", `{"apps":["shop"]}`))
		w.refused(w.PauseTarget(t.Context(), lea, "shop", "prod", "why"), delivery.Denied, "lea may not") // at once
	})
}

// A document takes the permission of its kind, on its own object.
func TestApplyIsAuthorisedByDocument(t *testing.T) {
	play(t, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), app("bank", `,"team":"pay"`),
			binding("web", "owner", "user:lea", `{"teams":["web"]}`),
			binding("dev", "owner", "user:dev", `{"apps":["shop"],"environments":["dev"]}`),
			binding("prod", "admin", "user:pat", `{"environments":["prod"]}`),
			binding("all", "admin", "user:ada", `{"everything":true}`),
			binding("look", "viewer", "user:vic", `{"everything":true}`),
			binding("lead", "techlead", "user:tom", `{"everything":true}`))
		give := func(who string, dry bool, docs ...delivery.Document) error {
			_, err := w.Apply(t.Context(), person(who), engine.ApplyCatalog{Manager: "test", Documents: docs, Dry: dry})
			return err
		}
		prod := document("Environment", "prod", `{"branch":"release","rank":3}`)
		more := binding("more", "admin", "user:eve", `{"everything":true}`)
		for _, c := range []struct {
			who  string
			dry  bool
			doc  delivery.Document
			says string // "" is allowed
		}{
			{"lea", false, app("shop", `,"path":"a"`), ""},
			{"lea", false, app("blog", ""), ""},
			{"lea", false, app("shop", `,"team":"pay"`), "lea may not catalog.apply on App/shop"},
			{"lea", false, app("bank", `,"team":"web"`), "lea may not catalog.apply on App/bank: ask an administrator"},
			{"lea", true, app("bank", `,"team":"web"`), "lea may not read on App/bank"},
			{"lea", true, prod, ""},
			{"lea", false, prod, "lea may not catalog.apply on Environment/prod"},
			{"lea", false, more, "lea may not access.edit on RoleBinding/more"},
			{"dev", false, app("shop", `,"path":"b"`), "dev may not catalog.apply on App/shop"},
			{"vic", true, app("bank", `,"team":"web"`), ""},
			{"vic", false, app("shop", `,"path":"c"`), "vic may not catalog.apply on App/shop"},
			{"tom", false, app("bank", `,"path":"d","team":"pay"`), ""},
			{"tom", false, more, "tom may not access.edit"},
			{"pat", false, prod, ""},
			{"pat", false, app("shop", `,"path":"e"`), "pat may not catalog.apply"},
			{"pat", false, document("Retention", "default", `{"runs":7}`), "pat may not catalog.apply on Retention/default"},
			{"ada", false, more, ""},
			{"eve", false, document("Retention", "default", `{"runs":7}`), ""},
			{"nil", true, app("new", ""), "nil may not read on App/new"},
		} {
			switch err := give(c.who, c.dry, c.doc); {
			case c.says == "" && err != nil:
				t.Errorf("%s applies %s/%s: %v", c.who, c.doc.Kind, c.doc.Name, err)
			case c.says != "":
				w.refused(err, delivery.Denied, c.says)
			}
		}
		_, err := w.Apply(t.Context(), person("lea"), engine.ApplyCatalog{Manager: "test", Prune: true, Documents: []delivery.Document{app("shop", "")}})
		w.refused(err, delivery.Denied, "lea may not") // what it does not name would go
		if n := len(w.audit()); n != 8 {
			t.Errorf("%d audit entries, want one for each permission that was used: %+v", n, w.audit())
		}
	})
}
