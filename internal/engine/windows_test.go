package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/engine"
)

// windowDoc is a window of prod in a zone.
func windowDoc(name, kind, zone, more string) delivery.Document {
	return document("Window", name, fmt.Sprintf(`{"kind":%q,"zone":%q,"scope":{"environments":["prod"]},%s}`, kind, zone, more))
}

// twoBatches is a prod whose first batch holds for ten minutes.
func twoBatches() delivery.Document {
	return document("Environment", "prod", `{"branch":"release","rank":4,"strategy":{"batches":[{"percent":25,"hold":"10m"}]}}`)
}

// atProd is a world at a time in which "a" runs in prod, and "b" was built.
func atProd(t *testing.T, at string, story func(t *testing.T, w *world)) {
	t.Helper()
	playAt(t, at, func(t *testing.T, w *world) {
		w.apply(app("shop", ""), twoBatches())
		w.build("shop", "dev", "a")
		w.wantRelease(w.create(engine.CreateRelease{Env: "prod", From: "dev"}), delivery.ReleaseDeployed)
		w.build("shop", "dev", "b")
		story(t, w)
	})
}

// until lets time go by up to a time of the servers' clocks.
func (w *world) until(at string) {
	w.t.Helper()
	to, err := time.Parse(time.RFC3339, at)
	w.must(err)
	d := to.Sub(w.now())
	if d < 0 {
		w.t.Fatalf("it is %s already", w.now())
	}
	w.pass(d)
}

func (w *world) blockers(id delivery.ReleaseID) []delivery.Cause {
	w.t.Helper()
	why, err := w.Blockers(w.t.Context(), w.release(id))
	w.must(err)
	return why
}

// wantBlocked wants one blocker that says something.
func (w *world) wantBlocked(id delivery.ReleaseID, code, says string) {
	w.t.Helper()
	why := w.blockers(id)
	if len(why) != 1 || why[0].Code != code || !strings.Contains(why[0].Text, says) {
		w.t.Fatalf("blocked by %+v, want %s: …%s…", why, code, says)
	}
	if why[0].Next == "" || why[0].In("zh").Text == why[0].Text {
		w.t.Errorf("no next step, or no Chinese: %+v", why[0].In("zh"))
	}
}

func TestReleaseWaitsForItsWindow(t *testing.T) {
	atProd(t, "2026-12-02T00:00:00Z", func(t *testing.T, w *world) {
		w.apply(app("shop", ""), twoBatches(), windowDoc("prod-hours", "allow", "Asia/Shanghai", `"weekly":[{"days":["tue","thu"],"start":"10:00","end":"18:00"}],"message":"not today"`))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		r := w.wantRelease(id, delivery.ReleaseIsProposed)
		opens := time.Date(2026, 12, 3, 2, 0, 0, 0, time.UTC)
		if d := r.Window; d == nil || !d.Closed || d.Rule != "prod-hours" || d.Zone != "Asia/Shanghai" || !d.NextOpen.Equal(opens) || d.StartsAt.Before(opens) || d.StartsAt.After(opens.Add(2*time.Minute)) {
			t.Fatalf("decided %+v", r.Window)
		}
		w.wantBlocked(id, "window.closed", "closed by Window/prod-hours until Thu 2026-12-03 10:00 Asia/Shanghai: not today; starts then, number 1 of 1 in line")
		w.until("2026-12-03T02:00:00Z")
		if r.Window.StartsAt.After(w.now()) {
			w.wantRelease(id, delivery.ReleaseIsProposed)
			w.wantBlocked(id, "window.opening", "prod-hours has opened; starts at 10:0")
		}
		w.pass(2 * time.Minute)
		r = w.wantRelease(id, delivery.ReleaseRolling)
		if want := w.release(id).Window.StartsAt; !r.StartedAt.Equal(want) {
			t.Errorf("started at %s, and expected was %s", r.StartedAt, want)
		}
		if d := r.Batches[0].Window; d == nil || d.Closed || d.Rule != "prod-hours" || d.Zone != "Asia/Shanghai" || d.Reason != delivery.WindowAllowed {
			t.Errorf("its first batch began with %+v", d)
		}
		w.pass(11 * time.Minute)
		r = w.wantRelease(id, delivery.ReleaseDeployed)
		if d := r.Batches[1].Window; d == nil || d.Closed || d.Rule != "prod-hours" {
			t.Errorf("its second batch began with %+v", d)
		}
	})
}

