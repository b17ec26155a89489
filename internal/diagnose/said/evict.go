package said

import "strings"

// OwnDisk returns the limit that a pod was put out for because it used more disk than
// it may; false when its node had no room for it.
func OwnDisk(words string) (limit string, ok bool) {
	for _, own := range []string{
		"exceeds the limit ",                          // an emptyDir's
		"exceeds the total limit of containers ",      // the pod's
		"exceeded its local ephemeral storage limit ", // a container's
	} {
		if _, after, ok := strings.Cut(words, own); ok {
			return strings.Trim(strings.TrimSpace(after), `".`), true
		}
	}
	return "", false
}

// TurnedAway tells whether a kubelet's words about an eviction say that the pod came when
// its node was short of something already, and never ran.
func TurnedAway(words string) bool { return strings.Contains(words, "The node had condition") }
