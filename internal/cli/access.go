package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
)

func (c *console) canCommand() *cobra.Command {
	var ask api.AskCan
	cmd := &cobra.Command{
		Use: "can-i VERB [APP] [ENV]", Short: "Whether a command would be allowed, and by which binding",
		Long: `Tell whether a command would be allowed, and which RoleBinding allows it. A VERB is a
permission such as release.create or run.start, or the part after the dot where one
permission alone has it. Without APP and ENV it is about the whole installation.
The exit code is 1 when it would not be allowed.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 3 {
				return usageOf(cmd, "what would you do? write a permission, an app and an environment, like release.create shop prod")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&ask.As, "as", "", "ask for somebody else, as user:NAME or service:NAME")
	cmd.Flags().StringSliceVar(&ask.Groups, "groups", nil, "the groups of somebody else, in place of those that are known of the user")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rest := append(slices.Clone(args), "", "")
		ask.Command, ask.App, ask.Env = permission(args[0]), rest[1], rest[2]
		cl, err := c.client()
		if err != nil {
			return err
		}
		d, err := cl.Can(cmd.Context(), ask)
		if err != nil {
			return err
		}
		if err := c.print(d, func(w io.Writer) { c.showDecision(w, d) }); err != nil || d.Allowed {
			return err
		}
		return errBadEnd
	}
	return cmd
}

// permission is the one that a verb is short for.
func permission(verb string) string {
	found := verb
	for _, c := range delivery.RoleAdmin.Commands() {
		switch _, short, _ := strings.Cut(string(c), "."); {
		case string(c) == verb:
			return verb
		case short != verb:
		case found != verb:
			return verb // several have it
		default:
			found = string(c)
		}
	}
	return found
}

func (c *console) showDecision(w io.Writer, d delivery.Decision) {
	if d.Allowed {
		fmt.Fprintln(w, c.say("yes: %s may %s on %s (%s)", d.Actor, d.Command, d.Object, d.Rule))
		return
	}
	fmt.Fprintln(w, c.say("no: %s", d.Why))
}

func roleBindingRow(b api.RoleBinding, _ time.Time) []string {
	var who []string
	for _, s := range b.Subjects {
		who = append(who, s.String())
	}
	return []string{b.Name, string(b.Role), strings.Join(who, " "), bindingScope(b.Scope), b.Manager}
}

func bindingScope(s delivery.Scope) string {
	if s.Everything {
		return "everything"
	}
	var parts []string
	for _, list := range []struct {
		name    string
		entries []string
	}{{"teams", s.Teams}, {"apps", s.Apps}, {"environments", s.Environments}} {
		if len(list.entries) > 0 {
			parts = append(parts, list.name+"="+strings.Join(list.entries, ","))
		}
	}
	return strings.Join(parts, " ")
}
