package delivery_test

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestStateNotification(t *testing.T) {
	var events []event[delivery.Notification]
	for _, s := range []delivery.CommitState{
		delivery.CommitPending, delivery.CommitRunning, delivery.CommitSuccess, delivery.CommitFailed, delivery.CommitCanceled,
	} {
		events = append(events, event[delivery.Notification]{
			"notification.sent (" + string(s) + ")",
			func(delivery.Notification) delivery.Event { return delivery.NotificationSent{State: s, At: t0} },
		})
	}
	for _, why := range []string{"the project is gone", ""} {
		name := map[bool]string{true: "notification.refused (without a word)", false: "notification.refused"}[why == ""]
		events = append(events, event[delivery.Notification]{name, func(delivery.Notification) delivery.Event {
			return delivery.NotificationRefused{Why: why}
		}})
	}
	state := func(n delivery.Notification) string {
		switch {
		case n.Refused != "":
			return "refused"
		case n.Sent == "":
			return "owed"
		}
		return "sent " + string(n.Sent)
	}
	sp := explore(t, machine[delivery.Notification]{
		start:    []delivery.Notification{{ID: "status/run-1"}},
		events:   events,
		apply:    delivery.Notification.Apply,
		terminal: func(n delivery.Notification) bool { return n.Refused != "" || n.Sent.Final() },
		due: func(n delivery.Notification) string {
			// A run that has moved on since.
			run := newRun()
			if n.Sent == delivery.CommitPending {
				run, _ = run.Apply(delivery.JobAdmitted{Job: build, At: t0})
			}
			if n.Sent == delivery.CommitRunning {
				run, _ = run.Apply(delivery.CancelRequested{By: ann, At: t0})
			}
			return describe(n.Next(t0, run), false)
		},
	})
	sp.checkEnds(t, state)
	checkPage(t, "notification", "Notification",
		"What is sent is derived from the run at the time of sending, so a late message says the newest thing, once.",
		tabulate(t, sp, view[delivery.Notification]{title: "Notification", state: state}))
}

func TestNotificationIsQuiet(t *testing.T) {
	run := newRun()
	said, _ := delivery.Notification{}.Apply(delivery.NotificationSent{State: delivery.CommitPending, At: t0})
	refused, _ := delivery.Notification{}.Apply(delivery.NotificationRefused{})
	noForge := run
	noForge.Repo.ProjectID = ""
	for name, got := range map[string][]delivery.Action{
		"already said":   said.Next(t0, run),
		"refused":        refused.Next(t0, run),
		"nobody to tell": delivery.Notification{}.Next(t0, noForge),
	} {
		if got != nil {
			t.Errorf("%s: %v is due", name, got)
		}
	}
}
