package cli

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

func (c *console) auditCommand() *cobra.Command {
	return group(&cobra.Command{Use: "audit", Short: "Check and export who did what"}, c.verifyCommand(), c.exportCommand())
}

func (c *console) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Find entries that were removed, altered, inserted or exchanged", Args: exactly(0),
		Long: `Walk the chain of hashes from the oldest entry that is kept to its head, and say at which
entry it does not hold. Keep the hash of the head elsewhere to compare it later: who controls
the server and its database can make another chain.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.client()
			if err != nil {
				return err
			}
			found, err := cl.CheckAudit(cmd.Context())
			if err != nil {
				return err
			}
			if err := c.print(found, func(w io.Writer) { c.showCheck(w, found) }); err != nil {
				return err
			}
			if len(found.Faults) > 0 {
				return errBadEnd
			}
			return nil
		},
	}
}

func (c *console) showCheck(w io.Writer, found delivery.AuditCheck) {
	if found.Let > 0 {
		fmt.Fprintln(w, c.say("Entries up to %d went by retention.", found.Let))
	}
	for _, f := range found.Faults {
		fmt.Fprintln(w, word(phrase.In(c.lang, f.What)))
	}
	switch {
	case len(found.Faults) > 0:
		fmt.Fprintln(w, c.say("The audit does not hold: %s. Compare with an export or a backup.", count(len(found.Faults), "fault")))
	case found.Entries == 0:
		fmt.Fprintln(w, c.say("The audit is whole: it has no entries yet."))
	default:
		fmt.Fprintln(w, c.say("The audit is whole: %d to %d, %s.", found.First, found.Last, countOf(found.Entries)))
		fmt.Fprintln(w, c.say("The head is %s", found.Head))
	}
}

func countOf(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// export is what to export, and where to.
type export struct{ format, since, to string }

func (c *console) exportCommand() *cobra.Command {
	var x export
	cmd := &cobra.Command{
		Use: "export", Short: "Write the audit as JSON lines or syslog messages", Args: exactly(0),
		Long: `Write the entries, the oldest first. JSON lines have the sequence, the hash and the entry byte
for byte, so that anybody can check the chain. Syslog messages are those of RFC 5424; with
--to they go to a syslog server, over TCP each with its length before it (RFC 6587).`,
		Example: `  shiplock audit export --since 30d > audit.jsonl
  shiplock audit export --format syslog --to tcp://logs.example.com:601`,
	}
	f := cmd.Flags()
	f.StringVar(&x.format, "format", "jsonl", "jsonl or syslog")
	f.StringVar(&x.since, "since", "", "only what was done since then: an age such as 30d, a day or a time")
	f.StringVar(&x.to, "to", "", "syslog server as udp://HOST:PORT or tcp://HOST:PORT (default: the standard output)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.export(cmd, x) }
	return cmd
}

// syslogTimeout is how long a syslog server may take for one message.
const syslogTimeout = 10 * time.Second

func (c *console) export(cmd *cobra.Command, x export) error {
	switch {
	case x.format != "jsonl" && x.format != "syslog":
		return usageOf(cmd, fmt.Sprintf("--format %s: write jsonl or syslog", x.format))
	case x.to != "" && x.format != "syslog":
		return usageOf(cmd, "--to is for --format syslog")
	}
	from, err := since(x.since, c.Now())
	if err != nil {
		return usageOf(cmd, err.Error())
	}
	cl, err := c.client()
	if err != nil {
		return err
	}
	write, done, err := c.sink(x)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		page, err := cl.AuditRecords(cmd.Context(), after, from)
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			if err := write(r); err != nil {
				return fmt.Errorf("export entry %d: %w", r.Seq, err)
			}
		}
		if after = page.Next; after == 0 {
			return done()
		}
	}
}

// sink is where entries go, one by one.
func (c *console) sink(x export) (write func(delivery.AuditRecord) error, done func() error, err error) {
	host, _ := os.Hostname()
	out := bufio.NewWriter(c.Out)
	switch {
	case x.format == "jsonl":
		enc := json.NewEncoder(out)
		return func(r delivery.AuditRecord) error { return enc.Encode(r) }, out.Flush, nil
	case x.to == "":
		return func(r delivery.AuditRecord) error {
			line, err := syslogLine(r, host)
			if err == nil {
				_, err = out.WriteString(line + "\n")
			}
			return err
		}, out.Flush, nil
	}
	to, err := url.Parse(x.to)
	if err != nil || to.Scheme != "udp" && to.Scheme != "tcp" || to.Port() == "" {
		return nil, nil, &usageError{msg: fmt.Sprintf("--to %s is no syslog server", x.to), hint: "write udp://HOST:PORT or tcp://HOST:PORT"}
	}
	conn, err := net.DialTimeout(to.Scheme, to.Host, syslogTimeout)
	if err != nil {
		return nil, nil, fmt.Errorf("reach the syslog server: %w", err)
	}
	return func(r delivery.AuditRecord) error {
		line, err := syslogLine(r, host)
		if err != nil {
			return err
		}
		if to.Scheme == "tcp" {
			line = fmt.Sprintf("%d %s", len(line), line)
		}
		return cmp.Or(conn.SetWriteDeadline(time.Now().Add(syslogTimeout)), second(io.WriteString(conn, line)))
	}, conn.Close, nil
}

func second(_ int, err error) error { return err }
