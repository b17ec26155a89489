// Package git drives the git command line with nothing trusted: neither the
// machine's configuration, nor the URL, nor the repository.
//
// Every process reads an isolated configuration that is passed in its
// environment, runs no hook, no filter and no credential helper, never prompts,
// and may only speak the transport of the URL it was given. Credentials travel in
// the environment; they are never on a command line, in .git/config, or in an
// error text. A process and its children are killed as one when the context ends.
//
// It needs git 2.31 or newer. Errors are delivery.Error: NotFound, Denied,
// Unavailable and Invalid say whose turn it is; Internal is all the rest.
package git
