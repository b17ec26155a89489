// Package local speaks to the supervisor that runs apps as processes of this
// machine: the wire types, the client, and Ensure, which starts the daemon
// (package supervisor) detached from the caller, so that a restart or a SIGKILL
// of the server touches neither the apps nor the proxies in front of them.
//
// It is for trusted code on one machine: the apps run as the same user as the
// supervisor and nothing but process groups separates them.
package local
