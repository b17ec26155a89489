package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
)

func (c *console) userCommand() *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Look after who may sign in"},
		c.userAdd(), c.userList(),
		c.userSwitch("disable", "Keep a user out, and end all sessions and tokens at once", "%s is disabled: sessions and tokens have ended.", true),
		c.userSwitch("enable", "Let a user in again", "%s may sign in again.", false),
		c.userGroups(), c.userReset(), c.userPasswd(), c.userSessions(),
	)
}

// withUser runs a command on the user that is named.
func (c *console) withUser(use, short string, do func(ctx context.Context, cl *client.Client, user string) error) *cobra.Command {
	return &cobra.Command{Use: use + " USER", Short: short, Args: exactly(1), RunE: func(cmd *cobra.Command, args []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		return do(cmd.Context(), cl, args[0])
	}}
}

func (c *console) userAdd() *cobra.Command {
	var in api.AddUser
	cmd := c.withUser("add", "Add a user, or a program's account", func(ctx context.Context, cl *client.Client, user string) error {
		in.Name = user
		made, err := cl.AddUser(ctx, in)
		if err != nil {
			return err
		}
		return c.print(made, func(w io.Writer) {
			fmt.Fprintln(w, c.say("Added %s.", user))
			if in.Service {
				fmt.Fprintln(w, c.say("Next: %s", "shiplock token create --for "+user))
				return
			}
			c.showPassword(w, made)
		})
	})
	cmd.Long = `Add a user, who gets a password for one log-in, which is shown once. With --service it is
the account of a program, such as a CI system: it has tokens and no password.`
	f := cmd.Flags()
	f.StringVar(&in.DisplayName, "display-name", "", "what people call the user")
	f.StringVar(&in.Email, "email", "", "e-mail address")
	f.StringSliceVar(&in.Groups, "group", nil, "group that the user is in; may be repeated")
	f.BoolVar(&in.Service, "service", false, "a program's account, which has tokens only")
	return cmd
}

func (c *console) showPassword(w io.Writer, made api.UserPassword) {
	fmt.Fprintln(w, c.say("Password for one log-in, shown only now:"))
	fmt.Fprintln(w, "  "+made.Password)
}

func (c *console) userList() *cobra.Command {
	return c.listCommand("list", "Who may sign in", listOf(func(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.User], error) {
		return cl.Users(ctx)
	}, "USER KIND STATE GROUPS SIGNS-IN NAME EMAIL", userRow))
}

func userRow(u api.User, _ time.Time) []string {
	kind := string(u.Kind)
	if u.Admin {
		kind = "admin"
	}
	return []string{u.Name, kind, u.State, strings.Join(u.Groups, ","), u.SignsIn, u.DisplayName, u.Email}
}

func (c *console) userSwitch(use, short, said string, off bool) *cobra.Command {
	return c.withUser(use, short, func(ctx context.Context, cl *client.Client, user string) error {
		u, err := cl.ChangeUser(ctx, user, api.ChangeUser{Disabled: &off})
		if err != nil {
			return err
		}
		return c.print(u, func(w io.Writer) { fmt.Fprintln(w, c.say(said, user)) })
	})
}

func (c *console) userGroups() *cobra.Command {
	return &cobra.Command{
		Use: "set-groups USER [GROUP...]", Short: "Say which groups a user is in, and no others",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageOf(cmd, "name a user, and the groups")
			}
			cl, err := c.client()
			if err != nil {
				return err
			}
			groups := args[1:]
			u, err := cl.ChangeUser(cmd.Context(), args[0], api.ChangeUser{Groups: &groups})
			if err != nil {
				return err
			}
			return c.print(u, func(w io.Writer) {
				fmt.Fprintln(w, c.say("%s is in: %s", u.Name, cmp.Or(strings.Join(u.Groups, ", "), c.say("no group"))))
			})
		},
	}
}

func (c *console) userReset() *cobra.Command {
	return c.withUser("reset-password", "Give a user a password for one log-in, and end all sessions and tokens", func(ctx context.Context, cl *client.Client, user string) error {
		made, err := cl.ResetPassword(ctx, user)
		if err != nil {
			return err
		}
		return c.print(made, func(w io.Writer) { c.showPassword(w, made) })
	})
}

// userPasswd changes one's own password. All that was signed in with the old one ends,
// so the new log-in is saved.
func (c *console) userPasswd() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use: "passwd", Short: "Change your own password", Args: exactly(0),
		Long: `Change your own password. The old and the new one are asked for, or are two lines of the
standard input. All your sessions and tokens end; this log-in is saved anew.`,
	}
	cmd.Flags().StringVar(&user, "user", "", "the user (default: the one who is logged in)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := c.client()
		if err != nil {
			return err
		}
		if user == "" {
			who, err := cl.Who(cmd.Context())
			if err != nil {
				return err
			}
			user = who.Name
		}
		in := c.input()
		ask := api.LogIn{User: user, Name: machine()}
		if ask.Password, err = in.secret(c.say("Password of %s (it is not shown):", user), errNoPassword); err != nil {
			return err
		}
		if ask.NewPassword, err = in.newPassword(); err != nil {
			return err
		}
		got, err := cl.LogIn(cmd.Context(), ask)
		if err != nil {
			return err
		}
		return c.renewLogin(got.Token)
	}
	return cmd
}

// renewLogin saves the token that stands for the one whose password was changed.
func (c *console) renewLogin(token string) error {
	saved, err := c.loadConfig()
	if err != nil {
		return err
	}
	server := cmp.Or(c.server, c.Getenv("SHIPLOCK_URL"), saved.Server)
	if _, err := c.saveConfig(config{Server: server, Token: token}); err != nil {
		return fmt.Errorf("save the log-in: %w", err)
	}
	fmt.Fprintln(c.Out, c.say("The password is changed; all other sessions and tokens have ended."))
	return nil
}

func (c *console) userSessions() *cobra.Command {
	var revoke bool
	cmd := &cobra.Command{
		Use: "sessions [USER]", Short: "List what a user is signed in with, or end it all", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageOf(cmd, "name one user, or none for yourself")
			}
			cl, err := c.client()
			if err != nil {
				return err
			}
			user, err := c.userOr(cmd.Context(), cl, args)
			if err != nil {
				return err
			}
			if revoke {
				if err := cl.RevokeSessions(cmd.Context(), user); err != nil {
					return err
				}
				fmt.Fprintln(c.Out, c.say("%s is signed out everywhere.", user))
				return nil
			}
			read := func(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Token], error) {
				return cl.Sessions(ctx, user)
			}
			return listOf(read, sessionHead, sessionRow)(cmd.Context(), c, cl, client.Filter{})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "end them all at once; API tokens stay")
	return cmd
}

// userOr is the user that is named, or who asks.
func (c *console) userOr(ctx context.Context, cl *client.Client, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	who, err := cl.Who(ctx)
	return who.Name, err
}

const sessionHead = "SESSION KIND FROM AGE USED EXPIRES NAME"

func sessionRow(t api.Token, now time.Time) []string {
	return []string{t.ID, string(t.Kind), t.From, age(now, t.CreatedAt), ageOr(now, t.UsedAt), until(now, t.ExpiresAt), t.Name}
}
