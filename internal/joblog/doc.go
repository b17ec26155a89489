// Package joblog keeps the logs of job attempts on disk and serves live tails.
//
// An attempt's log is a sequence of lines numbered from 1 by the runner; a
// number has one content for ever. A line is acknowledged once it is durable,
// and an acknowledged line is neither lost nor shown twice.
//
// # Layout
//
//	<root>/<attempt>/<first line>-<writer>.log  segment: records appended by one process
//	<root>/<attempt>/sealed                     no line is accepted any more
//	<root>/<attempt>/log.zst                    the finished log; replaces everything else
//
// A process writes only to segments of its own and never changes those of
// another, so a stopped and resumed server cannot damage what its successor
// wrote. Readers merge the segments by line number.
//
// Sealing is ordered against foreign writers without a lock: a writer syncs,
// then looks for the seal, then acknowledges; the finisher seals, then reads
// the segments. Whatever was acknowledged was therefore written before the seal
// and is in the archive. The archive appears by link(2), which never replaces
// one that exists: a late second finisher cannot hide lines.
//
// # Text
//
// Text is kept as it was sent, terminal control sequences included; only
// invalid UTF-8 is replaced and over-long lines are cut. Whoever prints to a
// terminal or a page neutralises control characters.
//
// # Reach
//
// Several processes may write and read the same attempts on a file system that
// they share and that shows a write as soon as it is synced. A [Tail] is woken by
// appends of its own process; [Store.Refresh] wakes it for those of others.
package joblog
