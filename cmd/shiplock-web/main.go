// Command shiplock-web serves an app's folder: a site of files, or PHP by a php-fpm
// that it looks after. The base image of these stacks holds it, and start.sh calls it.
// In a cluster it is also what writes out the log files of any app, from beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/phpfpm"
	"github.com/shiplock/shiplock/internal/site"
)

func main() { os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

func run(args []string, getenv func(string) string, out, errOut io.Writer) int {
	if len(args) > 0 && args[0] == followCommand {
		return follow(args[1:], out, errOut)
	}
	o, err := read(args, getenv, errOut)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = serve(ctx, o, out)
	}
	if err != nil {
		fmt.Fprintln(errOut, "error: "+message(err))
		return 1
	}
	return 0
}

// message is what an error says to people.
func message(err error) string {
	var known *delivery.Error
	if errors.As(err, &known) && known.Msg != "" {
		return known.Msg
	}
	return err.Error()
}

// serve serves until ctx ends and every request is answered.
func serve(ctx context.Context, o options, out io.Writer) (err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("", o.port))
	if err != nil {
		return fmt.Errorf("listen on the port in PORT: %w", err)
	}
	defer func() { _ = listener.Close() }() // the server has closed it, unless it never served
	temp, err := os.MkdirTemp("", "web-")
	if err != nil {
		return fmt.Errorf("make a folder for temporary files: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()

	c := site.Config{
		Root: o.root, Fallback: o.fallback, MaxBody: int64(o.php.UploadLimit) << 20, Limit: o.php.TimeLimit,
		TempDir: temp, Now: time.Now, Log: out,
	}
	// php-fpm ends after the last request that needs it.
	interpreting, finish := context.WithCancel(context.WithoutCancel(ctx))
	defer finish()
	var work errgroup.Group
	if o.version != "" {
		pool, err := newPool(ctx, o, temp, out)
		if err != nil {
			return err
		}
		c.PHP = pool
		failed := make(chan error, 1)
		work.Go(func() error {
			err := pool.Run(interpreting)
			failed <- err
			return err
		})
		select {
		case <-pool.Ready():
		case err := <-failed:
			return err
		case <-ctx.Done():
			finish()
			return work.Wait()
		}
	}
	s, err := site.Open(c)
	if err != nil {
		finish()
		return errors.Join(err, work.Wait())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fmt.Fprintf(out, "serving %s on port %s\n", o.describe(), o.port)
	err = serveHTTP(ctx, listener, s)
	finish()
	return errors.Join(err, work.Wait())
}

// Limits of connections.
const (
	headerLimit = 10 * time.Second
	readLimit   = 10 * time.Minute // a large upload over a slow line
	writeLimit  = 30 * time.Minute // a large download over one
	idleLimit   = 2 * time.Minute
	drainLimit  = 20 * time.Second
)

func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerLimit, ReadTimeout: readLimit, WriteTimeout: writeLimit, IdleTimeout: idleLimit,
		MaxHeaderBytes: 64 << 10,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // what has not ended by now is cut off
	}
	<-done
	return err
}

func newPool(ctx context.Context, o options, dir string, out io.Writer) (*phpfpm.Pool, error) {
	program, err := phpfpm.Find(ctx, os.Getenv("PATH"), o.version)
	if err != nil {
		return nil, err
	}
	return phpfpm.New(phpfpm.Config{Program: program, Dir: dir, Env: scriptEnv(os.Environ()), Settings: o.php, Output: out}), nil
}

// instanceMark is how a supervisor recognises the processes of an instance, to end
// those that outlive it. php-fpm has us for that, and must end after its requests.
const instanceMark = "SHIPLOCK_INSTANCE="

func scriptEnv(environ []string) []string {
	var env []string
	for _, entry := range environ {
		if !strings.HasPrefix(entry, instanceMark) {
			env = append(env, entry)
		}
	}
	return env
}
