package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// Deps is the world around the command line.
type Deps struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that Out is one: progress is redrawn, and logs are cleaned.
	Terminal bool
	Getenv   func(string) string
	// ConfigFile holds the log-in; empty is $XDG_CONFIG_HOME/shiplock/config.json.
	ConfigFile string
	Version    string
	Now        func() time.Time // nil is time.Now
}

// Exit codes.
const (
	ExitOK          = 0
	ExitFailed      = 1 // it failed, errored or was aborted
	ExitUsage       = 2 // the command line makes no sense
	ExitUnreachable = 3 // no server answered
)

// console is one invocation: the world, and the flags that all verbs share.
type console struct {
	Deps
	server, token, output string
	lang                  phrase.Lang
}

// New returns the root command with every verb that calls the API. Its errors are
// for Exit.
func New(d Deps) *cobra.Command {
	c := &console{Deps: d}
	if c.Now == nil {
		c.Now = time.Now
	}
	root := group(&cobra.Command{
		Use: "shiplock", Short: "From git push to a canary release, and back",
		SilenceErrors: true, SilenceUsage: true, Version: d.Version,
	},
		c.loginCommand(), c.logoutCommand(), c.userCommand(), c.tokenCommand(), c.applyCommand(), c.getCommand(), c.planCommand(), c.detectCommand(), c.statusCommand(), c.doctorCommand(), c.capacityCommand(), c.retentionCommand(), c.commitsCommand(), c.driftCommand(), c.versionCommand(),
		c.runCommand(), c.releaseCommand(), c.approvalsCommand(), c.reviewCommand(), c.targetCommand(), c.appCommand(), c.scaleCommand(), c.cacheCommand(), c.windowCommand(), c.secretCommand(), c.channelCommand(),
		c.canCommand(),
	)
	root.SetIn(d.In)
	root.SetOut(d.Out)
	root.SetErr(d.Err)
	root.AddCommand(c.auditCommand())
	speakHelp(root, d.Getenv)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageOf(cmd, err.Error()) })
	flags := root.PersistentFlags()
	flags.StringVar(&c.server, "server", "", "the server's URL (default: where you logged in, or $SHIPLOCK_URL)")
	flags.StringVar(&c.token, "token", "", "the API token (default: the one of your log-in, or $SHIPLOCK_TOKEN)")
	flags.String(langFlag, "", "en or zh (default: $SHIPLOCK_LANG, or the locale's language)")
	flags.StringVarP(&c.output, "output", "o", "text", "text, or json: one object per line")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		c.lang = Language(cmd, d.Getenv)
		if err := checkLanguage(cmd); err != nil {
			return err
		}
		if c.output != "text" && c.output != "json" {
			return usageOf(cmd, fmt.Sprintf("-o %s: write text or json", c.output))
		}
		return nil
	}
	return root
}

// usageError is a command line that makes no sense.
type usageError struct{ msg, hint string }

func (e *usageError) Error() string { return e.msg }

func usageOf(cmd *cobra.Command, msg string) error {
	return &usageError{msg: msg, hint: fmt.Sprintf("see `%s --help`", cmd.CommandPath())}
}

// errBadEnd ends a command whose subject ended badly and was shown already.
var errBadEnd = errors.New("it did not end well")

// Exit prints the error of a command, if there is one to print, and returns the
// exit code.
func Exit(w io.Writer, l phrase.Lang, err error) int {
	var usage *usageError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errBadEnd):
		return ExitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(w, "shiplock: %s\n%s\n", phrase.In(l, usage.msg), phrase.In(l, usage.hint))
		return ExitUsage
	case errors.Is(err, client.ErrUnreachable):
		fmt.Fprintf(w, "shiplock: %s\n%s\n", phrase.In(l, err.Error()), phrase.In(l, "Check --server, or log in again with `shiplock login --server URL`."))
		return ExitUnreachable
	}
	fmt.Fprintf(w, "shiplock: %s\n", phrase.In(l, err.Error()))
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == 401 {
		fmt.Fprintln(w, phrase.In(l, "Log in with `shiplock login --server URL`."))
	}
	return ExitFailed
}

// group makes a command of commands: without one it prints its help.
func group(cmd *cobra.Command, children ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(children...)
	cmd.Args, cmd.SuggestionsMinimumDistance = cobra.ArbitraryArgs, 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		msg := fmt.Sprintf("%s: unknown command %q", cmd.CommandPath(), args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			msg += ": did you mean " + strings.Join(near, " or ") + "?"
		}
		return usageOf(cmd, msg)
	}
	return cmd
}

// exactly wants n arguments, as the command's use line names them.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageOf(cmd, fmt.Sprintf("%s takes %s, and got %d: %s", cmd.CommandPath(), count(n, "argument"), len(args), cmd.UseLine()))
		}
		return nil
	}
}

// count is "1 run" or "2 runs".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// client returns a client of the chosen server: by flag, environment, or log-in.
func (c *console) client() (*client.Client, error) {
	saved, err := c.loadConfig()
	if err != nil {
		return nil, err
	}
	server := cmp.Or(c.server, c.Getenv("SHIPLOCK_URL"), saved.Server)
	if server == "" {
		return nil, &usageError{msg: "no server is known", hint: "log in with `shiplock login --server URL`, or set SHIPLOCK_URL and SHIPLOCK_TOKEN"}
	}
	if err := checkServer(server); err != nil {
		return nil, err
	}
	token := cmp.Or(c.token, c.Getenv("SHIPLOCK_TOKEN"))
	if token == "" && sameServer(server, saved.Server) {
		token = saved.Token // never sent to another server
	}
	return client.New(server, token).In(c.lang), nil
}

// checkServer refuses what is no server's address.
func checkServer(server string) error {
	if u, err := url.Parse(server); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		return nil
	}
	return &usageError{msg: fmt.Sprintf("%q is not a server's address", server), hint: "write it as http://HOST:PORT or https://HOST"}
}

func sameServer(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

func (c *console) asJSON() bool { return c.output == "json" }

// print writes v as one line of JSON, or calls text.
func (c *console) print(v any, text func(io.Writer)) error {
	if !c.asJSON() {
		text(c.Out)
		return nil
	}
	return c.printJSON(v)
}

func (c *console) printJSON(v any) error {
	enc := json.NewEncoder(c.Out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// requireEnv wants --env.
func requireEnv(cmd *cobra.Command, env string) error {
	if env == "" {
		return usageOf(cmd, "which environment? add --env ENV")
	}
	return delivery.CheckLabel("an environment", env)
}