func TestFortyReleasesAtOneOpening(t *testing.T) {
	playAt(t, "2026-12-03T01:00:00Z", func(t *testing.T, w *world) {
		docs := []delivery.Document{windowDoc("prod-hours", "allow", "Asia/Shanghai", `"weekly":[{"days":["thu"],"start":"10:00","end":"18:00"}]`)}
		for i := range 40 {
			docs = append(docs, app(fmt.Sprintf("app-%d", i), ""))
		}
		w.apply(docs...)
		var ids []delivery.ReleaseID
		expected := map[delivery.ReleaseID]time.Time{}
		for i := range 40 {
			name := fmt.Sprintf("app-%d", i)
			w.build(name, "dev", "a")
			r, err := w.CreateRelease(t.Context(), admin(), engine.CreateRelease{App: name, Env: "prod", From: "dev"})
			w.must(err)
			synctest.Wait()
			ids, expected[r.ID] = append(ids, r.ID), r.Window.StartsAt
		}
		places := map[string]bool{}
		for _, id := range ids {
			places[w.blockers(id)[0].Args["place"]+" of "+w.blockers(id)[0].Args["of"]] = true
		}
		if len(places) != 40 || !places["1 of 40"] || !places["40 of 40"] {
			t.Errorf("places are %v", places)
		}
		w.until("2026-12-03T02:02:01Z")
		perSecond := map[int64]int{}
		for _, id := range ids {
			r := w.release(id)
			if r.StartedAt.IsZero() || !r.StartedAt.Equal(expected[id]) {
				t.Errorf("%s is %s, started at %s, and expected was %s", id, r.State, r.StartedAt, expected[id])
			}
			perSecond[r.StartedAt.Unix()]++
		}
		most := 0
		for _, n := range perSecond {
			most = max(most, n)
		}
		if most > 5 {
			t.Errorf("%d started in one second", most)
		}
	})
}

func TestWindowIsEditedWhileReleasesWait(t *testing.T) {
	hours := func(start string) delivery.Document {
		return windowDoc("prod-hours", "allow", "UTC", `"weekly":[{"start":"`+start+`","end":"18:00"}]`)
	}
	atProd(t, "2026-12-02T08:00:00Z", func(t *testing.T, w *world) {
		w.apply(hours("10:00"))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.apply(hours("12:00"))
		synctest.Wait()
		w.wantBlocked(id, "window.closed", "until Wed 2026-12-02 12:00 UTC")
		if d := w.release(id).Window; !d.NextOpen.Equal(time.Date(2026, 12, 2, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("decided %+v", d)
		}
		w.until("2026-12-02T10:30:00Z")
		w.wantRelease(id, delivery.ReleaseIsProposed)
		w.apply(hours("10:00"))
		w.pass(engineSpread)
		w.wantRelease(id, delivery.ReleaseRolling)
	})
}

// prune has no window left.
func (w *world) prune() {
	w.t.Helper()
	_, err := w.Apply(w.t.Context(), admin(), engine.ApplyCatalog{Manager: "test", Documents: []delivery.Document{app("shop", ""), twoBatches()}, Prune: true})
	w.must(err)
}

// engineSpread is the longest that a release waits after an edit.
const engineSpread = delivery.EditSpread + time.Second

func TestWindowIsDeletedWhileReleasesWait(t *testing.T) {
	atProd(t, "2026-12-02T08:00:00Z", func(t *testing.T, w *world) {
		w.apply(windowDoc("freeze", "deny", "UTC", `"once":[{"from":"2026-12-01","until":"2026-12-31"}]`))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantBlocked(id, "window.closed", "closed by Window/freeze until Fri 2027-01-01 00:00 UTC")
		w.prune()
		w.pass(engineSpread)
		w.wantRelease(id, delivery.ReleaseRolling)
	})
}

func TestFrozenWithoutAnEnd(t *testing.T) {
	atProd(t, "2026-12-02T08:00:00Z", func(t *testing.T, w *world) {
		w.apply(windowDoc("freeze", "deny", "UTC", `"weekly":[{"start":"00:00","end":"24:00"}],"message":"audit"`))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantBlocked(id, "window.frozen", "closed by Window/freeze, with no known end: audit")
		if d := w.release(id).Window; !d.NextOpen.IsZero() || !d.StartsAt.IsZero() {
			t.Errorf("decided %+v", d)
		}
	})
}

func TestWindowsOverMidnightAndSummerTime(t *testing.T) {
	for name, tc := range map[string]struct {
		begin, zone, start, end string
		opens                   string
	}{
		"over midnight":              {"2026-12-04T20:30:00Z", "Europe/Berlin", "22:00", "02:00", "2026-12-04T21:00:00Z"},
		"after midnight":             {"2026-12-04T23:30:00Z", "Europe/Berlin", "00:45", "00:50", "2026-12-04T23:45:00Z"},
		"the hour that is left out":  {"2026-03-08T06:30:00Z", "America/New_York", "02:30", "03:30", "2026-03-08T07:00:00Z"},
		"the hour that comes twice":  {"2026-11-01T04:30:00Z", "America/New_York", "01:15", "01:30", "2026-11-01T05:15:00Z"},
		"half an hour of summertime": {"2026-04-04T14:00:00Z", "Australia/Lord_Howe", "01:35", "02:00", "2026-04-04T14:35:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			atProd(t, tc.begin, func(t *testing.T, w *world) {
				w.apply(windowDoc("night", "allow", tc.zone, fmt.Sprintf(`"weekly":[{"start":%q,"end":%q}]`, tc.start, tc.end)))
				id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
				opens, err := time.Parse(time.RFC3339, tc.opens)
				w.must(err)
				if d := w.wantRelease(id, delivery.ReleaseIsProposed).Window; !d.NextOpen.Equal(opens) {
					t.Fatalf("decided %+v", d)
				}
				w.pass(opens.Sub(w.now()) + 2*time.Minute + time.Second)
				if r := w.release(id); r.StartedAt.Before(opens) || r.StartedAt.After(opens.Add(2*time.Minute)) {
					t.Errorf("%s, started at %s, and it opened at %s", r.State, r.StartedAt, opens)
				}
			})
		})
	}
}

