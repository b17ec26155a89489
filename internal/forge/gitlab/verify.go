package gitlab

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
)

// Hooks reads the deliveries of a GitLab.
type Hooks struct {
	tokens []string // secret tokens
	keys   [][]byte // signing keys
	now    func() time.Time
}

// signingPrefix is that of the tokens that GitLab signs with, since 19.0.
const signingPrefix = "whsec_"

// tolerance is how far the sender's clock may be from ours, as the Standard Webhooks
// say; an older delivery is a replay.
const tolerance = 5 * time.Minute

// NewHooks returns a reader of deliveries made by one who knows one of the secrets:
// signing tokens (whsec_…) or secret tokens. The error is Invalid.
func NewHooks(secrets []string, now func() time.Time) (*Hooks, error) {
	h := &Hooks{now: now}
	for _, s := range secrets {
		encoded, signs := strings.CutPrefix(s, signingPrefix)
		if !signs {
			h.tokens = append(h.tokens, s)
			continue
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) == 0 {
			return nil, delivery.E(delivery.Invalid, "a signing token of GitLab's hooks is not whsec_ and base64: copy it again")
		}
		h.keys = append(h.keys, key)
	}
	return h, nil
}

// signed tells whether the delivery stands by its signature. GitLab sends signature
// and token both while one replaces the other; without a key we go by the token.
func (h *Hooks) signed(header http.Header) bool {
	return header.Get("Webhook-Signature") != "" && len(h.keys) > 0
}

// Screen is Denied when the header alone shows that the sender knows no secret.
func (h *Hooks) Screen(header http.Header) error {
	if h.signed(header) {
		return h.fresh(header)
	}
	if !forge.MatchSecret(header.Get("X-Gitlab-Token"), h.tokens) {
		return delivery.E(delivery.Denied, "the hook's secret token does not match; set the webhook's secret token in GitLab to the one configured here")
	}
	return nil
}

// Verify is Denied unless the sender knows a secret, and signed this very body with
// it when it signs. It compares in constant time.
func (h *Hooks) Verify(header http.Header, body []byte) error {
	if err := h.Screen(header); err != nil || !h.signed(header) {
		return err
	}
	if !h.matches(header, body) {
		return delivery.E(delivery.Denied, "the hook's signature does not match; set the webhook's signing token in GitLab to the one configured here")
	}
	return nil
}

// matches implements https://www.standardwebhooks.com: base64 of the HMAC-SHA256 of
// id.timestamp.body, behind "v1,". There may be several signatures, one for each key.
func (h *Hooks) matches(header http.Header, body []byte) bool {
	signed := []byte(header.Get("Webhook-Id") + "." + header.Get("Webhook-Timestamp") + ".")
	match := false
	for _, key := range h.keys {
		want := forge.MAC(key, signed, body)
		for signature := range strings.FieldsSeq(header.Get("Webhook-Signature")) {
			encoded, v1 := strings.CutPrefix(signature, "v1,")
			got, err := base64.StdEncoding.DecodeString(encoded)
			equal := hmac.Equal(got, want)
			match = match || v1 && err == nil && equal
		}
	}
	return match
}

func (h *Hooks) fresh(header http.Header) error {
	if header.Get("Webhook-Id") == "" {
		return delivery.E(delivery.Denied, "the signed hook has no webhook-id")
	}
	sent, err := strconv.ParseInt(header.Get("Webhook-Timestamp"), 10, 64)
	if err != nil || h.now().Sub(time.Unix(sent, 0)).Abs() > tolerance {
		return delivery.E(delivery.Denied, "the signed hook is older than 5 minutes, or of the future: set the clocks of GitLab and of this machine")
	}
	return nil
}
