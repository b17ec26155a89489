// Package gitea speaks with Gitea, Forgejo and Gogs: it reads their push hooks and
// writes commit statuses back, which Gogs does not take.
//
// Formats: https://docs.gitea.com/usage/webhooks and
// https://docs.gitea.com/api/#tag/repository/operation/repoCreateStatus.
package gitea

// Name is what the forge is called in routes and documents.
const Name = "gitea"
