// Package gitlab speaks with GitLab: it reads the hooks that GitLab sends, of any
// version from 9 on, and writes commit statuses back.
//
// Formats: https://docs.gitlab.com/user/project/integrations/webhook_events/,
// https://docs.gitlab.com/user/project/integrations/webhooks/#signing-tokens and
// https://docs.gitlab.com/api/commits/#set-commit-pipeline-status.
package gitlab

// Name is what the forge is called in routes and documents.
const Name = "gitlab"
