package gitlab

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Parse reads one delivery; its id is the same for a delivery and its retries. A note
// says in one line why the delivery is of no interest: the hook is then good
// for its repository only, and must be answered 2xx, for GitLab disables a hook that fails
// four times. A push with an empty After tells that the branch or tag was deleted.
//
// The error is Invalid: the body is not what GitLab sends.
func (*Hooks) Parse(header http.Header, body []byte) (h delivery.Hook, note string, err error) {
	h = delivery.Hook{ID: deliveryID(header, body), Forge: Name}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return h, "", delivery.Wrap(delivery.Invalid,
			"the hook's body is not GitLab's JSON; set the webhook's content type to application/json and no custom template", forge.Short(err))
	}
	h.Push.Repo = p.repo()
	if kind := p.kind(header.Get("X-Gitlab-Event")); kind != "push" && kind != "tag push" {
		return h, kind + ": of no interest", nil
	}
	h.Push = p.push()
	note, err = forge.Accept("GitLab", p.Ref, p.CheckoutSHA, &h.Push)
	return h, note, err
}

// kind names the event in words of the log. System hooks send their kind in the
// body only, and some of them as event_name.
func (p *payload) kind(event string) string {
	kind := p.ObjectKind
	if kind == "" {
		kind = p.EventName
	}
	if kind == "" {
		kind = strings.TrimSuffix(strings.ToLower(event), " hook")
	}
	kind = strings.ReplaceAll(kind, "_", " ")
	if kind == "" {
		return "unnamed event"
	}
	return forge.Clip(forge.Printable(kind), 64)
}

// deliveryID prefers what GitLab keeps stable over retries: webhook-id (19.0),
// Idempotency-Key (17.4, the same value). X-Gitlab-Event-UUID names the event and
// is shared by the hooks that one event set off, hence the digest beside it.
func deliveryID(header http.Header, body []byte) string {
	if id := forge.ID(header, "Webhook-Id", "Idempotency-Key"); id != "" {
		return id
	}
	digest := forge.Digest(header.Get("X-Gitlab-Event"), body)
	if id := forge.ID(header, "X-Gitlab-Event-Uuid"); id != "" && len(id) <= maxEvent {
		return id + "-" + digest
	}
	return digest
}

// maxEvent leaves room for a digest in an id of 128 bytes.
const maxEvent = 128 - 65
