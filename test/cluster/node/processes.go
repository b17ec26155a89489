package node

import (
	"os"
	"slices"

	"github.com/shiplock/shiplock/test/cluster/layout"
)

// parts are the cluster's processes.
type parts struct {
	binary string

	registry, containerd, apiserver, addons, kubelet, controllers process

	base    []process // in the order of their start
	clients []process // of the API
}

func (p parts) all() []process { return slices.Concat(p.base, p.clients) }

func processes(node string) (parts, error) {
	self, err := os.Executable()
	if err != nil {
		return parts{}, err
	}
	part := func(name string, args ...string) process {
		return process{name, append([]string{self, name}, args...)}
	}
	pki := func(name string) string { return layout.Path("pki", name) }
	p := parts{
		binary:    self,
		registry:  part("registry"),
		addons:    part("addons"),
		apiserver: part("kube-apiserver", apiserverFlags(pki)...),
		controllers: part("kube-controller-manager",
			"--kubeconfig="+pki("controller-manager.kubeconfig"),
			"--root-ca-file="+pki("ca.crt"),
			"--cluster-signing-cert-file="+pki("ca.crt"),
			"--cluster-signing-key-file="+pki("ca.key"),
			"--service-account-private-key-file="+pki("service-accounts.key"),
			"--use-service-account-credentials=true",
			"--flex-volume-plugin-dir="+layout.Path("kubelet", "volume-plugins"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
			"--terminated-pod-gc-threshold=2000", "--kube-api-qps=300", "--kube-api-burst=600"),
		kubelet: part("kubelet",
			"--config="+layout.Path("etc", "kubelet.yaml"),
			"--kubeconfig="+pki("kubelet.kubeconfig"),
			"--root-dir="+layout.Path("kubelet"),
			"--cert-dir="+layout.Path("pki"),
			"--hostname-override="+node,
			"--node-ip="+layout.NodeAddress),
	}
	p.containerd = process{"containerd", []string{"containerd", "--config", layout.Path("etc", "containerd.toml"), "--log-level", "warn"}}
	p.base = []process{p.registry, p.containerd, part("etcd"), p.apiserver}
	p.clients = []process{
		p.addons,
		p.controllers,
		part("kube-scheduler",
			"--kubeconfig="+pki("scheduler.kubeconfig"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
			"--kube-api-qps=500", "--kube-api-burst=1000"),
		part("kube-proxy", "--config="+layout.Path("etc", "proxy.yaml")),
		p.kubelet,
	}
	return p, nil
}

func apiserverFlags(pki func(string) string) []string {
	return []string{
		"--etcd-servers=" + layout.EtcdURL,
		"--bind-address=" + layout.NodeAddress,
		"--advertise-address=" + layout.NodeAddress,
		"--secure-port=6443",
		"--service-cluster-ip-range=" + layout.Services,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki("apiserver.crt"),
		"--tls-private-key-file=" + pki("apiserver.key"),
		"--kubelet-certificate-authority=" + pki("ca.crt"),
		"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"),
		"--kubelet-client-key=" + pki("apiserver-kubelet.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + pki("service-accounts.key"),
		"--service-account-signing-key-file=" + pki("service-accounts.key"),
		"--requestheader-client-ca-file=" + pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki("front-proxy.crt"),
		"--proxy-client-key-file=" + pki("front-proxy.key"),
		"--profiling=false",
	}
}
