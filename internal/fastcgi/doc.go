// Package fastcgi asks a FastCGI responder, such as php-fpm, over a connection.
//
// It is the client's half of the FastCGI Specification 1.0 (Open Market, 1996), for
// one request per connection, which over a unix socket costs microseconds.
package fastcgi
