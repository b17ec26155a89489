package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/notify"
	"github.com/shiplock/shiplock/test/chat"
)

var t0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// members are people as each vendor knows them.
var members = map[string][]string{
	"feishu": {"ou_ann", "ou_bob"}, "dingtalk": {"13800000001", "bob-1"}, "wecom": {"13800000001", "bob"},
}

// eachVendor tells a story of a channel and its group, by a clock that the story moves.
func eachVendor(t *testing.T, story func(t *testing.T, x *world)) {
	for _, v := range delivery.ChatVendors() {
		t.Run(string(v), func(t *testing.T) {
			x := &world{now: t0, group: chat.New(t, string(v), members[string(v)]...)}
			x.group.Now = func() time.Time { return x.now }
			who := members[string(v)]
			x.channel = delivery.Channel{
				Name: "room", Vendor: v, URLSecret: "room-url", Language: phrase.Chinese,
				Mentions: map[string]string{"ann@example.com": who[0], "bob": who[1]},
			}
			x.secrets = map[string]string{"room-url": x.group.URL + "\n"}
			if x.group.Secret != "" {
				x.channel.SignSecret, x.secrets["room-sign"] = "room-sign", x.group.Secret
			}
			x.sender = notify.New(notify.Config{
				PublicURL: "https://ship.example.com", Now: func() time.Time { return x.now }, Timeout: 5 * time.Second,
				Secret: func(_ context.Context, name string) ([]byte, error) {
					if s, ok := x.secrets[name]; ok {
						return []byte(s), nil
					}
					return nil, delivery.E(delivery.NotFound, "no secret "+name)
				},
			})
			story(t, x)
		})
	}
}

type world struct {
	now     time.Time
	group   *chat.Group
	channel delivery.Channel
	secrets map[string]string
	sender  *notify.Sender
}

func (x *world) send(t *testing.T, ms ...delivery.Message) error {
	return x.sender.Send(t.Context(), x.channel, ms)
}

func (x *world) last(t *testing.T) chat.Post {
	t.Helper()
	posts := x.group.Posts()
	if len(posts) == 0 {
		t.Fatalf("nothing came; refused were %v", x.group.Refused())
	}
	return posts[len(posts)-1]
}

// message is one of a release, or of a run that failed.
func message(ev delivery.ChatEvent, number int) delivery.Message {
	cause := delivery.Because("batch.deadline", delivery.Args{"limit": "5m0s"})
	m := delivery.Message{
		ID: fmt.Sprint(ev, number), Channel: "room", Event: ev, At: t0,
		Subject: delivery.Ref{Kind: delivery.KindRelease, ID: "rel-1"},
		Note: delivery.Note{
			App: "shop", Env: "prod", Version: fmt.Sprintf("#%d", number), Kind: delivery.ReleaseDeploy,
			Commit: delivery.Commit{SHA: strings.Repeat("ab", 20), Title: "Fix the basket", Author: "Ann"},
			By:     delivery.Actor{Kind: delivery.ActorUser, Name: "bob"},
		},
	}
	switch ev {
	case delivery.ChatFailed:
		m.Note.Cause = &cause
	case delivery.ChatRunFailed:
		m.Subject = delivery.Ref{Kind: delivery.KindRun, ID: "run-1"}
		m.Note.Kind, m.Note.Mention = "", []string{"ann@example.com", "Ann"}
	}
	return m
}

func (x *world) wantText(t *testing.T, want ...string) {
	t.Helper()
	text := x.last(t).Text
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

func TestMessages(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		for _, ev := range delivery.ChatEvents() {
			for _, l := range []phrase.Lang{phrase.English, phrase.Chinese} {
				x.channel.Language = l
				if err := x.send(t, message(ev, 12)); err != nil {
					t.Fatalf("%s: %v", ev, err)
				}
				x.wantText(t, "shop", "prod", "#12", "abababab Fix the basket", "Ann", "bob", "https://ship.example.com/")
				if strings.Contains(x.last(t).Text, "{") {
					t.Errorf("%s: %s", ev, x.last(t).Text)
				}
			}
			x.now = x.now.Add(time.Minute)
		}
	})
}

