// Package store keeps everything that Shiplock knows in one SQL database: SQLite,
// which one server serves, or PostgreSQL, which several serve side by side.
//
// Aggregates are JSON documents, one table per kind, compared and swapped by
// version. Statements are written once, with placeholders $1, $2, …, which both
// databases read. What differs is behind the interface database:
//
//   - On SQLite all writes go through one goroutine, which takes what waits as one
//     transaction and so pays for one disk sync; reads have connections of their own
//     and never wait for a write. A lock beside the file says who serves.
//   - On PostgreSQL every write is a transaction of its own, of which several run at
//     once and share the server's syncs. Where two could decide on the same thing,
//     the row is locked (FOR UPDATE, which SQLite's statements go without); where two
//     make the same new thing, one of them runs again.
//
// A wake has one owner at a time, and every write takes place only while the writer
// is still registered as alive, so a replica that was taken for dead writes nothing.
package store
