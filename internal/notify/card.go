package notify

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// card is a message as all vendors have it.
type card struct {
	title string
	tone  tone
	// watermark stands over everything; empty is none.
	watermark      string
	lines          []line
	link, linkText string
	// mention are people as the vendor knows them.
	mention []string
}

// line is one of a card; a digest's have no label.
type line struct{ label, text string }

// tone is how a message is to be taken.
type tone int

const (
	plain tone = iota
	good
	bad
	// attention asks somebody to do something.
	attention
)

// look is how an event looks.
type look struct {
	sign string
	tone tone
}

var looks = map[delivery.ChatEvent]look{
	delivery.ChatApproval:   {"✋", attention},
	delivery.ChatRejected:   {"🚫", attention},
	delivery.ChatEmergency:  {"🚨", bad},
	delivery.ChatStarted:    {"🚀", plain},
	delivery.ChatFinished:   {"✅", good},
	delivery.ChatFailed:     {"❌", bad},
	delivery.ChatAborted:    {"⏹", attention},
	delivery.ChatRolledBack: {"↩️", attention},
	delivery.ChatRunFailed:  {"❌", bad},
}

// single is a message of its own.
func single(c delivery.Channel, m delivery.Message, publicURL string) card {
	l, n := c.Language, m.Note
	said := card{
		title: looks[m.Event].sign + " " + m.Headline(l), tone: looks[m.Event].tone,
		link: publicURL + pageOf(m.Subject), linkText: say(l, "chat.open", nil),
	}
	if id := c.Mention(n.Mention); id != "" {
		said.mention = []string{id}
	}
	add := func(label, text string) {
		if text != "" {
			said.lines = append(said.lines, line{say(l, "chat.label_"+label, nil), text})
		}
	}
	if n.Emergency != nil {
		said.watermark, said.tone = say(l, "chat.watermark", nil), bad
	}
	if n.Cause != nil {
		cause := n.Cause.In(l)
		add("cause", cause.Text)
		add("next", cause.Next)
	}
	add("commit", commitOf(n.Commit))
	if n.By.Kind == delivery.ActorUser || n.By.Kind == delivery.ActorService {
		add("by", n.By.String())
	}
	add("reason", phrase.In(l, phrase.Line(n.Reason)))
	if n.Emergency != nil {
		add("incident", n.Emergency.Incident)
	}
	return said
}

func commitOf(c delivery.Commit) string {
	text := strings.TrimSpace(c.Short() + " " + c.Title)
	if c.Author != "" {
		text += " (" + c.Author + ")"
	}
	return strings.TrimSpace(text)
}

func pageOf(r delivery.Ref) string {
	if r.Kind == delivery.KindRun {
		return "/runs/" + r.ID
	}
	return "/releases/" + r.ID
}

// digest tells of several messages in one.
func digest(c delivery.Channel, ms []delivery.Message) card {
	said := card{title: "🗒 " + countOf(c.Language, ms)}
	mentioned := map[string]bool{}
	for _, m := range ms {
		text := looks[m.Event].sign + " "
		if m.Note.Emergency != nil {
			text += say(c.Language, "chat.watermark", nil) + " "
			said.tone = bad
		}
		text += m.Headline(c.Language)
		if m.Note.Cause != nil {
			text += phrase.Colon(c.Language) + m.Note.Cause.In(c.Language).Text
		}
		said.lines = append(said.lines, line{text: text})
		said.tone = max(said.tone, map[tone]tone{bad: bad, attention: bad}[looks[m.Event].tone])
		if id := c.Mention(m.Note.Mention); id != "" && !mentioned[id] {
			mentioned[id] = true
			said.mention = append(said.mention, id)
		}
	}
	return said
}

// countOf says how many there are of each: "12 releases finished, 1 failed".
func countOf(l phrase.Lang, ms []delivery.Message) string {
	counts := map[delivery.ChatEvent]int{}
	for _, m := range ms {
		counts[m.Event]++
	}
	var parts []string
	for _, ev := range delivery.ChatEvents() {
		if n := counts[ev]; n > 0 {
			parts = append(parts, say(l, "chat.count", delivery.Args{"event": string(ev), "n": strconv.Itoa(n)}))
		}
	}
	return strings.Join(parts, map[bool]string{true: "，", false: ", "}[l == phrase.Chinese])
}

// trial is what a person sends to see whether a channel works.
func trial(c delivery.Channel, by delivery.Actor, publicURL string) card {
	return card{
		title: "🔔 " + say(c.Language, "chat.test", delivery.Args{"channel": c.Name}), tone: good,
		lines: []line{{say(c.Language, "chat.label_by", nil), by.String()}},
		link:  publicURL + "/", linkText: say(c.Language, "chat.open", nil),
	}
}

func say(l phrase.Lang, code string, args delivery.Args) string {
	text, _, ok := phrase.Say(l, code, args)
	if !ok {
		panic(fmt.Sprintf("notify: no phrase %s with %v", code, args)) // our own codes only
	}
	return text
}