// A canary whose first batch holds until after its window has closed.
func TestOverrunInMidCanary(t *testing.T) {
	overrun := func(t *testing.T, kind string, story func(t *testing.T, w *world, id delivery.ReleaseID)) {
		t.Helper()
		atProd(t, "2026-12-03T10:00:00Z", func(t *testing.T, w *world) {
			w.apply(windowDoc("hours", "allow", "UTC", `"overrun":"`+kind+`","weekly":[{"start":"10:00","end":"10:05"}]`))
			id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
			w.wantRelease(id, delivery.ReleaseRolling)
			w.wantWish("prod", "a+b@25")
			story(t, w, id)
		})
	}
	t.Run("finish-run", func(t *testing.T) {
		overrun(t, "finish-run", func(t *testing.T, w *world, id delivery.ReleaseID) {
			w.until("2026-12-03T10:11:00Z")
			r := w.wantRelease(id, delivery.ReleaseDeployed)
			if d := r.Batches[1].Window; d == nil || !d.Closed || d.Overrun != delivery.OverrunFinishRun {
				t.Errorf("its last batch began with %+v", d)
			}
		})
	})
	t.Run("finish-batch", func(t *testing.T) {
		overrun(t, "finish-batch", func(t *testing.T, w *world, id delivery.ReleaseID) {
			w.until("2026-12-03T10:11:00Z")
			r := w.wantRelease(id, delivery.ReleaseRolling)
			w.wantWish("prod", "a+b@25")
			if r.Cause == nil || r.Cause.Code != "window.held.closed" || !strings.Contains(r.Cause.Text, "until Fri 2026-12-04 10:00 UTC") {
				t.Fatalf("it holds because of %+v", r.Cause)
			}
			w.refused(w.command(id, delivery.CmdReleaseContinue), delivery.Conflict, "closed by Window/hours until Fri 2026-12-04 10:00 UTC")
			w.refused(w.command(id, delivery.CmdReleaseFull), delivery.Conflict, "closed by Window/hours")
			w.until("2026-12-04T10:02:31Z")
			r = w.wantRelease(id, delivery.ReleaseDeployed)
			if d := r.Batches[1].Window; d == nil || d.Closed || r.Cause != nil {
				t.Errorf("its last batch began with %+v, cause %v", d, r.Cause)
			}
		})
	})
	t.Run("finish-batch, opened by an edit", func(t *testing.T) {
		overrun(t, "finish-batch", func(t *testing.T, w *world, id delivery.ReleaseID) {
			w.until("2026-12-03T10:11:00Z")
			w.prune()
			w.pass(engineSpread)
			w.wantRelease(id, delivery.ReleaseDeployed)
		})
	})
	t.Run("stop", func(t *testing.T) {
		overrun(t, "stop", func(t *testing.T, w *world, id delivery.ReleaseID) {
			w.until("2026-12-03T10:05:01Z")
			r := w.wantRelease(id, delivery.ReleaseAborted)
			w.wantWish("prod", "a")
			if r.Cause.Code != "window.stopped" || r.Window == nil || !r.Window.Closed || r.Ending.At.Before(time.Date(2026, 12, 3, 10, 5, 0, 0, time.UTC)) {
				t.Errorf("it was stopped because of %+v, decided %+v", r.Cause, r.Window)
			}
		})
	})
}

