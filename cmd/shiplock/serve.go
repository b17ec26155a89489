package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/cli"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/engine"
)

func newServe() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "serve", Args: cobra.NoArgs,
		Short: "Run the server: hooks, API, status page, registry, executor and deployer",
		Long: `Run the server. Everything is kept below --data; nothing else is needed.

With a PostgreSQL database several servers work side by side and take over from each
other. They share --data, except for what is in the database, and need --url and
--runner-url to be one address that leads to any of them. See docs/operate/postgres.md.

Secrets are read from the environment, since other users of the machine can read flags:
  SHIPLOCK_DATABASE_URL    postgres://user:password@host:5432/name, instead of SQLite
  SHIPLOCK_HOOK_SECRET     the secret of the forges' webhooks (made and printed when missing);
                           several between spaces, GitLab's signing tokens (whsec_…) among them
  SHIPLOCK_GITLAB_TOKEN    an access token with the scope api, for commit statuses
  SHIPLOCK_GITEA_TOKEN     one with the scope write:repository
  SHIPLOCK_GITHUB_TOKEN    one that may write commit statuses
  SHIPLOCK_CLONE_PASSWORD  the password for --clone-user
  SHIPLOCK_REGISTRY_PASSWORD
                           the password for --registry-user
  SHIPLOCK_ADMIN_TOKEN     the administrator's token (made and printed once when missing)
  SHIPLOCK_MASTER_KEY      what secrets are sealed with: 32 random bytes in base64, a newer key before
                           the older ones (default: the file master.key in --data, made when missing)

Those of the forges, the clone password, the registry's and the hooks' may be kept sealed instead,
by ` + "`shiplock secret set`" + ` and with names such as gitlab-token: see docs/operate/secrets.md.

The language of --lang is that of commit statuses, and of answers to who asks for none.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.environment(os.Getenv)
			o.lang = cli.Language(cmd, os.Getenv)
			if err := o.check(); err != nil {
				return err
			}
			return serve(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func serve(ctx context.Context, o options, out, errOut io.Writer) (err error) {
	in, err := wire(ctx, o, newLogger(errOut, o.logLevel))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	in.greet(out)
	err = in.run(ctx)
	if errors.Is(err, engine.ErrLeaseLost) {
		return fmt.Errorf("%w; this process ends, its work goes on there", err)
	}
	return err
}

// spoken says lines of ours in a language; their indent stays.
func spoken(l phrase.Lang, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		words := strings.TrimLeft(line, " ")
		if first, rest, ok := strings.Cut(line, "  "); ok && first != "" { // whose line it is
			if rest = strings.TrimLeft(rest, " "); rest != "" {
				words = rest
			}
		}
		if !strings.HasPrefix(words, "| ") { // evidence
			lines[i] = line[:len(line)-len(words)] + phrase.In(l, words)
		}
	}
	return strings.Join(lines, "\n")
}

// greet says where the server is, and shows a fresh token for the only time.
func (in *instance) greet(out io.Writer) {
	say := func(format string, args ...any) {
		fmt.Fprintln(out, spoken(in.opts.lang, fmt.Sprintf(format, args...)))
	}
	say("Shiplock serves %s from %s", in.url, in.opts.data)
	if in.firstToken != "" {
		say("\nAdministrator's token, shown only now:\n  %s\nLog in with it:\n  shiplock login --server %s --token %s", in.firstToken, in.url, in.firstToken)
	}
	if in.firstPassword != "" {
		say("\nAdministrator's password for one log-in, shown only now:\n  %s\nChoose your own with it:\n  shiplock login --server %s --user %s", in.firstPassword, in.url, firstUser)
	}
	if in.opts.hookSecret == "" {
		say("\nPush hooks: %s/hooks/gitlab (or gitea, github) with the secret %s", in.url, in.hookSecret)
	}
}
