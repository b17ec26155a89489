// Package standard is how this company delivers: it turns an App, its Stack and an
// Environment into the Plan of a Run and the configuration of a Revision. It is
// pure: equal inputs give equal results.
package standard
