// Package site answers HTTP requests from a folder: files as they are, and PHP
// scripts through a FastCGI interpreter.
//
// What is served stays inside the folder, also through symbolic links. Names that
// begin with a dot are never served, except /.well-known, and folders are never
// listed. The content is taken to be one release of an app: it does not change
// while it is served.
package site
