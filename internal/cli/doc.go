// Package cli is the command line: verbs that call the public API and print what
// came of it, for people or, with -o json, one JSON object per line.
package cli
