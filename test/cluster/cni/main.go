// Command cni is the last network plugin of a pod: it waits until the pod's
// network policies are in force. It is a program of its own because it runs for
// every pod, and starts faster than the whole of Kubernetes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// request is what the container runtime says on standard input.
type request struct {
	CNIVersion string          `json:"cniVersion"`
	PrevResult json.RawMessage `json:"prevResult"`
}

func main() {
	if err := run(os.Getenv("CNI_COMMAND"), os.Stdin, os.Stdout); err != nil {
		// The runtime reads errors from standard output.
		_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"cniVersion": "1.0.0", "code": 100, "msg": err.Error()})
		os.Exit(1)
	}
}

func run(command string, in io.Reader, out io.Writer) error {
	if command == "VERSION" {
		return json.NewEncoder(out).Encode(map[string]any{"cniVersion": "1.0.0", "supportedVersions": []string{"0.4.0", "1.0.0"}})
	}
	var r request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	address, err := address(r.PrevResult)
	switch command {
	case "ADD":
		if err != nil {
			return err
		}
		if err := tell("add", address); err != nil {
			return err
		}
		_, err := out.Write(r.PrevResult)
		return err
	case "DEL":
		// Its failure must not keep a pod from going; its address is settled by the next one
		// that gets it.
		if err == nil {
			_ = tell("del", address)
		}
	}
	return nil
}

// address returns the pod's address from what the plugins before have done.
func address(result json.RawMessage) (string, error) {
	var r struct {
		IPs []struct{ Address string } `json:"ips"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return "", fmt.Errorf("the result of the plugins before: %w", err)
	}
	for _, ip := range r.IPs {
		if p, err := netip.ParsePrefix(ip.Address); err == nil && p.Addr().Is4() {
			return p.Addr().String(), nil
		}
	}
	return "", fmt.Errorf("the plugins before gave no IPv4 address: %s", result)
}

// tell tells what enforces the policies, and waits for its answer.
func tell(what, address string) error {
	args := make(map[string]string)
	for pair := range strings.SplitSeq(os.Getenv("CNI_ARGS"), ";") {
		name, value, _ := strings.Cut(pair, "=")
		args[name] = value
	}
	body, err := json.Marshal(map[string]string{
		"Namespace": args["K8S_POD_NAMESPACE"], "Name": args["K8S_POD_NAME"], "Address": address,
	})
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", layout.PolicySocket)
		},
	}}
	response, err := client.Post("http://policy/"+what, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return fmt.Errorf("network policies: %s", bytes.TrimSpace(why))
	}
	return nil
}
