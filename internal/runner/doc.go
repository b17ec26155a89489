// Package runner runs the steps of one job: in a pod or as a local process.
//
// It claims its attempt, then works through the plan: check out, run scripts,
// make the image. What happens is told as numbered reports and numbered log
// lines; both are repeated until the server has acknowledged them, so that the
// server may be away for minutes. All lines are acknowledged before the job's
// end is reported.
//
// Build code shares the runner's user. It is kept from the runner's credentials
// as far as that allows: they are in no environment, in no file with a name, and
// the runner's memory is closed to other processes (PR_SET_DUMPABLE). No process
// of a step outlives it: its group is killed, and what left the group becomes
// the runner's child (PR_SET_CHILD_SUBREAPER) and is killed as well.
//
// A process runs one job: it waits for children of any origin, so nothing else
// in the process may start children while a step runs. It needs Linux.
package runner
