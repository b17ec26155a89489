// Package kubernetes runs attempts as pods, one each, named by the attempt's key.
//
// The pod's image is the Stack's with one more layer that holds the runner; the runner
// does all the rest, by itself, and speaks with the server alone. So the cluster is
// asked to make a pod and to remove it, and told of both by a watch: nothing is polled,
// and no log passes through it.
//
// A pod that has ended is removed when the server has taken note of its end; one that
// the server does not know as a living attempt (a fenced one, or one that a crash left)
// is removed too. Only pods with the installation's label are ever looked at.
package kubernetes
