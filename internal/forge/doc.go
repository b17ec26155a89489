// Package forge holds what the adapters of all forges share: the bounds on what is
// kept of a push, the checks of signatures and secrets, a client that posts and
// classifies answers, and the commit statuses that GitHub and Gitea have in common.
package forge
