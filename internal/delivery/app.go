package delivery

import "slices"

// App is one deployable module. Its name is the job, Service, Deployment,
// container and alert label alike.
type App struct {
	Name string `json:"name"`
	Team string `json:"team,omitempty"`
	// Repo is a clone URL or the forge's namespace/name.
	Repo string `json:"repo"`
	// Path is the module's folder in the repository; empty is its root.
	Path string `json:"path,omitempty"`
	// Watch are further folders (or files) whose changes concern this App.
	Watch []string `json:"watch,omitempty"`
	// Stack names a Stack, or one of Languages; without it, or with a language only,
	// the commit's own files choose the Stack.
	Stack string `json:"stack,omitempty"`
	// Artifact is what runs make; empty is what the Stack says.
	Artifact ArtifactKind `json:"artifact,omitempty"`
	Build    AppBuild     `json:"build,omitzero"`
	// Environments holds what differs per environment; the key is its name.
	Environments map[string]AppEnvironment `json:"environments,omitempty"`
	Health       Health                    `json:"health,omitzero"`
	Labels       map[string]string         `json:"labels,omitempty"`
	// Workload is what the App asks of Kubernetes.
	Workload Workload `json:"workload,omitzero"`
}

// AppEnvironment is an App's configuration in one Environment.
type AppEnvironment struct {
	Variables map[string]string `json:"variables,omitempty"`
	Replicas  int               `json:"replicas,omitempty"`
	Strategy  *Strategy         `json:"strategy,omitempty"`
	// Build is laid over the App's.
	Build AppBuild `json:"build,omitzero"`
	// Listen fixes the port of the Target's proxy on a one-machine
	// installation; 0 chooses a free one and keeps it.
	Listen int `json:"listen,omitempty"`
	// Workload is laid over the App's.
	Workload Workload `json:"workload,omitzero"`
}

// AppBuild is what an App's builds need that is not as its Stack says.
type AppBuild struct {
	// Resources are the build container's; one by one they go before the Stack's.
	Resources Resources `json:"resources,omitzero"`
	// Timeout caps the whole job; zero leaves it at what its steps may take together.
	Timeout Duration `json:"timeout,omitempty"`
}

// Health says how to tell that an instance may take traffic.
type Health struct {
	// Path answers 2xx or 3xx when healthy; empty is "/", "tcp" only connects.
	Path string `json:"path,omitempty"`
	// Timeout limits the time from start to healthy; zero is 30 s.
	Timeout Duration `json:"timeout,omitempty"`
}

// Open tells whether the commit's own files choose the App's Stack.
func (a App) Open() bool { return a.Stack == "" || slices.Contains(Languages(), a.Stack) }

// ConcernedBy tells whether a change of these repository paths concerns the App.
func (a App) ConcernedBy(paths []string) bool {
	if a.Path == "" {
		return true
	}
	for _, p := range paths {
		if under(p, a.Path) {
			return true
		}
		for _, w := range a.Watch {
			if under(p, w) {
				return true
			}
		}
	}
	return false
}

func under(path, dir string) bool {
	return path == dir || len(path) > len(dir) && path[:len(dir)] == dir && path[len(dir)] == '/'
}
