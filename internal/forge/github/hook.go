package github

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Hooks reads the deliveries of a GitHub.
type Hooks struct{ secrets []string }

// NewHooks returns a reader of deliveries signed with one of the secrets.
func NewHooks(secrets []string) *Hooks { return &Hooks{secrets} }

const signatureHeader = "X-Hub-Signature-256"

// Screen is Denied when the header alone shows that the sender knows no secret.
func (*Hooks) Screen(header http.Header) error {
	if header.Get(signatureHeader) == "" {
		return delivery.E(delivery.Denied, "the hook is not signed; set the webhook's secret in GitHub to the one configured here")
	}
	return nil
}

// Verify is Denied unless the body was signed with a secret. It compares in constant
// time.
func (h *Hooks) Verify(header http.Header, body []byte) error {
	if err := h.Screen(header); err != nil {
		return err
	}
	mac, prefixed := strings.CutPrefix(header.Get(signatureHeader), "sha256=")
	if !prefixed || !forge.MatchHexMAC(mac, body, h.secrets) {
		return delivery.E(delivery.Denied, "the hook's signature does not match; set the webhook's secret in GitHub to the one configured here")
	}
	return nil
}

// Parse reads one delivery; its id is the same for a delivery and its redeliveries. A
// note says in one line why the delivery is of no interest: the hook is then good for
// its repository only. A push with an empty After tells that the branch or tag was
// deleted.
//
// The error is Invalid: the body is not what GitHub sends.
func (*Hooks) Parse(header http.Header, body []byte) (h delivery.Hook, note string, err error) {
	event := header.Get("X-GitHub-Event")
	h = delivery.Hook{ID: cmp.Or(forge.ID(header, "X-GitHub-Delivery"), forge.Digest(event, body)), Forge: Name}
	data, err := forge.JSONBody(header, body)
	if err != nil {
		return h, "", err
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return h, "", delivery.Wrap(delivery.Invalid, "the hook's body is not GitHub's JSON", forge.Short(err))
	}
	h.Push.Repo = p.repo()
	if event != "push" {
		return h, forge.Event(event) + ": of no interest", nil
	}
	h.Push = p.push()
	note, err = forge.Accept("GitHub", p.Ref, p.HeadCommit.ID, &h.Push)
	return h, note, err
}

// payload is what we read of a push.
type payload struct {
	Ref        string         `json:"ref"`
	Before     string         `json:"before"`
	After      string         `json:"after"`
	Forced     bool           `json:"forced"`
	Commits    []forge.Commit `json:"commits"`
	HeadCommit forge.Commit   `json:"head_commit"`
	Repository struct {
		ID       int64  `json:"id"`
		FullName string `json:"full_name"`
		CloneURL string `json:"clone_url"`
		SSHURL   string `json:"ssh_url"`
		HTMLURL  string `json:"html_url"`
		Default  string `json:"default_branch"`
	} `json:"repository"`
	Pusher struct {
		Name string `json:"name"`
	} `json:"pusher"`
	Sender struct {
		Login string `json:"login"`
	} `json:"sender"`
}

func (p *payload) repo() delivery.Repo {
	r := p.Repository
	return delivery.Repo{
		Forge: Name, ProjectID: strconv.FormatInt(r.ID, 10), Path: r.FullName,
		CloneURL: r.CloneURL, SSHURL: r.SSHURL, WebURL: r.HTMLURL,
	}
}

// listed is how many commits every version of GitHub lists; none says how many there
// are.
const listed = 20

// push is the push as it was sent.
func (p *payload) push() delivery.Push {
	push := delivery.Push{
		Repo: p.repo(), Before: p.Before, After: p.After,
		Pusher: forge.Line(cmp.Or(p.Sender.Login, p.Pusher.Name)), DefaultBranch: forge.Line(p.Repository.Default),
	}
	if forge.IsZero(p.After) {
		return push
	}
	forge.Describe(&push, p.Commits, push.Pusher)
	paths, complete := forge.Paths(p.Before, p.Commits, len(p.Commits))
	push.Paths, push.PathsComplete = paths, complete && !p.Forced && len(p.Commits) < listed
	return push
}
