package gitea

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Hooks reads the deliveries of a Gitea, Forgejo or Gogs.
type Hooks struct{ secrets []string }

// NewHooks returns a reader of deliveries signed with one of the secrets.
func NewHooks(secrets []string) *Hooks { return &Hooks{secrets} }

// first returns the header of the sender's own family: Gitea and Forgejo send those
// of their ancestors too.
func first(header http.Header, what string) string {
	return cmp.Or(header.Get("X-Gitea-"+what), header.Get("X-Forgejo-"+what), header.Get("X-Gogs-"+what))
}

// Screen is Denied when the header alone shows that the sender knows no secret.
func (*Hooks) Screen(header http.Header) error {
	if first(header, "Signature") == "" {
		return delivery.E(delivery.Denied, "the hook is not signed; set the webhook's secret in Gitea to the one configured here")
	}
	return nil
}

// Verify is Denied unless the JSON was signed with a secret; in a form it is the field
// that is signed, not the form. It compares in constant time.
func (h *Hooks) Verify(header http.Header, body []byte) error {
	if err := h.Screen(header); err != nil {
		return err
	}
	data, err := forge.JSONBody(header, body)
	if err != nil || !forge.MatchHexMAC(first(header, "Signature"), data, h.secrets) {
		return delivery.E(delivery.Denied, "the hook's signature does not match; set the webhook's secret in Gitea to the one configured here")
	}
	return nil
}

// Parse reads one delivery; its id is the same for a delivery and its retries. A note
// says in one line why the delivery is of no interest: the hook is then good for
// its repository only. A push with an empty After tells that the branch or tag was
// deleted.
//
// The error is Invalid: the body is not what Gitea sends.
func (*Hooks) Parse(header http.Header, body []byte) (h delivery.Hook, note string, err error) {
	event := first(header, "Event")
	id := forge.ID(header, "X-Gitea-Delivery", "X-Forgejo-Delivery", "X-Gogs-Delivery")
	h = delivery.Hook{ID: cmp.Or(id, forge.Digest(event, body)), Forge: Name}
	data, err := forge.JSONBody(header, body)
	if err != nil {
		return h, "", err
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return h, "", delivery.Wrap(delivery.Invalid, "the hook's body is not Gitea's JSON", forge.Short(err))
	}
	h.Push.Repo = p.repo()
	switch event {
	case "push":
		h.Push = p.push()
		note, err = forge.Accept("Gitea", p.Ref, p.HeadCommit.ID, &h.Push)
		return h, note, err
	case "delete":
		return p.deleted(h)
	}
	return h, forge.Event(event) + ": of no interest", nil
}

// deleted reads the event of its own that tells of a deleted branch or tag. Its ref is
// a bare name.
func (p *payload) deleted(h delivery.Hook) (delivery.Hook, string, error) {
	if err := forge.CheckRef("Gitea", p.Ref, h.Push.Repo); err != nil {
		return h, "", err
	}
	h.Push.Pusher = p.pusher()
	if p.RefType == "branch" {
		h.Push.Branch = p.Ref
	} else {
		h.Push.Tag = p.Ref
	}
	return h, "", nil
}
