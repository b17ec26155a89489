package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type dingTalkMessage struct {
	Type     string `json:"msgtype"`
	Markdown struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown"`
	At struct {
		Mobiles []string `json:"atMobiles"`
		Users   []string `json:"atUserIds"`
		All     bool     `json:"isAtAll"`
	} `json:"at"`
}

func (g *Group) dingTalk(r *http.Request, body []byte, p *Post) *refusal {
	q := r.URL.Query()
	if r.URL.Path != "/robot/send" || q.Get("access_token") != g.Token {
		return &refusal{300001, "token is not exist"}
	}
	_, minute := g.spoken()
	if minute > 20 {
		g.limited = g.Now().Add(10 * time.Minute)
	}
	if g.Now().Before(g.limited) {
		return &refusal{130101, "send too fast, exceed 20 times per minute"}
	}
	if g.Secret != "" && !g.dingTalkSigned(q.Get("timestamp"), q.Get("sign")) {
		return &refusal{310000, "sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"}
	}
	var m dingTalkMessage
	switch {
	case len(body) > 20_000:
		return &refusal{460101, "message too long"}
	case !read(r, body, &m) || m.Type != "markdown" || m.Markdown.Title == "" || m.Markdown.Text == "":
		return &refusal{40035, "invalid parameter json"}
	}
	p.Text = m.Markdown.Title + "\n" + m.Markdown.Text
	p.Mentions = slices.Concat(m.At.Mobiles, m.At.Users)
	for _, who := range p.Mentions {
		if !slices.Contains(g.Members, who) || !strings.Contains(m.Markdown.Text, "@"+who) {
			return &refusal{40035, "nobody is mentioned who is not in the text and in the group"}
		}
	}
	if m.At.All || strings.Count(m.Markdown.Text, "@") != len(p.Mentions) {
		return &refusal{40035, "somebody else is mentioned"}
	}
	return nil
}

// dingTalkSigned checks base64(HMAC-SHA256(key = secret, message = timestamp "\n"
// secret)), which the query has escaped.
func (g *Group) dingTalkSigned(timestamp, sign string) bool {
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || !g.near(time.UnixMilli(ms)) {
		return false
	}
	mac := hmac.New(sha256.New, []byte(g.Secret))
	mac.Write([]byte(timestamp + "\n" + g.Secret))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(sign))
}
