// Package client is the Go client of Shiplock's public API: what the command line
// and the demo use, and nothing that other programs could not.
package client
