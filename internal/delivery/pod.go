package delivery

// BuildPod is what a Stack, an App and an Environment say of the pods that builds run
// in, beside the image. A build on one machine has none of it.
type BuildPod struct {
	// Resources are the build container's.
	Resources    Resources         `json:"resources,omitzero"`
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	Tolerations  []Toleration      `json:"tolerations,omitempty"`
	Volumes      []PodVolume       `json:"volumes,omitempty"`
	// PullSecrets name Secrets in the builds' namespace, to pull images with.
	PullSecrets []string `json:"pullSecrets,omitempty"`
	// Services run beside the build, on the pod's loopback address, from before its
	// first step to its end.
	Services []PodService `json:"services,omitempty"`
}

// Resources are what a container asks for and may use at most, by resource, as of
// Kubernetes: cpu, memory, ephemeral-storage and extended resources.
type Resources struct {
	Requests map[string]Quantity `json:"requests,omitempty"`
	Limits   map[string]Quantity `json:"limits,omitempty"`
}

// Toleration lets a pod onto nodes with a taint; as of Kubernetes.
type Toleration struct {
	Key string `json:"key,omitempty"`
	// Operator is "Equal", "Exists" or empty, which is Equal.
	Operator string `json:"operator,omitempty"`
	Value    string `json:"value,omitempty"`
	// Effect is "NoSchedule", "PreferNoSchedule", "NoExecute" or empty, which is all.
	Effect string `json:"effect,omitempty"`
}

// PodVolume is a folder of the build container. One of its sources is set.
type PodVolume struct {
	Name string `json:"name"`
	// Path is where it is mounted, absolute.
	Path     string `json:"path"`
	ReadOnly bool   `json:"readOnly,omitempty"`
	// ConfigMap, Secret and Claim name an object in the builds' namespace.
	ConfigMap string `json:"configMap,omitempty"`
	Secret    string `json:"secret,omitempty"`
	Claim     string `json:"claim,omitempty"`
	// Empty is the size limit of an empty folder.
	Empty Quantity `json:"empty,omitempty"`
	// Memory keeps an empty folder in memory.
	Memory bool `json:"memory,omitempty"`
}

// PodService is a program that a build's tests need, such as a database.
type PodService struct {
	Name    string            `json:"name"`
	Image   string            `json:"image"`
	Command []string          `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
	// Port answers, on TCP, when the service is ready; 0 is ready when it has started.
	Port      int       `json:"port,omitempty"`
	Resources Resources `json:"resources,omitzero"`
}
