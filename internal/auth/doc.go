// Package auth knows who somebody is: by a password, by an API token, by a browser's
// session, or by the code of a link that works once.
//
// Secrets that it makes have 32 random bytes, so an unsalted SHA-256 of them is all
// that is kept, and what they are found by. People choose passwords badly: of those the
// argon2id hash is kept.
package auth
