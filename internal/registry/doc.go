// Package registry is an OCI distribution registry (spec 1.1) in one
// http.Handler, with its blobs and manifests in a directory.
//
// A blob is stored once, but belongs to the repositories that pushed or mounted
// it: knowing a digest gives nobody the content of another repository.
//
//	blobs/sha256/ab/<hex>                     content of blobs and manifests
//	repos/<name>/_blobs/<hex>                 empty: the blob belongs to <name>
//	repos/<name>/_manifests/<hex>             media type of the manifest
//	repos/<name>/_tags/<tag>                  digest
//	repos/<name>/_referrers/<subject>/<hex>   empty: the manifest names <subject>
//	repos/<name>/_uploads/<id>                what an open upload has received
//
// No name component may start with "_", so the two kinds of names never meet.
package registry
