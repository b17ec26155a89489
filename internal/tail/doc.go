// Package tail writes out the lines of log files as these grow, and gives back the room
// that they took.
package tail
