// Package oidc signs people in at an identity provider that speaks OpenID Connect: by
// the authorization code flow with PKCE. What a log-in must come back with (state,
// nonce, verifier) is in a sealed cookie of the browser that began it, so that any
// server may end what another one began, and no other browser can.
package oidc
