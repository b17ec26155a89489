package kube

import (
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/shiplock/shiplock/internal/delivery"
)

// loadContent reads a kubeconfig that somebody sent. It may neither run programs of
// this machine nor read its files.
func loadContent(c Config) (*rest.Config, error) {
	parsed, err := clientcmd.Load(c.Content)
	if err != nil {
		return nil, delivery.E(delivery.Invalid, "the secret is no kubeconfig: set it again from the file") // err may quote it
	}
	if leavesItself(parsed) {
		return nil, delivery.E(delivery.Invalid, "the kubeconfig in the secret names programs or files of another machine: make one that holds everything itself, as `kubectl config view --flatten --minify` does, with a token or certificates")
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*parsed, c.Context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	return config, delivery.Wrap(delivery.Invalid, "the kubeconfig in the secret cannot be used", err)
}

func leavesItself(c *clientcmdapi.Config) bool {
	for _, user := range c.AuthInfos {
		if user.Exec != nil || user.AuthProvider != nil || user.ClientCertificate != "" || user.ClientKey != "" || user.TokenFile != "" {
			return true
		}
	}
	for _, cluster := range c.Clusters {
		if cluster.CertificateAuthority != "" {
			return true
		}
	}
	return false
}
