// Package store keeps everything that Shiplock knows in one SQL database, which
// for now is SQLite.
//
// Aggregates are JSON documents, one table per kind, compared and swapped by
// version. All writes go through one goroutine, which takes what waits as one
// transaction and so pays for one disk sync (see writer); reads have connections
// of their own and never wait for a write.
//
// Placeholders are written $1, $2, …, which SQLite and PostgreSQL both read.
package store
