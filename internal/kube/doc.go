// Package kube is the way to clusters: connections, errors as the product knows them,
// and watches that keep what they have seen.
//
// It speaks the core API by client-go's plain REST client with a scheme of its own:
// the typed clients of all of Kubernetes would cost every server start the
// registration of some hundred kinds that nobody asks for.
package kube
