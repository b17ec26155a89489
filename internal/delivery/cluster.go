package delivery

// CanarySuffix ends the names of an App's objects in a Cluster that are its canary's.
const CanarySuffix = "-canary"

// Cluster is a Kubernetes cluster that Environments are in.
type Cluster struct {
	Name string `json:"name"`
	// Kubeconfig is a file of the server's that says how to reach it and as whom; empty
	// is the cluster that the server itself runs in.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// KubeconfigSecret names a secret that holds the kubeconfig instead.
	KubeconfigSecret string `json:"kubeconfigSecret,omitempty"`
	// Context is of the kubeconfig; empty is its current one.
	Context string `json:"context,omitempty"`
}
