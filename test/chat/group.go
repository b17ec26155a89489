// Package chat is a group of people in Feishu, DingTalk or WeCom with a bot in it, as
// strict as the vendors': it checks addresses, signatures and their time, the form and
// the size of what comes, who is mentioned, and how often a bot speaks, and answers with
// the vendors' codes.
package chat

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Group is one group with one bot. The vendor is one of feishu, dingtalk and wecom.
type Group struct {
	Vendor string
	// Token is in the bot's address, and Secret signs; empty is a bot without signature.
	Token, Secret string
	// Members may be mentioned, by their ids and phone numbers.
	Members []string
	Now     func() time.Time
	// URL is the bot's address.
	URL string

	mu      sync.Mutex
	spoke   []time.Time // within the last minute
	limited time.Time   // the end of a penalty
	posts   []Post
	refused []int
	fault   func(w http.ResponseWriter) bool
	taken   func(Post)
	arrived chan struct{} // closed when a post arrives
}

// Post is what the group was told.
type Post struct {
	At time.Time
	// Text is all that people read, and Mentions whom it mentions.
	Text     string
	Mentions []string
	Body     json.RawMessage
}

// New opens a group on a loopback port until the test ends.
func New(t testing.TB, vendor string, members ...string) *Group {
	g := &Group{Vendor: vendor, Token: "bot-0f3a9c51d2", Secret: "SECd41d8cd98f00b204", Members: members, Now: time.Now, arrived: make(chan struct{})}
	if vendor == "wecom" {
		g.Secret = ""
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	g.URL = s.URL + g.path()
	return g
}

func (g *Group) path() string {
	switch g.Vendor {
	case "feishu":
		return "/open-apis/bot/v2/hook/" + g.Token
	case "dingtalk":
		return "/robot/send?access_token=" + g.Token
	}
	return "/cgi-bin/webhook/send?key=" + g.Token
}

// Fault has requests answered otherwise, or, when f returns false, as always; nil ends
// that.
func (g *Group) Fault(f func(w http.ResponseWriter) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fault = f
}

// Taken calls f for each post, after it was taken in and before that is answered; nil ends
// that.
func (g *Group) Taken(f func(Post)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken = f
}

// Down answers like a vendor that is.
func Down(w http.ResponseWriter) bool {
	w.WriteHeader(http.StatusBadGateway)
	return true
}

// Posts lists what the group was told.
func (g *Group) Posts() []Post {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.posts)
}

// Refused lists the codes of what it did not take.
func (g *Group) Refused() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.refused)
}

// Wait returns the first n posts once there are so many, or all after a while.
func (g *Group) Wait(n int, patience time.Duration) []Post {
	end := time.After(patience)
	for {
		g.mu.Lock()
		posts, arrived := slices.Clone(g.posts), g.arrived
		g.mu.Unlock()
		if len(posts) >= n {
			return posts
		}
		select {
		case <-arrived:
		case <-end:
			return posts
		}
	}
}

// refusal is a vendor's code and what it says.
type refusal struct {
	code int
	msg  string
}

func (g *Group) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fault != nil && g.fault(w) {
		return
	}
	post, no := Post{At: g.Now(), Body: body}, (*refusal)(nil)
	if r.Method != http.MethodPost {
		no = &refusal{9499, "method not allowed"}
	}
	if no == nil {
		no = g.check(r, body, &post)
	}
	if no == nil {
		g.posts = append(g.posts, post)
		close(g.arrived)
		g.arrived = make(chan struct{})
		if g.taken != nil {
			g.taken(post)
		}
	} else {
		g.refused = append(g.refused, no.code)
	}
	g.answer(w, no)
}

func (g *Group) check(r *http.Request, body []byte, p *Post) *refusal {
	switch g.Vendor {
	case "feishu":
		return g.feishu(r, body, p)
	case "dingtalk":
		return g.dingTalk(r, body, p)
	}
	return g.weCom(r, body, p)
}

func (g *Group) answer(w http.ResponseWriter, no *refusal) {
	w.Header().Set("Content-Type", "application/json")
	code, msg := 0, map[string]string{"feishu": "success", "dingtalk": "ok", "wecom": "ok"}[g.Vendor]
	if no != nil {
		code, msg = no.code, no.msg
	}
	if g.Vendor == "feishu" {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "msg": msg, "data": map[string]any{}})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"errcode": code, "errmsg": msg})
}

// spoken counts a request, and tells how many there were within the last second and
// minute, this one included.
func (g *Group) spoken() (second, minute int) {
	now := g.Now()
	g.spoke = slices.DeleteFunc(append(g.spoke, now), func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	for _, t := range g.spoke {
		if now.Sub(t) < time.Second {
			second++
		}
	}
	return second, len(g.spoke)
}

// read decodes a body that has nothing that the vendor does not know.
func read(r *http.Request, body []byte, into any) bool {
	if t := r.Header.Get("Content-Type"); len(t) < 16 || t[:16] != "application/json" {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(into) == nil && !d.More()
}

// near tells whether a signature's time may still, and already, be used.
func (g *Group) near(at time.Time) bool { return g.Now().Sub(at).Abs() <= time.Hour }
