// Command oidc is a real identity provider for tests: the OpenID Connect server of
// zitadel/oidc, with a few people in memory. It is a module of its own, so that none of
// its dependencies are Shiplock's.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address on loopback")
	redirect := flag.String("redirect", "", "where clients may have people sent back to")
	flag.Parse()
	if err := serve(*listen, *redirect); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints the issuer when it is ready.
func serve(listen, redirect string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	issuer := "http://" + l.Addr().String()
	storage.RegisterClients(storage.WebClient("shiplock", "s3cret", redirect))
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	handler := exampleop.SetupServer(issuer, directory{storage.NewStorage(people{})}, log, false)
	fmt.Println(issuer)
	return (&http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// people are known by their names; a password is the name and "-password".
type people struct{}

func (people) GetUserByID(id string) *storage.User {
	emails := map[string]string{"ann": "ann@example.com", "dan": "dan@example.com", "eve": "eve@elsewhere.example"}
	if emails[id] == "" {
		return nil
	}
	return &storage.User{
		ID: id, Username: id, Password: id + "-password", FirstName: id, LastName: "Example",
		Email: emails[id], EmailVerified: true,
	}
}

func (p people) GetUserByUsername(name string) *storage.User { return p.GetUserByID(name) }

func (people) ExampleClientID() string { return storage.ServiceUserID }

// directory says groups too.
type directory struct{ *storage.Storage }

func (d directory) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, token op.IDTokenRequest, scopes []string) error {
	err := d.Storage.SetUserinfoFromRequest(ctx, info, token, scopes)
	groups(info)
	return err
}

func (d directory) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	err := d.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin)
	groups(info)
	return err
}

func groups(info *oidc.UserInfo) { info.AppendClaims("groups", []string{"web-leads", "all"}) }
