package delivery

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// ForgeReconciler is the Forge of a Hook that no forge sent: the reconciler found that
// a branch had moved and made up for it.
const ForgeReconciler = "reconciler"

// RecoveredNote is what a recovered push says of itself.
const RecoveredNote = "recovered: no hook came for this push"

// Head is where a branch of a repository was when it was last looked at and accounted
// for: by a push whose hook came, or by one that was recovered.
type Head struct {
	// Repo is the one spelling of an App's repository; see RepoName.
	Repo   string `json:"repo"`
	Branch string `json:"branch"`
	// SHA is empty when there is no such branch.
	SHA string    `json:"sha"`
	At  time.Time `json:"at"`
}

// RepoName folds the spellings of one repository into one.
func RepoName(setting string) string { return canonicalRepo(setting) }

// Recover makes up the hook of a push that moved a branch to a commit, and that no
// forge told of. Made up twice it is the same one.
func (h Head) Recover(repo Repo, now Commit) Hook {
	before := h.SHA
	if before == "" {
		before = zeroSHA(now.SHA)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d", h.Repo, h.Branch, h.SHA, now.SHA, h.At.UnixMilli()))
	return Hook{
		ID: ForgeReconciler + "-" + hex.EncodeToString(sum[:16]), Forge: ForgeReconciler,
		Push: Push{Repo: repo, Branch: h.Branch, Before: before, After: now.SHA, Title: now.Title, Author: now.Author, Email: now.Email},
	}
}

func zeroSHA(like string) string {
	zeros := make([]byte, len(like))
	for i := range zeros {
		zeros[i] = '0'
	}
	return string(zeros)
}

// Recovered tells that the reconciler made the hook up.
func (h Hook) Recovered() bool { return h.Forge == ForgeReconciler }
