package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) tokenCommand() *cobra.Command {
	return group(&cobra.Command{Use: "token", Short: "Look after API tokens"}, c.tokenCreate(), c.tokenList(), c.tokenRevoke())
}

func (c *console) tokenCreate() *cobra.Command {
	var in api.CreateToken
	var scope delivery.TokenScope
	var expires string
	var commands []string
	cmd := &cobra.Command{
		Use: "create", Short: "Make an API token, which is shown once", Args: exactly(0),
		Long: `Make an API token, which is shown once. It may what its owner may, and less when
--scope, --app or --env narrow it: a token with a scope reads, and gives the commands that
are named, on the apps and in the environments that are named.`,
		Example: `  shiplock token create --name ci --for ci --scope run.start,release.create --app shop --env dev --expires 90d`,
	}
	f := cmd.Flags()
	f.StringVar(&in.Name, "name", "", "what it is for")
	f.StringVar(&in.For, "for", "", "the user that it acts for (default: you)")
	f.StringVar(&expires, "expires", "30d", "how long it lasts, or never")
	f.StringSliceVar(&commands, "scope", nil, "command that it may give, such as run.start; may be repeated (default: all that its owner may)")
	f.StringSliceVar(&scope.Apps, "app", nil, "app, or pattern of apps, that it is for; may be repeated")
	f.StringSliceVar(&scope.Environments, "env", nil, "environment that it is for; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if expires == "never" {
			expires = "0s"
		}
		in.Expires = new(delivery.Duration)
		if err := in.Expires.UnmarshalText([]byte(expires)); err != nil {
			return usageOf(cmd, err.Error())
		}
		for _, name := range commands {
			scope.Commands = append(scope.Commands, delivery.Command(name))
		}
		if len(scope.Commands)+len(scope.Apps)+len(scope.Environments) > 0 {
			in.Scope = &scope
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		made, err := cl.CreateToken(cmd.Context(), in)
		if err != nil {
			return err
		}
		return c.print(made, func(w io.Writer) {
			fmt.Fprintln(w, c.say("Token of %s, shown only now:", made.Owner))
			fmt.Fprintln(w, "  "+made.Secret)
		})
	}
	c.complete(cmd)
	return cmd
}

func (c *console) tokenList() *cobra.Command {
	var owner string
	cmd := c.listCommand("list", "API tokens, the newest first", listOf(func(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Token], error) {
		return cl.Tokens(ctx, owner)
	}, "TOKEN OWNER NAME SCOPE AGE USED EXPIRES", tokenRow))
	cmd.Flags().StringVar(&owner, "for", "", "whose; * is everybody's (default: yours)")
	return cmd
}

func tokenRow(t api.Token, now time.Time) []string {
	return []string{t.ID, t.Owner, t.Name, scopeText(t.Scope), age(now, t.CreatedAt), ageOr(now, t.UsedAt), until(now, t.ExpiresAt)}
}

// scopeText is what a token is for, in short.
func scopeText(s *delivery.TokenScope) string {
	if s == nil {
		return ""
	}
	var parts []string
	for _, cmd := range s.Commands {
		parts = append(parts, string(cmd))
	}
	for _, list := range []struct {
		name  string
		items []string
	}{{"app", s.Apps}, {"env", s.Environments}} {
		if len(list.items) > 0 {
			parts = append(parts, list.name+"="+strings.Join(list.items, ","))
		}
	}
	return strings.Join(parts, " ")
}

// ageOr is an age; "never" of what did not happen.
func ageOr(now, at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return age(now, at)
}

// until is how long something still lasts.
func until(now, at time.Time) string {
	switch {
	case at.IsZero():
		return "never"
	case !at.After(now):
		return "expired"
	}
	const day = 24 * time.Hour
	if d := at.Sub(now); d >= day {
		return fmt.Sprintf("in %dd", d/day)
	}
	return "in " + age(at, now)
}

func (c *console) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke TOKEN", Short: "End a token, or a session, at once", Args: exactly(1),
		Long: "End a token, or a session, at once. Name it by its id, as of `shiplock token list` or `shiplock user sessions`.",
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			if err := cl.RevokeToken(cmd.Context(), args[0]); err != nil {
				return err
			}
			fmt.Fprintln(c.Out, c.say("Token %s works no more.", args[0]))
			return nil
		},
	}
}
