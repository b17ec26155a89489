// Package seal keeps secrets closed at rest. Each value has a data key of its own, which
// a master key wraps; the master key never leaves its place, be that a file, an
// environment or a service for keys. What is sealed is bound to the secret's name and
// revision, so that rows cannot be exchanged.
package seal
