// Package phpfpm runs PHP's FastCGI process manager as a child: with settings made
// here, on a unix socket of its own, started again when it ends, and ended only
// when its requests are answered.
package phpfpm
