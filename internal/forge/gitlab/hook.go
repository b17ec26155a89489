package gitlab

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// ParseHook reads one delivery. id is the same for a delivery and its retries.
// push is nil for what is of no interest, and note then says why in one line; such
// a hook must be answered 2xx, for GitLab disables a hook that fails four times.
// A push with an empty After tells that the branch was deleted.
//
// The error is Invalid: the body is not what GitLab sends.
func ParseHook(header http.Header, body []byte) (id string, push *delivery.Push, note string, err error) {
	id = deliveryID(header, body)
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return id, nil, "", delivery.Wrap(delivery.Invalid,
			"the hook's body is not GitLab's JSON; set the webhook's content type to application/json and no custom template", err)
	}
	kind := p.kind(header.Get("X-Gitlab-Event"))
	if kind != "push" {
		return id, nil, kind + ": of no interest", nil
	}
	branch, isBranch := strings.CutPrefix(p.Ref, "refs/heads/")
	if !isBranch && strings.HasPrefix(p.Ref, "refs/") {
		return id, nil, "push outside refs/heads: of no interest", nil
	}
	if !isBranch {
		branch = ""
	}
	if err := p.check(branch); err != nil {
		return id, nil, "", err
	}
	if p.Before == p.After {
		return id, nil, "test push that changes nothing: of no interest", nil
	}
	return id, p.push(branch), "", nil
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
	return clip(printable(kind), 64)
}

const maxID = 128

// deliveryID prefers what GitLab keeps stable over retries: webhook-id (19.0),
// Idempotency-Key (17.4, the same value). X-Gitlab-Event-UUID names the event and
// is shared by the hooks that one event set off, hence the digest beside it.
func deliveryID(header http.Header, body []byte) string {
	for _, name := range []string{"Webhook-Id", "Idempotency-Key"} {
		if id := header.Get(name); id != "" && len(id) <= maxID && id == printable(id) {
			return id
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", header.Get("X-Gitlab-Event"))
	h.Write(body)
	digest := hex.EncodeToString(h.Sum(nil))
	if id := header.Get("X-Gitlab-Event-Uuid"); id != "" && len(id) <= maxID-65 && id == printable(id) {
		return id + "-" + digest
	}
	return digest
}

// VerifyToken compares the hook's X-Gitlab-Token with every secret in constant
// time; several may be valid while one is being replaced. The error is Denied.
// Empty secrets never match.
func VerifyToken(header http.Header, secrets []string) error {
	got := sha256.Sum256([]byte(header.Get("X-Gitlab-Token")))
	match := 0
	for _, s := range secrets {
		want := sha256.Sum256([]byte(s))
		equal := subtle.ConstantTimeCompare(got[:], want[:])
		if s != "" {
			match |= equal
		}
	}
	if match == 0 {
		return delivery.E(delivery.Denied, "the hook's secret token does not match; set the webhook's secret token in GitLab to the one configured here")
	}
	return nil
}
