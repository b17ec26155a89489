// Package auth knows who holds a secret: a person's API token, a browser's
// session, or the code of a link that works once. Secrets have 32 random bytes,
// so an unsalted SHA-256 of them is all that is kept.
package auth
