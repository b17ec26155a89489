package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
)

func (c *console) loginCommand() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use: "login --server URL [--user USER | --token TOKEN]", Short: "Save a server and a token",
		Long: `Save a server and a token, after trying them. With --user a password is asked for, or
read from the standard input, and a token of its own that expires is saved; a password
for one log-in is to be changed: the new one is asked for too, or is the next line.
Without --user and --token the token is read from the standard input.`,
		Args: exactly(0),
	}
	cmd.Flags().StringVar(&user, "user", "", "log in with this user's password")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case c.server == "":
			return usageOf(cmd, "which server? add --server URL")
		case user != "" && c.token != "":
			return usageOf(cmd, "log in with --user or with --token, not both")
		}
		if err := checkServer(c.server); err != nil {
			return err
		}
		token, err := c.credential(cmd.Context(), user)
		if err != nil {
			return err
		}
		return c.keepLogin(cmd.Context(), token)
	}
	return cmd
}

// credential is the token of a log-in.
func (c *console) credential(ctx context.Context, user string) (string, error) {
	in := c.input()
	if user != "" {
		return c.passwordLogin(ctx, in, user)
	}
	if c.token != "" {
		return c.token, nil
	}
	return in.secret(c.say("Token (it is not shown):"), errNoToken)
}

// keepLogin saves a token that works.
func (c *console) keepLogin(ctx context.Context, token string) error {
	who, err := client.New(c.server, token).In(c.lang).Who(ctx)
	if err != nil {
		return err
	}
	file, err := c.saveConfig(config{Server: c.server, Token: token})
	if err != nil {
		return fmt.Errorf("save the log-in: %w", err)
	}
	return c.print(who, func(w io.Writer) { fmt.Fprintln(w, c.say("Logged in to %s as %s (%s).", c.server, who.Name, file)) })
}

// passwordLogin gets a token for a password, and changes one that is for one log-in.
func (c *console) passwordLogin(ctx context.Context, in *input, user string) (string, error) {
	password, err := in.secret(c.say("Password of %s (it is not shown):", user), errNoPassword)
	if err != nil {
		return "", err
	}
	cl := client.New(c.server, "").In(c.lang)
	ask := api.LogIn{User: user, Password: password, Name: machine()}
	got, err := cl.LogIn(ctx, ask)
	if err != nil || !got.MustChange {
		return got.Token, err
	}
	fmt.Fprintln(c.Err, c.say("That password is for one log-in: choose a new one."))
	if ask.NewPassword, err = in.newPassword(); err != nil {
		return "", err
	}
	got, err = cl.LogIn(ctx, ask)
	return got.Token, err
}

// machine says where a log-in was made, for the list of sessions.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return "shiplock login"
	}
	return "shiplock login on " + name
}

func (c *console) logoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the log-in, here and on the server", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			saved, err := c.loadConfig()
			if err != nil {
				return err
			}
			if saved.Token == "" {
				return &usageError{msg: "nobody is logged in here", hint: "log in with `shiplock login --server URL`"}
			}
			if err := client.New(saved.Server, saved.Token).In(c.lang).LogOut(cmd.Context()); err != nil {
				return err
			}
			if _, err := c.saveConfig(config{Server: saved.Server}); err != nil {
				return fmt.Errorf("forget the log-in: %w", err)
			}
			fmt.Fprintln(c.Out, c.say("Logged out of %s: the token works no more.", saved.Server))
			return nil
		},
	}
}

const maxToken = 4 << 10

var (
	errNoToken    = &usageError{msg: "no token was given", hint: "use --token, or write it to the standard input"}
	errNoPassword = &usageError{msg: "no password was given", hint: "type it, or write it to the standard input"}
	errNoNew      = &usageError{msg: "no new password was given", hint: "type it, or write it to the standard input as the next line"}
	errDiffer     = &usageError{msg: "the new password was typed in two ways", hint: "try again"}
)

// input asks for secrets: at a terminal without showing what is typed, or line by line.
type input struct {
	c     *console
	lines *bufio.Reader
	fd    int
	typed bool
}

func (c *console) input() *input {
	in := &input{c: c, lines: bufio.NewReader(io.LimitReader(c.In, maxToken))}
	if f, ok := c.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		in.fd, in.typed = int(f.Fd()), true
	}
	return in
}

func (in *input) secret(prompt string, none error) (string, error) {
	if in.typed {
		fmt.Fprint(in.c.Err, prompt+" ")
		line, err := term.ReadPassword(in.fd)
		fmt.Fprintln(in.c.Err)
		return given(string(line), err, none)
	}
	line, err := in.lines.ReadString('\n')
	if err == io.EOF {
		err = nil
	}
	return given(line, err, none)
}

func given(line string, err, none error) (string, error) {
	secret := strings.TrimRight(strings.TrimSpace(line), "\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("read what is typed: %w", err)
	case secret == "":
		return "", none
	}
	return secret, nil
}

// newPassword is typed twice at a terminal.
func (in *input) newPassword() (string, error) {
	first, err := in.secret(in.c.say("New password (it is not shown):"), errNoNew)
	if err != nil || !in.typed {
		return first, err
	}
	again, err := in.secret(in.c.say("Once more:"), errNoNew)
	if err == nil && again != first {
		err = errDiffer
	}
	return first, err
}
