package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/internal/auth"
	"github.com/shiplock/shiplock/internal/cli"
	"github.com/shiplock/shiplock/internal/client"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/demo"
	"github.com/shiplock/shiplock/internal/demo/githost"
)

// demoOptions are what `demo` is told.
type demoOptions struct {
	once   bool
	data   string
	listen string
	lang   phrase.Lang
}

func newDemo() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use: "demo", Args: cobra.NoArgs,
		Short: "Tell the whole story on this machine: push, build, canary, roll back",
		Long: `Start a server, a Git forge and example apps on loopback, and tell the whole story with
real commits. Then the server stays up to be looked at, until Ctrl-C. With --once the
story is told once and the command ends; its exit code is 1 if anything fell short.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			format, err := cmd.Flags().GetString("output")
			if err != nil {
				return err
			}
			o.lang = cli.Language(cmd, os.Getenv)
			return runDemo(cmd.Context(), o, format == "json", cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.once, "once", false, "tell the story once, clean up and exit")
	f.StringVar(&o.data, "data", "", "keep everything in this directory (default: a temporary one, removed at the end; tool caches stay in the user's cache directory)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	return cmd
}

var errFellShort = errors.New("the demo fell short")

func runDemo(ctx context.Context, o demoOptions, asJSON bool, out, errOut io.Writer) (err error) {
	root := o.data
	if root == "" {
		if root, err = os.MkdirTemp("", "shiplock-demo-"); err != nil {
			return fmt.Errorf("make a place for the demo: %w", err)
		}
		defer func() { err = errors.Join(err, removeAll(root)) }()
	}
	d := &demonstration{root: root, say: func(format string, args ...any) {
		fmt.Fprintln(errOut, spoken(o.lang, fmt.Sprintf(format, args...)))
	}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := d.start(ctx, o, errOut); err != nil {
		return errors.Join(err, d.end())
	}
	defer func() { err = errors.Join(err, d.end()) }()

	var told error
	d.work.Go(func() error {
		told = d.tell(ctx, asJSON, out)
		if told != nil || o.once {
			stop()
		} else {
			d.invite()
		}
		return nil
	})
	if err := d.work.Wait(); err != nil && told == nil {
		return err
	}
	return told
}

// demonstration is a server and a forge, running.
type demonstration struct {
	root     string
	say      func(format string, args ...any)
	instance *instance
	host     *githost.Host
	gitURL   string
	git      *http.Server
	token    string
	work     *errgroup.Group
}

const demoUser = "demo"

// start brings up the forge and the server; d.work owns them.
func (d *demonstration) start(ctx context.Context, o demoOptions, errOut io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the demo's Git forge: %w", err)
	}
	d.gitURL = "http://" + listener.Addr().String()
	opts := options{
		data: filepath.Join(d.root, "data"), cache: demoCache(o), listen: o.listen, capacity: 2,
		lease: 10 * time.Second, silence: 3 * time.Minute, retainEvery: time.Hour, logLimit: 2048, logLevel: "error", lang: o.lang,
		gitlabURL: d.gitURL, cloneUser: demoUser, build: buildOptions{executor: onThisMachine},
		gitlabToken: rand.Text(), hookSecret: rand.Text(), clonePassword: rand.Text(), adminToken: auth.NewToken(),
	}
	if err := errors.Join(os.MkdirAll(d.root, 0o700), opts.check()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if d.instance, err = wire(ctx, opts, newLogger(errOut, opts.logLevel)); err != nil {
		return errors.Join(err, listener.Close())
	}
	d.token = opts.adminToken
	d.host, err = githost.New(githost.Config{
		Dir: filepath.Join(d.root, "git"), User: demoUser, Password: opts.clonePassword,
		HookURL: d.instance.url + "/hooks/gitlab", HookToken: opts.hookSecret, APIToken: opts.gitlabToken,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.git = &http.Server{Handler: d.host, ReadHeaderTimeout: 10 * time.Second}
	d.work, ctx = errgroup.WithContext(ctx)
	d.work.Go(func() error { return d.instance.run(ctx) })
	d.work.Go(func() error { return d.host.Run(ctx) })
	d.work.Go(func() error {
		<-ctx.Done()
		return d.git.Close()
	})
	d.work.Go(func() error {
		if err := d.git.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	d.say("Shiplock's demo: the server is %s, the Git forge %s, everything is in %s", d.instance.url, d.gitURL, d.root)
	return nil
}

// demoCache is where build tools keep what the next demo would fetch and compile
// again; with --data everything stays together.
func demoCache(o demoOptions) string {
	dir, err := os.UserCacheDir()
	if err != nil || o.data != "" {
		return ""
	}
	return filepath.Join(dir, "shiplock", "demo")
}

// tell tells the story, and returns errFellShort when it was not all well.
func (d *demonstration) tell(ctx context.Context, asJSON bool, out io.Writer) error {
	report, err := demo.Tell(ctx, demo.Config{
		Client: client.New(d.instance.url, d.token).In(d.instance.opts.lang), Host: d.host, GitURL: d.gitURL,
		User: demoUser, Password: d.instance.opts.clonePassword,
		Dir: filepath.Join(d.root, "work"), Say: d.say, Now: time.Now,
	})
	if err != nil {
		report.OK = false
		report.Problems = append(report.Problems, err.Error())
	}
	if asJSON {
		text, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return fmt.Errorf("encode the report: %w", err)
		}
		fmt.Fprintln(out, string(text))
	}
	for _, p := range report.Problems {
		d.say("fell short: %s", p)
	}
	if !report.OK {
		return errFellShort
	}
	d.say("\nAll of it went as it must, in %.1f s.", float64(report.MS)/1000)
	return nil
}

// invite says how to go on by hand.
func (d *demonstration) invite() {
	code := d.instance.keeper.Link(delivery.Actor{Kind: delivery.ActorUser, Name: "administrator"}, delivery.Grants{Admin: true})
	d.say(`
The server stays up until Ctrl-C. Look at it:
  %s/login?token=%s   (works once)
Talk to it from another terminal:
  export SHIPLOCK_URL=%s SHIPLOCK_TOKEN=%s
  bin/shiplock status
  bin/shiplock plan go-hello --env dev
  bin/shiplock run start go-hello --env prod --watch
  bin/shiplock release create go-hello --env prod --watch
Working copies to commit and push from are in %s`,
		d.instance.url, code, d.instance.url, d.token, filepath.Join(d.root, "work"))
}

// end stops the apps and gives everything back.
func (d *demonstration) end() error {
	if d.instance == nil {
		return nil
	}
	return errors.Join(stopApps(context.Background(), d.instance.opts.data), d.instance.close())
}

// removeAll removes a tree in which tools may have left read-only folders, such as
// Go's module cache.
func removeAll(root string) error {
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return errors.Join(err, os.RemoveAll(root))
}