func TestWhatWaitsForNoWindow(t *testing.T) {
	atProd(t, "2026-12-03T10:00:00Z", func(t *testing.T, w *world) {
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.pass(11 * time.Minute)
		w.wantRelease(id, delivery.ReleaseDeployed)
		w.apply(windowDoc("freeze", "deny", "UTC", `"overrun":"stop","weekly":[{"start":"00:00","end":"24:00"}]`))
		back := w.wantRelease(w.rollBack("prod", ""), delivery.ReleaseDeployed)
		if d := back.Batches[0].Window; d == nil || !d.Closed || !d.Waived {
			t.Errorf("the rollback began with %+v", d)
		}
		restart, err := w.Restart(t.Context(), admin(), "shop", "prod", "")
		w.must(err)
		synctest.Wait()
		w.wantBlocked(restart.ID, "window.frozen", "closed by Window/freeze")
	})
}

// What is done differs by the window's actions; the same artifact with another
// configuration is a config.
func TestWindowsOfActions(t *testing.T) {
	atProd(t, "2026-12-03T10:00:00Z", func(t *testing.T, w *world) {
		freeze := func(actions string) {
			w.apply(windowDoc("freeze", "deny", "UTC", `"actions":[`+actions+`],"weekly":[{"start":"00:00","end":"24:00"}]`))
			synctest.Wait()
		}
		freeze(`"config","restart"`)
		restart, err := w.Restart(t.Context(), admin(), "shop", "prod", "")
		w.must(err)
		synctest.Wait()
		w.wantRelease(restart.ID, delivery.ReleaseIsProposed)
		w.must(w.command(restart.ID, delivery.CmdReleaseCancel))
		scale, err := w.Scale(t.Context(), admin(), "shop", "prod", 2, "")
		w.must(err)
		synctest.Wait()
		w.wantRelease(scale.ID, delivery.ReleaseDeployed)

		w.apply(app("shop", `,"environments":{"prod":{"variables":{"COLOR":"red"}}}`))
		config := w.create(engine.CreateRelease{Env: "prod", Artifact: digest("a")})
		w.wantRelease(config, delivery.ReleaseIsProposed)
		w.wantBlocked(config, "window.frozen", "closed by Window/freeze")
		freeze(`"deploy"`)
		w.pass(engineSpread + 11*time.Minute)
		w.wantRelease(config, delivery.ReleaseDeployed)
		deploy := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.wantRelease(deploy, delivery.ReleaseIsProposed)
	})
}

// What Windows decided of a release that waits is in its history.
func TestDecisionsAreKept(t *testing.T) {
	atProd(t, "2026-12-02T08:00:00Z", func(t *testing.T, w *world) {
		w.apply(windowDoc("hours", "allow", "UTC", `"weekly":[{"start":"09:00","end":"10:00"}]`))
		id := w.create(engine.CreateRelease{Env: "prod", From: "dev"})
		w.until("2026-12-02T09:03:00Z")
		names := w.history(delivery.Ref{Kind: delivery.KindRelease, ID: string(id)})
		if !slices.Contains(names, "window.decided") || !slices.Contains(names, "release.started") || count(names, "window.decided") > 2 {
			t.Errorf("its history is %v", names)
		}
	})
}
