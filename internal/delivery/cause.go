package delivery

import (
	"maps"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Cause is the one line that says why something waits or failed, with evidence
// and the next thing to do. Code and Args identify it in any language; Text and
// Next are in English, made where the Cause is found, until In words them anew.
type Cause struct {
	Code string            `json:"code"`
	Text string            `json:"text"`
	Args map[string]string `json:"args,omitempty"`
	// Next is what the reader can do now, when that is known.
	Next string `json:"next,omitempty"`
	Step string `json:"step,omitempty"`
	// Exit is the exit code of the process that failed, when there was one.
	Exit *int `json:"exit,omitempty"`
	// Evidence are the first real error lines.
	Evidence []string `json:"evidence,omitempty"`
}

// Args are what a Cause's text mentions, by name.
type Args = map[string]string

// Because returns the Cause with a code of the package phrase, in English.
func Because(code string, args Args) Cause {
	c := Cause{Code: code, Args: args}
	if text, next, ok := phrase.Say(phrase.English, code, args); ok {
		c.Text, c.Next = text, next
		return c
	}
	c.Text = phrase.Line(code)
	return c
}

// In returns the Cause in a language. One that was stored without its arguments is
// known by its English text, and otherwise stays as it is.
func (c Cause) In(l phrase.Lang) Cause {
	if l != phrase.Chinese {
		return c
	}
	text, next, ok := phrase.Say(l, c.Code, c.Args)
	if !ok {
		text = phrase.In(l, c.Text)
	}
	if next == "" {
		next = phrase.In(l, c.Next)
	}
	c.Text, c.Next = text, next
	return c
}

// Hidden returns the Cause with everything that it says passed through hide, which
// takes out what nobody may read.
func (c Cause) Hidden(hide func(string) string) Cause {
	c.Text, c.Next = hide(c.Text), hide(c.Next)
	c.Args = maps.Clone(c.Args)
	for name, value := range c.Args {
		c.Args[name] = hide(value)
	}
	evidence := c.Evidence
	c.Evidence = nil
	for _, line := range evidence {
		c.Evidence = append(c.Evidence, hide(line))
	}
	return c
}

// Same tells whether two Causes say the same; what nothing causes is nil.
func (c *Cause) Same(d *Cause) bool {
	if c == nil || d == nil {
		return c == d
	}
	return c.Code == d.Code && c.Text == d.Text
}

func (c *Cause) String() string {
	if c == nil {
		return ""
	}
	return c.Text
}
