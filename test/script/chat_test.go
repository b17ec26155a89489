//go:build e2e

package script

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shiplock/shiplock/test/chat"
)

// group VENDOR [MEMBER…] opens a group of the vendor's name with a bot, and writes the
// bot's address and key to the files VENDOR.url and VENDOR.sign.
func (w *world) group(ts *testscript.TestScript, _ bool, args []string) {
	g := chat.New(w.t, args[0], args[1:]...)
	w.groups[args[0]] = g
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".url"), []byte(g.URL), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".sign"), []byte(g.Secret), 0o600))
}

// posts VENDOR N waits until the group was told N things, and prints them, each as one
// line after whom it mentions. It fails when there are more, or when the group refused
// any.
func (w *world) posts(ts *testscript.TestScript, _ bool, args []string) {
	g := w.groups[args[0]]
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	all := g.Wait(n, patience)
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "%v %s\n", p.Mentions, strings.Join(strings.Fields(p.Text), " "))
	}
	fmt.Fprint(ts.Stdout(), b.String())
	if len(all) != n || len(g.Refused()) > 0 {
		ts.Fatalf("the group was told %d things, not %d, and refused %v:\n%s", len(all), n, g.Refused(), b.String())
	}
}

func (w *world) groupDown(_ *testscript.TestScript, _ bool, args []string) {
	w.groups[args[0]].Fault(chat.Down)
}

func (w *world) groupUp(_ *testscript.TestScript, _ bool, args []string) {
	w.groups[args[0]].Fault(nil)
}

// group-kills VENDOR REGEXP kills the server while it waits for the answer to the first
// post that matches, which the group has taken.
func (w *world) groupKills(_ *testscript.TestScript, _ bool, args []string) {
	g, what := w.groups[args[0]], regexp.MustCompile(args[1])
	var once sync.Once
	g.Taken(func(p chat.Post) {
		if what.MatchString(p.Text) {
			once.Do(w.process.Kill)
		}
	})
}

// server-log prints the end of the server's log.
func (w *world) serverLog(ts *testscript.TestScript, _ bool, _ []string) {
	fmt.Fprintln(ts.Stdout(), w.server.LogTail())
}
