package gitlab_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/forge"
	"github.com/shiplock/shiplock/internal/forge/gitlab"
)

// The reference vector of the Standard Webhooks' own libraries.
const (
	vectorKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID   = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime = 1614265330
	vectorBody = `{"test": 2432232314}`
	vectorSign = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

	otherKey = "whsec_c2VjcmV0LW9mLWFub3RoZXItaG9vaw=="
	wrong    = "v1,AAAASsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestVerifySignature(t *testing.T) {
	for name, c := range map[string]struct {
		secrets string
		change  func(http.Header)
		skew    time.Duration
		body    string
		ok      bool
	}{
		"the vector":                 {ok: true},
		"a clock 4 minutes ahead":    {skew: 4 * time.Minute, ok: true},
		"a clock 4 minutes behind":   {skew: -4 * time.Minute, ok: true},
		"a replay":                   {skew: 6 * time.Minute},
		"of the future":              {skew: -6 * time.Minute},
		"another body":               {body: `{"test": 2432232315}`},
		"another id":                 {change: set("Webhook-Id", "msg_other")},
		"no id":                      {change: set("Webhook-Id", "")},
		"another time":               {change: set("Webhook-Timestamp", strconv.Itoa(vectorTime+1))},
		"no time":                    {change: set("Webhook-Timestamp", "soon")},
		"another key":                {secrets: otherKey},
		"one of two keys":            {secrets: otherKey + " " + vectorKey, ok: true},
		"one of two signatures":      {change: set("Webhook-Signature", wrong+" "+vectorSign), ok: true},
		"a later version beside it":  {change: set("Webhook-Signature", "v1a,xyz "+vectorSign), ok: true},
		"only a later version":       {change: set("Webhook-Signature", "v2"+vectorSign[2:])},
		"no base64":                  {change: set("Webhook-Signature", "v1,?")},
		"no signature and no token":  {change: set("Webhook-Signature", "")},
		"migration: token only":      {secrets: vectorKey + " tok", change: token("", "tok"), ok: true},
		"migration: both":            {secrets: vectorKey + " tok", change: token(vectorSign, "tok"), ok: true},
		"a token does not heal":      {secrets: vectorKey + " tok", change: token(wrong, "tok")},
		"signed, we know the token":  {secrets: "tok", change: token(vectorSign, "tok"), ok: true},
		"signed, we know no key":     {secrets: "tok"},
		"the key sent as a token":    {change: token("", vectorKey)},
		"an empty secret is no door": {secrets: "", change: token("", "")},
	} {
		t.Run(name, func(t *testing.T) {
			secrets := strings.Fields(c.secrets)
			if c.secrets == "" && !strings.HasPrefix(name, "an empty") {
				secrets = []string{vectorKey}
			}
			header := http.Header{
				"Webhook-Id": {vectorID}, "Webhook-Timestamp": {strconv.Itoa(vectorTime)}, "Webhook-Signature": {vectorSign},
			}
			if c.change != nil {
				c.change(header)
			}
			if c.body == "" {
				c.body = vectorBody
			}
			hooks, err := gitlab.NewHooks(secrets, func() time.Time { return time.Unix(vectorTime, 0).Add(c.skew) })
			if err != nil {
				t.Fatal(err)
			}
			err = hooks.Verify(header, []byte(c.body))
			if (err == nil) != c.ok || err != nil && delivery.KindOf(err) != delivery.Denied {
				t.Errorf("%v, want accepted: %v", err, c.ok)
			}
		})
	}
}

func set(name, value string) func(http.Header) {
	return func(h http.Header) { h.Set(name, value) }
}

func token(signature, token string) func(http.Header) {
	return func(h http.Header) {
		h.Set("Webhook-Signature", signature)
		h.Set("X-Gitlab-Token", token)
	}
}

func TestNewHooksRefusesABadSigningToken(t *testing.T) {
	for _, secret := range []string{"whsec_", "whsec_?"} {
		if _, err := gitlab.NewHooks([]string{secret}, time.Now); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s: %v, want Invalid", secret, err)
		}
	}
}

// A signature of one who knows the key is always taken, whatever id and body are;
// nobody else's is.
func FuzzVerify(f *testing.F) {
	f.Add(vectorID, []byte(vectorBody), vectorSign)
	f.Add("a.b", []byte{}, "v1,")
	f.Fuzz(func(t *testing.T, id string, body []byte, forged string) {
		hooks, err := gitlab.NewHooks([]string{vectorKey}, func() time.Time { return time.Unix(vectorTime, 0) })
		if err != nil {
			t.Fatal(err)
		}
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(vectorKey, "whsec_"))
		good := "v1," + base64.StdEncoding.EncodeToString(forge.MAC(key, []byte(id+"."+strconv.Itoa(vectorTime)+"."), body))
		header := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.Itoa(vectorTime)}, "Webhook-Signature": {good}}
		if err := hooks.Verify(header, body); (err == nil) != (id != "") {
			t.Errorf("id %q: %v", id, err)
		}
		header.Set("Webhook-Signature", forged)
		if err := hooks.Verify(header, body); err == nil && !strings.Contains(forged, good) {
			t.Errorf("%q was taken for a signature", forged)
		}
	})
}
