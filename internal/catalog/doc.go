// Package catalog holds what people write about their apps: Kubernetes-style
// documents of kind App, Stack, Environment and others. It parses them with a position
// for every fault, compares them, and answers questions about a whole catalog.
// It is pure: bytes in, values out.
package catalog

// APIVersion is the version that every document names.
const APIVersion = "shiplock/v1"

// The kinds of documents.
const (
	KindApp         = "App"
	KindStack       = "Stack"
	KindEnvironment = "Environment"
	KindCluster     = "Cluster"
	KindRetention   = "Retention"
	KindRoleBinding = "RoleBinding"
	KindWindow      = "Window"
	KindCalendar    = "Calendar"
	KindChannel     = "Channel"
	// KindApprovalPolicy and KindDelegation say who consents to releases.
	KindApprovalPolicy = "ApprovalPolicy"
	KindDelegation     = "Delegation"
)

func kinds() []string {
	return []string{KindApp, KindStack, KindEnvironment, KindCluster, KindRetention, KindRoleBinding, KindWindow, KindCalendar, KindChannel, KindApprovalPolicy, KindDelegation}
}
