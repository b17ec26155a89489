// Command app is what the tests of releases deploy. Its folder says how it is to behave.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Print(err)
		os.Exit(1)
	}
}

func run() error {
	version, behaviour := read("version"), read("behaviour")
	log.Printf("version %s, %s", version, behaviour)
	switch behaviour {
	case "crash":
		return errors.New("panic: the database shop-db refuses the password")
	case "hungry":
		eat()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if behaviour == "unwell" {
			http.Error(w, "the cache is cold", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, version)
	})
	port := os.Getenv("PORT")
	if behaviour == "elsewhere" {
		port = "3999"
	}
	log.Printf("listening on :%s", port)
	return serve(&http.Server{Addr: net.JoinHostPort("", port), Handler: mux, ReadHeaderTimeout: 10 * time.Second})
}

// serve ends in order when it is told to.
func serve(s *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	calm, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.Shutdown(calm)
}

// eat takes memory until there is none.
func eat() {
	var all [][]byte
	for {
		b := make([]byte, 8<<20)
		for i := range b {
			b[i] = 1
		}
		all = append(all, b)
		time.Sleep(10 * time.Millisecond)
	}
}

// read returns a file beside the program, without its end of line.
func read(name string) string {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(self), name))
	if err != nil {
		log.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
