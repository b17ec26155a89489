package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Set is a whole catalog at one version: the stored documents over the built-in
// ones. It is immutable: nobody writes to its maps.
type Set struct {
	Version      int64
	Apps         map[string]delivery.App
	Stacks       map[string]delivery.Stack
	Environments map[string]delivery.Environment
	Clusters     map[string]delivery.Cluster
	Bindings     map[string]delivery.Binding
	Windows      map[string]delivery.Window
	Calendars    map[string]delivery.Calendar
	Channels     map[string]delivery.Channel
	Approvals    map[string]delivery.ApprovalPolicy
	Delegations  map[string]delivery.Delegation
	// Retention is what is kept of the past.
	Retention delivery.Retention
	// Policy is made of the Bindings.
	Policy *delivery.Policy

	managers map[string]string // by "App/shop"
	byRepo   map[string][]string
	schedule func() (*delivery.Windows, error)
}

// Schedule returns the Windows, worked out.
func (s *Set) Schedule() (*delivery.Windows, error) { return s.schedule() }

// NewSet lays the stored documents over the built-in ones of the same name.
func NewSet(version int64, docs []delivery.Document) (*Set, error) {
	s := &Set{
		Version:      version,
		Apps:         make(map[string]delivery.App),
		Stacks:       make(map[string]delivery.Stack),
		Environments: make(map[string]delivery.Environment),
		Clusters:     make(map[string]delivery.Cluster),
		Bindings:     make(map[string]delivery.Binding),
		Windows:      make(map[string]delivery.Window),
		Calendars:    make(map[string]delivery.Calendar),
		Channels:     make(map[string]delivery.Channel),
		Approvals:    make(map[string]delivery.ApprovalPolicy),
		Delegations:  make(map[string]delivery.Delegation),
		managers:     make(map[string]string),
		byRepo:       make(map[string][]string),
	}
	for _, d := range slices.Concat(Builtin(), docs) {
		if err := s.put(d); err != nil {
			return nil, err
		}
	}
	s.schedule = sync.OnceValues(func() (*delivery.Windows, error) { return delivery.CompileWindows(s.Windows, s.Calendars, findZone) })
	for _, name := range slices.Sorted(maps.Keys(s.Apps)) {
		key := repoKey(s.Apps[name].Repo)
		s.byRepo[key] = append(s.byRepo[key], name)
	}
	s.Policy = delivery.NewPolicy(slices.Collect(maps.Values(s.Bindings)))
	return s, nil
}

func (s *Set) put(d delivery.Document) error {
	s.managers[ref(d)] = d.Manager
	if k, known := lookUp(d.Kind); known {
		return k.put(s, d)
	}
	return nil // a newer version's kind
}

// Manager returns the one source that may change a document; BuiltinManager for a
// built-in one, and "" for one that does not exist.
func (s *Set) Manager(kind, name string) string {
	return s.managers[ref(delivery.Document{Kind: kind, Name: name})]
}

// AppsOf returns the apps that a push concerns, by name. A push whose changed
// paths are not all known concerns every app of its repository.
func (s *Set) AppsOf(p delivery.Push) []delivery.App {
	var apps []delivery.App
	for _, key := range repoKeys(p.Repo) {
		for _, name := range s.byRepo[key] {
			app := s.Apps[name]
			if p.Repo.Is(app.Repo) && (!p.PathsComplete || app.ConcernedBy(p.Paths)) {
				apps = append(apps, app)
			}
		}
	}
	slices.SortFunc(apps, func(a, b delivery.App) int { return cmp.Compare(a.Name, b.Name) })
	return apps
}

// EnvironmentsOf returns the environments that build a push, the lowest rank first.
func (s *Set) EnvironmentsOf(p delivery.Push) []delivery.Environment {
	return slices.DeleteFunc(s.Ranked(), func(e delivery.Environment) bool { return !e.Builds(p) })
}

// Clustered is the first Environment that is in a Cluster; without a name when none is.
func (s *Set) Clustered() delivery.Environment {
	for _, e := range s.Ranked() {
		if e.Cluster != "" {
			return e
		}
	}
	return delivery.Environment{}
}

// Ranked returns all environments, the lowest rank first.
func (s *Set) Ranked() []delivery.Environment {
	return slices.SortedFunc(maps.Values(s.Environments), func(a, b delivery.Environment) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Name, b.Name))
	})
}

func repoKeys(r delivery.Repo) []string {
	keys := []string{repoKey(r.Path), repoKey(r.CloneURL), repoKey(r.SSHURL), repoKey(r.WebURL)}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// repoKey is coarser than delivery.Repo.Is: it is equal for all spellings of one
// repository, so it narrows the search to repositories of the same last name.
func repoKey(setting string) string {
	s := strings.ToLower(strings.TrimSpace(setting))
	for {
		shorter := strings.TrimSuffix(strings.TrimRight(s, "/"), ".git")
		if shorter == s {
			break
		}
		s = shorter
	}
	return s[strings.LastIndexAny(s, "/:@")+1:]
}
