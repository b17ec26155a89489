package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
	"github.com/shiplock/shiplock/internal/netguard"
)

// network is how the server reaches what documents and hooks name. It implements
// git.Network.
type network struct {
	*netguard.Guard
	proxy *netguard.Proxy
	self  string // this program
}

// newNetwork allows the configured forges, and what the operator names.
func newNetwork(ctx context.Context, o options) (*network, error) {
	allow := append([]string{}, o.allowHosts...)
	for _, forge := range []string{o.gitlabURL, o.giteaURL, o.githubURL} {
		if u, err := url.Parse(forge); err == nil && u.Host != "" {
			allow = append(allow, u.Host)
		}
	}
	guard, err := netguard.New(netguard.Config{Allow: append(allow, o.cloneHosts...)})
	if err != nil {
		return nil, delivery.Wrap(delivery.Invalid, "--allow-host", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	proxy, err := guard.Listen(ctx)
	return &network{Guard: guard, proxy: proxy, self: self}, err
}

func (n *network) Proxy() string { return n.proxy.URL() }

// SSHProxy implements git.Network; ssh fills in host and port.
func (n *network) SSHProxy() string { return "exec '" + n.self + "' tunnel %h %p" }

// newTunnel is what ssh connects by, through the server's own proxy.
func newTunnel() *cobra.Command {
	return &cobra.Command{
		Use: "tunnel HOST PORT", Hidden: true, Args: cobra.ExactArgs(2), Short: "Connect ssh of a server's git to a repository's host",
		RunE: func(cmd *cobra.Command, args []string) error {
			return tunnel(cmd.Context(), os.Getenv(git.TunnelVariable), net.JoinHostPort(args[0], args[1]), os.Stdin, os.Stdout)
		},
	}
}

const tunnelTimeout = 20 * time.Second

func tunnel(ctx context.Context, proxy, address string, in io.Reader, out io.Writer) error {
	u, err := url.Parse(proxy)
	if err != nil || u.Host == "" {
		return delivery.E(delivery.Invalid, "this command is for the server's git only")
	}
	conn, err := (&net.Dialer{Timeout: tunnelTimeout}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("reach the server's proxy: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tunnelTimeout)); err != nil {
		return err
	}
	login := base64.StdEncoding.EncodeToString([]byte(u.User.String()))
	if _, err := fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\nProxy-Authorization: Basic %s\r\n\r\n", address, login); err != nil {
		return err
	}
	answer := bufio.NewReader(conn)
	res, err := http.ReadResponse(answer, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("ask the server's proxy: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return errors.New(string(why))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	go func() { // ends with the process
		_, _ = io.Copy(conn, in)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(out, answer)
	return err
}
