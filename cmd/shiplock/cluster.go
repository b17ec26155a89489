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
	cmd := &cobra.Command{Use: "cluster", Short: "print what a cluster needs for Shiplock"}
	cmd.AddCommand(newClusterBuilds())
	return cmd
}

func newClusterBuilds() *cobra.Command {
	b := manifest.BuildSpace{}
	var quota map[string]string
	var server string
	var allow []string
	cmd := &cobra.Command{
		Use: "builds", Args: cobra.NoArgs,
		Short: "print the namespace that builds run in, for kubectl apply",
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
			if server != "" {
				namespace, name, ok := strings.Cut(server, "/")
				if !ok {
					return delivery.E(delivery.Invalid, "--server-account is NAMESPACE/NAME")
				}
				b.Server = manifest.ServiceAccount{Namespace: namespace, Name: name}
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
			text, err := manifest.YAML(objects)
			if err == nil {
				_, err = cmd.OutOrStdout().Write(text)
			}
			return err
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
