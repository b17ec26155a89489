// Package netguard decides which hosts the server may reach for the sake of what somebody
// wrote into a document or a hook. This machine, link-local and metadata addresses and
// the like are refused, unless the operator allows them; private networks are not, since
// forges on an intranet are the normal case. It decides on the address that is dialled, after
// the name was looked up, so that neither a redirect nor a name that changes its address
// gets around it.
package netguard