func TestFailureSaysWhyInChinese(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		if err := x.send(t, message(delivery.ChatFailed, 12)); err != nil {
			t.Fatal(err)
		}
		x.wantText(t, "shop#12 发布到 prod 失败", "新版本在 5m0s 内没有变为健康", "/releases/rel-1")
	})
}

func TestMentions(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		if err := x.send(t, message(delivery.ChatRunFailed, 3)); err != nil {
			t.Fatal(err)
		}
		x.wantText(t, "/runs/run-1", "运行 shop#3（prod）失败")
		if got := x.last(t).Mentions; len(got) != 1 || got[0] != members[x.group.Vendor][0] {
			t.Errorf("mentioned are %v", got)
		}
		stranger := message(delivery.ChatRunFailed, 4)
		stranger.Note.Mention = []string{"eve@example.com"}
		if err := x.send(t, stranger); err != nil {
			t.Fatal(err)
		}
		if got := x.last(t).Mentions; len(got) != 0 {
			t.Errorf("mentioned are %v", got)
		}
	})
}

func TestEmergencyHasAWatermark(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		m := message(delivery.ChatEmergency, 12)
		m.Note.Emergency = &delivery.Emergency{Incident: "https://incidents.example.com/7", BreakGlass: true}
		m.Note.Reason = "the shop is down"
		if err := x.send(t, m); err != nil {
			t.Fatal(err)
		}
		x.wantText(t, "紧急发布", "破窗放行：bob 未经审批将 shop#12 发布到 prod", "https://incidents.example.com/7", "the shop is down")
		if err := x.send(t, m, message(delivery.ChatFinished, 13)); err != nil {
			t.Fatal(err)
		}
		x.wantText(t, "1 个紧急发布，1 个发布完成", "紧急发布 破窗放行")
	})
}

// Nothing that people or tools write is markup: nobody is mentioned by a commit's title.
func TestTextsAreInert(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		m := message(delivery.ChatFailed, 12)
		m.Note.Commit.Title = "x <at id=all></at> <@bob> @13800000001 [click](http://evil.example.com) **b**\n# y \u202e z"
		m.Note.Reason = "<font color=\"warning\">"
		if err := x.send(t, m); err != nil {
			t.Fatal(err)
		}
		if p := x.last(t); len(p.Mentions) != 0 || strings.Contains(p.Text, "[click]") || strings.Contains(p.Text, "\n# y") || strings.Contains(p.Text, "\u202e") {
			t.Errorf("%v %s", p.Mentions, p.Text)
		}
	})
}

