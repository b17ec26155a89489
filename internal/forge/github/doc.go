// Package github speaks with GitHub and GitHub Enterprise: it reads their push hooks
// and writes commit statuses back.
//
// Formats: https://docs.github.com/webhooks/webhook-events-and-payloads#push and
// https://docs.github.com/rest/commits/statuses.
package github

// Name is what the forge is called in routes and documents.
const Name = "github"
