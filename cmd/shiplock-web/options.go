package main

import (
	"flag"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/phpfpm"
)

// options come from arguments, which are the stack's, and from variables, which
// are the app's.
type options struct {
	root, port, fallback string
	version              string // of PHP, like "8.2"; "" serves files only
	php                  phpfpm.Settings
}

func (o options) describe() string {
	if o.version == "" {
		return o.root
	}
	return fmt.Sprintf("%s with PHP %s (%d workers)", o.root, o.version, o.php.Workers)
}

func read(args []string, getenv func(string) string, errOut io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("shiplock-web", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.StringVar(&o.root, "root", ".", "the folder that the world sees")
	f.StringVar(&o.version, "php", "", "run *.php by php-fpm of this version, like 8.2")
	f.Usage = func() {
		fmt.Fprint(errOut, "Serve an app's folder on the port in PORT.\n\n")
		f.PrintDefaults()
		fmt.Fprint(errOut, `
Variables, with what they are unless set:
  PORT=8080
  SITE_FALLBACK=auto    page for paths without a file: a file, none, or auto
  PHP_WORKERS           requests at a time; 4 for each processor, at least 8
  PHP_MEMORY_LIMIT=256  MiB for each request; 0 is no limit
  PHP_UPLOAD_LIMIT=64   MiB of a request
  PHP_TIME_LIMIT=60     seconds for each request
`)
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, delivery.E(delivery.Invalid, fmt.Sprintf("%q is not expected: see --help", f.Arg(0)))
	}
	n := numbers{getenv: getenv}
	o.port = strconv.Itoa(n.within("PORT", 8080, 1, 65535))
	o.fallback = getenv("SITE_FALLBACK")
	o.php = phpfpm.Settings{
		Workers:     n.within("PHP_WORKERS", max(8, 4*runtime.NumCPU()), 1, 10_000),
		MemoryLimit: n.within("PHP_MEMORY_LIMIT", 256, 0, 1<<20),
		UploadLimit: n.within("PHP_UPLOAD_LIMIT", 64, 1, 1<<20),
		TimeLimit:   time.Duration(n.within("PHP_TIME_LIMIT", 60, 1, 3600)) * time.Second,
	}
	return o, n.err
}

// numbers reads variables; err is the first that is wrong.
type numbers struct {
	getenv func(string) string
	err    error
}

func (n *numbers) within(name string, other, least, most int) int {
	text := n.getenv(name)
	if text == "" {
		return other
	}
	value, err := strconv.Atoi(text)
	if (err != nil || value < least || value > most) && n.err == nil {
		n.err = delivery.E(delivery.Invalid, fmt.Sprintf("the variable %s is %q: set it to a number from %d to %d", name, text, least, most))
	}
	return value
}
