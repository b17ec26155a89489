package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
)

const secretHead = "SECRET SET BY REVISION KEY USED-BY"

func secretRow(s api.Secret, now time.Time) []string {
	return []string{s.Name, age(now, s.SetAt), s.SetBy, strconv.FormatInt(s.Revision, 10), s.Key, strings.Join(s.UsedBy, " ")}
}

func (c *console) secretCommand() *cobra.Command {
	list := c.listCommand("list", "Secrets by name, without their values", listOf(
		func(cl *client.Client, ctx context.Context, _ client.Filter) (api.Page[api.Secret], error) {
			return cl.Secrets(ctx)
		}, secretHead, secretRow))
	return group(&cobra.Command{Use: "secret", Short: "Look after what the installation keeps sealed"},
		c.setSecretCommand(), list, c.deleteSecretCommand(), c.rotateKeyCommand())
}

func (c *console) setSecretCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Seal a secret's value below a name", Args: exactly(1),
		Long: `Seal a value below a name, in place of what was there. It is read from the standard input,
where one line break at its end is left out, or from a file, byte for byte. Nobody can read it
again: documents name it, and the server uses it.`,
		Example: `  shiplock secret set east-kubeconfig --from-file east.kubeconfig
  pass show gitlab-token | shiplock secret set gitlab-token`,
	}
	cmd.Flags().StringVar(&from, "from-file", "", "file that holds the value")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := delivery.CheckSecretName(args[0]); err != nil {
			return usageOf(cmd, err.Error())
		}
		value, err := c.readSecret(from)
		if err != nil {
			return err
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		set, err := cl.SetSecret(cmd.Context(), api.SetSecret{Name: args[0], Value: value})
		if err != nil {
			return err
		}
		return c.print(set, func(w io.Writer) {
			fmt.Fprintln(w, c.say("The secret %s is sealed, revision %d.", set.Name, set.Revision))
		})
	}
	return cmd
}

// readSecret reads one byte more than may be, for the server to refuse.
func (c *console) readSecret(from string) ([]byte, error) {
	if from != "" {
		f, err := os.Open(from)
		if err != nil {
			return nil, fmt.Errorf("read the secret: %w", err)
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, delivery.MaxSecret+1))
	}
	if f, ok := c.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.Err, c.say("Value (it is not shown):")+" ")
		defer fmt.Fprintln(c.Err)
		return term.ReadPassword(int(f.Fd()))
	}
	value, err := io.ReadAll(io.LimitReader(c.In, delivery.MaxSecret+2))
	value, cut := bytes.CutSuffix(value, []byte("\n"))
	if cut {
		value = bytes.TrimSuffix(value, []byte("\r"))
	}
	return value, err
}

func (c *console) deleteSecretCommand() *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Delete a secret that no document names", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			if err := cl.DeleteSecret(cmd.Context(), args[0]); err != nil {
				return err
			}
			return c.print(struct{}{}, func(w io.Writer) { fmt.Fprintln(w, c.say("The secret %s is deleted.", args[0])) })
		},
	}
}

func (c *console) rotateKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate-key", Short: "Make another master key, and seal all secrets with it", Args: exactly(0),
		Long: `Make another master key, and seal all secrets with it, one after the other. The older key is
let go of when nothing needs it any more; if the server ends before that, it goes on when it
starts again. A backup of the database from before needs the older key: keep a copy of it
for as long as that backup.

Where the operator gives the keys in SHIPLOCK_MASTER_KEY, put the new one before the old one,
start the server again, and then run this.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			done, err := cl.RotateMasterKey(cmd.Context())
			if err != nil {
				return err
			}
			return c.print(done, func(w io.Writer) {
				fmt.Fprintln(w, c.say("The master key is %s now; %s sealed again with it.", done.Key, count(done.Sealed, "secret")))
			})
		},
	}
}
