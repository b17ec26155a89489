package delivery

// Variant is a Stack with a difference, for some branches or some Apps.
type Variant struct {
	Name string `json:"name"`
	// Branch is a pattern of branches, in which "*" stands for any characters.
	Branch string `json:"branch,omitempty"`
	// Labels are labels of the App, all of them. Where Branch is given too, both hold.
	Labels map[string]string `json:"labels,omitempty"`
	Build  VariantBuild      `json:"build,omitzero"`
	// Runtime takes the place of the Stack's, field by field.
	Runtime Runtime `json:"runtime,omitzero"`
}

// VariantBuild is what differs in the build. What is left out stays as it is.
type VariantBuild struct {
	Image string `json:"image,omitempty"`
	// Pod is laid over the Stack's.
	Pod    BuildPod          `json:"pod,omitzero"`
	Tools  []Tool            `json:"tools,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	Steps  []StepChange      `json:"steps,omitempty"`
	Output string            `json:"output,omitempty"`
}

// Fits tells whether the variant is for an App's commit.
func (v Variant) Fits(labels map[string]string, branch string) bool {
	return v.FitsApp(labels) && (v.Branch == "" || MatchBranch(v.Branch, branch))
}

// FitsApp tells whether the variant is for an App, on some branch.
func (v Variant) FitsApp(labels map[string]string) bool {
	for key, value := range v.Labels {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// BranchesMeet returns a branch that fits both patterns; ok is false when there is
// none.
func BranchesMeet(a, b string) (branch string, ok bool) {
	m := meeting{a: a, b: b, dead: map[[2]int]bool{}}
	return m.from(0, 0)
}

// meeting walks two patterns at once. dead are the places that lead nowhere.
type meeting struct {
	a, b string
	dead map[[2]int]bool
}

func (m *meeting) from(i, k int) (string, bool) {
	at := [2]int{i, k}
	if m.dead[at] {
		return "", false
	}
	if i == len(m.a) && k == len(m.b) {
		return "", true
	}
	starA, starB := i < len(m.a) && m.a[i] == '*', k < len(m.b) && m.b[k] == '*'
	if starA {
		if s, ok := m.from(i+1, k); ok {
			return s, true
		}
	}
	if starB {
		if s, ok := m.from(i, k+1); ok {
			return s, true
		}
	}
	switch {
	case starA && !starB && k < len(m.b):
		if s, ok := m.from(i, k+1); ok {
			return m.b[k:k+1] + s, true
		}
	case starB && !starA && i < len(m.a):
		if s, ok := m.from(i+1, k); ok {
			return m.a[i:i+1] + s, true
		}
	case !starA && !starB && i < len(m.a) && k < len(m.b) && m.a[i] == m.b[k]:
		if s, ok := m.from(i+1, k+1); ok {
			return m.a[i:i+1] + s, true
		}
	}
	m.dead[at] = true
	return "", false
}