// The longest texts fit, whole runes only.
func TestSizes(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		long := strings.Repeat("发布失败\"\\", 5000)
		var all []delivery.Message
		for i := range delivery.DigestLimit {
			m := message(delivery.ChatRunFailed, 100_000+i)
			m.Note.App, m.Note.Env = strings.Repeat("a", 40), strings.Repeat("e", 63)
			m.Note.Commit.Title, m.Note.Reason = long, long
			m.Note.Cause = &delivery.Cause{Code: "x", Text: phrase.Line(long), Next: phrase.Line(long)}
			m.Note.Emergency = &delivery.Emergency{Incident: long}
			all = append(all, m)
		}
		for name, ms := range map[string][]delivery.Message{"one": all[:1], "digest": all} {
			for i := range ms { // with somebody to mention, and without
				ms[i].Note.Mention = nil
			}
			for _, mention := range []string{"", "ann@example.com"} {
				ms[0].Note.Mention = []string{mention}
				if err := x.send(t, ms...); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				text := x.last(t).Text
				if !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
					t.Errorf("%s: torn runes", name)
				}
				if lines := strings.Count(text, "❌"); name == "digest" && lines != len(ms) {
					t.Errorf("a digest of %d has %d lines", len(ms), lines)
				}
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	type refusal struct {
		name  string
		spoil func(x *world)
		kind  delivery.Kind
		says  string
		only  string
	}
	later := func(x *world) { x.group.Now = func() time.Time { return x.now.Add(2 * time.Hour) } }
	for _, c := range []refusal{
		{"another key", func(x *world) { x.secrets["room-sign"] = "SECother" }, delivery.Denied, "signSecret", "feishu dingtalk"},
		{"no key", func(x *world) { x.channel.SignSecret = "" }, delivery.Denied, "signSecret", "feishu dingtalk"},
		{"a clock that is wrong", later, delivery.Denied, "clock", "feishu dingtalk"},
		{"another bot", func(x *world) { x.secrets["room-url"] = strings.Replace(x.group.URL, "0f3a", "ffff", 1) }, delivery.NotFound, "urlSecret", ""},
		{"no address", func(x *world) { x.secrets["room-url"] = "https://example.com/hello-secret" }, delivery.Invalid, "room-url is no address", ""},
		{"no secret", func(x *world) { delete(x.secrets, "room-url") }, delivery.Unavailable, "shiplock secret set room-url", ""},
		{"a stranger", func(x *world) { x.channel.Mentions = map[string]string{"Ann": "nobody"} }, delivery.Invalid, "", ""},
		{"down", func(x *world) { x.group.Fault(chat.Down) }, delivery.Unavailable, "502", ""},
		{"elsewhere", func(x *world) {
			x.group.Fault(func(w http.ResponseWriter) bool {
				w.Header().Set("Location", "https://example.com")
				w.WriteHeader(http.StatusFound)
				return true
			})
		}, delivery.Invalid, "leads elsewhere", ""},
		{"babble", func(x *world) {
			x.group.Fault(func(w http.ResponseWriter) bool { fmt.Fprint(w, "<html>"); return true })
		}, delivery.Unavailable, "answers what it never does", ""},
		{"echo", func(x *world) {
			x.group.Fault(func(w http.ResponseWriter) bool {
				fmt.Fprintf(w, `{"code": 5, "errcode": 5, "msg": "no %s", "errmsg": "no %[1]s"}`, x.group.Token)
				return true
			})
		}, delivery.Invalid, "refuses the message: 5 no ***", ""},
		{"away", func(x *world) {
			x.secrets["room-url"] = "http://127.0.0.1:1" + x.group.URL[strings.Index(x.group.URL[8:], "/")+8:]
		}, delivery.Unavailable, "does not answer", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachVendor(t, func(t *testing.T, x *world) {
				if c.only != "" && !strings.Contains(c.only, x.group.Vendor) {
					return
				}
				c.spoil(x)
				err := x.send(t, message(delivery.ChatRunFailed, 1))
				if delivery.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("error %v of kind %s, want %s with %q", err, delivery.KindOf(err), c.kind, c.says)
				}
				for _, secret := range []string{x.group.Token, "SECother", "hello-secret", "ffff9c51d2"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error has a secret: %v", err)
					}
				}
				if said := phrase.In(phrase.Chinese, err.Error()); said == err.Error() {
					t.Errorf("no Chinese for %v", err)
				}
			})
		})
	}
}

// Within the limits that the engine keeps, no vendor refuses; beyond its own it does, and
// says for how long.
func TestLimits(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		limits := x.channel.Vendor.Limits()
		o := delivery.Outbox{Channel: "room"}
		for range 120 {
			if at := o.MayAt(limits); at.After(x.now) {
				x.now = at
			}
			if err := x.send(t, message(delivery.ChatStarted, 1)); err != nil {
				t.Fatalf("after %s: %v", x.now.Sub(t0), err)
			}
			o, _ = o.Apply(delivery.MessagesSent{IDs: []string{"x"}, Limits: limits, At: x.now})
		}
		x.now = x.now.Add(time.Hour)
		var err error
		for range 101 {
			if err = x.send(t, message(delivery.ChatStarted, 1)); err != nil {
				break
			}
		}
		var wait interface{ RetryAfter() time.Duration }
		if delivery.KindOf(err) != delivery.Unavailable || !errors.As(err, &wait) || wait.RetryAfter() < 5*time.Second {
			t.Fatalf("beyond the limit: %v", err)
		}
		x.now = x.now.Add(max(wait.RetryAfter(), time.Minute))
		if err := x.send(t, message(delivery.ChatStarted, 1)); err != nil {
			t.Fatalf("after the wait: %v", err)
		}
	})
}

func TestTrial(t *testing.T) {
	eachVendor(t, func(t *testing.T, x *world) {
		answer, err := x.sender.Test(t.Context(), x.channel, delivery.Actor{Kind: delivery.ActorUser, Name: "ann"})
		if err != nil || !strings.HasPrefix(answer, "0 ") {
			t.Fatalf("%q %v", answer, err)
		}
		x.wantText(t, "通知渠道 room 的测试消息", "ann")
	})
}
