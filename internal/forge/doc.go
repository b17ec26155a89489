// Package forge holds what the adapters of all forges share: the bounds on what is
// kept of a push, the checks of signatures and secrets, and a client that posts and
// classifies answers.
package forge
