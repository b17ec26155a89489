// Package cache keeps what build tools have fetched or compiled, from one build to
// the next, as immutable snapshots of folders:
//
//	<dir>/snapshots/<domain>/<stack>/<name>/<id>/tree       what was in the folder
//	                                            /meta.json  of what build, for what key
//	                                            /lease      locked while in use; a byte
//	                                                        per use, modified at the last
//	                                            /durable    it is on disk for sure
//	<dir>/cold/<domain>/<stack>/<app>.json  how long builds take without caches
//	<dir>/tmp    snapshots being written; their writers hold the lease
//	<dir>/trash  what is being removed
//
// A build never gets a path to a snapshot: it works on an overlay or a copy of it.
// A new snapshot is written beside, of files that only it has, or that it shares
// with an older snapshot of its domain, and gets its name by a rename. Of snapshots
// for one key the newest counts; ids are in order of time. There is nothing that two
// writers change, so a writer that dies leaves the others as they were.
//
// A lease is a lock of an open file (flock), which ends with its process. Nothing is
// removed while it is leased. What was not yet on disk for sure when the machine
// went down is not used again, instead of every writer waiting for its disk.
package cache
