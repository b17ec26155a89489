// Package local runs attempts as processes of this machine, for trusted code.
//
// Every attempt has a directory that all servers on the machine share. Its runner
// is a detached session that outlives the server and holds a lock for as long as
// it lives:
//
//	<dir>/<key>/lock        locked from before the runner is started until it has
//	                        ended; holds the runner's process id
//	<dir>/<key>/runner.log  the runner's own words; made under the lock right before
//	                        the runner is started, so that a key is started at most
//	                        once, whoever asks
//	<dir>/<key>/ws          the workspace; removed when the attempt has ended
//
// The lock is an open file description's (F_OFD_SETLK), passed from the server to
// the runner: there is no moment at which neither holds it, and asking for it does
// not take it. A process id is trusted only while the lock is held. When a runner
// has ended, whatever its end, processes left of its session, or marked with its
// workspace, are killed.
//
// Whether the machine has the tools that a Plan names is for the runner to tell: it
// sees the PATH that the steps see.
package local
