// Command go-hello answers with its version. It is the smallest app that Shiplock
// delivers: it listens on PORT, says whether it is healthy, and ends on SIGTERM.
package main

import (
	"context"
	_ "embed"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

//go:embed VERSION
var version string

func main() {
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	server := &http.Server{Addr: ":" + port, Handler: handler(strings.TrimSpace(version)), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		shutdown, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done <- server.Shutdown(shutdown)
	}()
	log.Printf("go-hello %s listens on port %s", strings.TrimSpace(version), port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}
