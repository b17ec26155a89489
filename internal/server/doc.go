// Package server is Shiplock's HTTP side: the public API with its OpenAPI
// document, live streams, the runners' protocol, hooks of forges, log-in, and the
// status page. It authorises and then asks the engine; it writes no state itself.
package server
