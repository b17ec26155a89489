// Package githost is a small Git forge that plays GitLab: bare repositories
// served by git http-backend, the Push Hook after each push, and the API that
// takes commit statuses. The demo lives on it, tests meet a forge in it, and
// benchmarks use its API half alone.
//
// It is for loopback: one user, one password, plain http.
package githost
