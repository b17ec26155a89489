// Package diagnose turns evidence into a Cause: the one line that says why
// something failed, with the first real error lines and what to do next.
//
// It is pure. A Sample picks the telling lines out of an output of any length in
// bounded memory; Failure.Cause words the end of a step, and Crash.Cause that of
// an app. Every Cause fits Line: one line, bounded, nothing for a terminal.
package diagnose
