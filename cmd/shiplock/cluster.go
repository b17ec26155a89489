package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
)

// newCluster prints what a cluster needs.
func newCluster() *cobra.Command {
	cmd := &cobra.Command{Use: "cluster", Short: "Print what a cluster needs for Shiplock"}
	cmd.AddCommand(newClusterBuilds(), newClusterRBAC())
	return cmd
}

func newClusterBuilds() *cobra.Command {
	b := manifest.BuildSpace{}
	var quota map[string]string
	var server string
	var allow []string
	cmd := &cobra.Command{
		Use: "builds", Args: cobra.NoArgs,
		Short: "Print the namespace that builds run in, for kubectl apply",
		Long: `Print the namespace that builds run in, for ` + "`kubectl apply -f -`" + `: with the lowest
priority, which lets everything else go first; with a quota, if you give one; with a
network policy that keeps builds from the cluster and its neighbours but for what you
allow; and with the role that the server needs.`,
		Example: `  shiplock cluster builds --allow 10.1.2.3/32:443 --quota requests.cpu=64,requests.memory=256Gi | kubectl apply -f -`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.Quota = map[string]delivery.Quantity{}
			for name, amount := range quota {
				b.Quota[name] = delivery.Quantity(amount)
			}
			var err error
			if b.Server, err = serverAccount(server); err != nil {
				return err
			}
			for _, text := range allow {
				a, err := manifest.ParseAllowance(text)
				if err != nil {
					return fmt.Errorf("--allow: %w", err)
				}
				b.Allow = append(b.Allow, a)
			}
			objects, err := b.Objects()
			if err != nil {
				return err
			}
			return printed(cmd)(manifest.YAML(objects))
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.Namespace, "namespace", "shiplock-builds", "name of the namespace")
	f.StringVar(&b.PriorityClass, "priority-class", "shiplock-build", "name of the PriorityClass of builds")
	f.StringToStringVar(&quota, "quota", nil, "what all builds together may have, such as requests.cpu=64")
	f.StringSliceVar(&allow, "allow", nil, "private network that builds may reach, or one port of it as 10.1.2.3/32:443: the server, the registry, the Git host; may be repeated")
	f.StringVar(&server, "server-account", "", "service account of the server, as NAMESPACE/NAME")
	return cmd
}

func newClusterRBAC() *cobra.Command {
	a := manifest.Access{}
	var server string
	cmd := &cobra.Command{
		Use: "rbac", Args: cobra.NoArgs,
		Short: "Print what the server may do in the namespaces of environments, for kubectl apply",
		Long: `Print a role for each namespace that an environment is in, and its binding to the server's
service account, for ` + "`kubectl apply -f -`" + `: to apply and remove the objects of apps, to watch
what becomes of them, and to read their logs. It gives nothing outside of these namespaces,
and no Secret. The namespaces have to be there.`,
		Example: `  shiplock cluster rbac --namespace prod --namespace pre --server-account ci/shiplock | kubectl apply -f -`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(a.Namespaces) == 0 {
				return delivery.E(delivery.Invalid, "the namespaces are missing: name those of your environments with --namespace, which may be repeated")
			}
			var err error
			if a.Server, err = serverAccount(server); err != nil {
				return err
			}
			return printed(cmd)(manifest.YAML(a.Objects()))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&a.Namespaces, "namespace", nil, "namespace of an environment; may be repeated")
	f.StringVar(&server, "server-account", "", "service account of the server, as NAMESPACE/NAME")
	f.BoolVar(&a.Monitors, "service-monitors", false, "let it apply ServiceMonitors too, where the cluster has them")
	return cmd
}

// serverAccount reads NAMESPACE/NAME; "" is none.
func serverAccount(text string) (manifest.ServiceAccount, error) {
	namespace, name, ok := strings.Cut(text, "/")
	if text != "" && !ok {
		return manifest.ServiceAccount{}, delivery.E(delivery.Invalid, "--server-account is NAMESPACE/NAME")
	}
	return manifest.ServiceAccount{Namespace: namespace, Name: name}, nil
}

// printed prints what was made, unless it was not.
func printed(cmd *cobra.Command) func([]byte, error) error {
	return func(text []byte, err error) error {
		if err == nil {
			_, err = cmd.OutOrStdout().Write(text)
		}
		return err
	}
}
