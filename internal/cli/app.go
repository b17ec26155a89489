package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/client"
)

func (c *console) appCommand() *cobra.Command {
	return group(&cobra.Command{Use: "app", Short: "What runs of an app"}, c.appLogs())
}

func (c *console) appLogs() *cobra.Command {
	var q client.AppLogQuery
	cmd := &cobra.Command{
		Use: "logs APP ENV", Short: "Print what an app prints in an environment, of all its instances", Args: exactly(2),
		Long: "Print what an app prints in an environment, of all its instances: what is there in the order of time, and with -f what comes, also of instances that come. With several, each line begins with its pod and version.",
	}
	f := cmd.Flags()
	f.BoolVarP(&q.Follow, "follow", "f", false, "go on until you stop it")
	f.StringVar(&q.Since, "since", "", "how far back to begin, such as 10m (on clusters)")
	f.IntVar(&q.Tail, "tail", 0, "the last lines of each instance (default: 100, and all with --since)")
	f.BoolVar(&q.Previous, "previous", false, "what was printed before the last restart (on clusters)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if q.Tail < 0 {
			return usageOf(cmd, "--tail is a number of lines")
		}
		cl, err := c.client()
		if err != nil {
			return err
		}
		several, err := severalInstances(cmd.Context(), cl, args[0], args[1], q.Follow)
		if err != nil {
			return err
		}
		err = cl.AppLog(cmd.Context(), args[0], args[1], q, func(lines []api.AppLine) error { return c.printAppLines(lines, several) })
		if cmd.Context().Err() != nil {
			return nil // whoever follows ends it so
		}
		return err
	}
	return c.completingTarget(cmd)
}

// severalInstances tells whether lines need their instance before them: there are several,
// or others may come.
func severalInstances(ctx context.Context, cl *client.Client, app, env string, follow bool) (bool, error) {
	t, err := cl.Target(ctx, app, env)
	total := 0
	for _, v := range t.Versions {
		total += v.Total
	}
	return total > 1 || follow || t.Active != "", err
}

func (c *console) printAppLines(lines []api.AppLine, several bool) error {
	for _, l := range lines {
		var err error
		if c.asJSON() {
			err = c.printJSON(l)
		} else {
			_, err = fmt.Fprintln(c.Out, c.appLine(l, several))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *console) appLine(l api.AppLine, several bool) string {
	text := l.Text
	if c.Terminal {
		text = neutral(text)
	}
	if !several && !l.Note {
		return text
	}
	from := strings.Trim(l.Pod+"/"+l.Version, "/")
	if from == "" {
		from = "shiplock"
	}
	return word(from) + " | " + text
}
