package diagnose

import "regexp"

// blot stands for what nobody may read.
const blot = "***"

// credentials are the forms in which tools print a credential that nobody declared
// as a secret: in a URL (as it is, or percent-encoded), in a setting of npm or of a
// query, and in a header.
var credentials = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`://[^/\s'"]+@`), "://" + blot + "@"},
	{regexp.MustCompile(`://[^/\s'":]*:[^/\s'"]*…$`), "://" + blot + "…"}, // cut within it
	{regexp.MustCompile(`(?i)%3A%2F%2F(?:[^/\s'"&%]|%(?:[013-9a-f][0-9a-f]|2[0-9a-e]))+(?:%40|@)`), "%3A%2F%2F" + blot + "%40"},
	{regexp.MustCompile(`(?i)\b(_authToken|_auth|_password)( ?= ?)[^\s'"]+`), "${1}${2}" + blot},
	{regexp.MustCompile(`(?i)([?&;](?:access_|private_|api_|job_)?(?:token|key|password|secret)=)[^\s'"&;]+`), "${1}" + blot},
	{regexp.MustCompile(`(?i)\b(authorization|proxy-authorization|private-token|job-token|x-api-key)(["']?\s*[:=]\s*["']?)((?:basic|bearer|token)\s+)?[^\s'",]+`), "${1}${2}${3}" + blot},
}

// Discreet takes credentials out of a line. Secrets that are known are masked
// before; this is for those that nobody told us of.
func Discreet(line string) string {
	for _, c := range credentials {
		line = c.form.ReplaceAllString(line, c.with)
	}
	return line
}

func discreetly(lines []string) []string {
	var out []string
	for _, line := range lines {
		out = append(out, Discreet(line))
	}
	return out
}
