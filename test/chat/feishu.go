package chat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	atTag    = regexp.MustCompile(`<at id=([^>]*)></at>`)
	anyTag   = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
	template = []string{"blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo", "grey"}
)

type feishuText struct{ Tag, Content string }

type feishuMessage struct {
	Timestamp string `json:"timestamp"`
	Sign      string `json:"sign"`
	Type      string `json:"msg_type"`
	Card      struct {
		Config struct {
			Wide bool `json:"wide_screen_mode"`
		} `json:"config"`
		Header struct {
			Template string     `json:"template"`
			Title    feishuText `json:"title"`
		} `json:"header"`
		Elements []json.RawMessage `json:"elements"`
	} `json:"card"`
}

func (g *Group) feishu(r *http.Request, body []byte, p *Post) *refusal {
	if r.URL.Path != "/open-apis/bot/v2/hook/"+g.Token {
		return &refusal{19001, "param invalid: incoming webhook access token invalid"}
	}
	if second, minute := g.spoken(); second > 5 || minute > 100 {
		return &refusal{11232, "create message trigger frequency limit"}
	}
	var m feishuMessage
	if len(body) > 20<<10 || !read(r, body, &m) || m.Type != "interactive" {
		return &refusal{9499, "Bad Request"}
	}
	if g.Secret != "" && !g.feishuSigned(m) {
		return &refusal{19021, "sign match fail or timestamp is not within one hour from current time"}
	}
	title := m.Card.Header.Title
	if !slices.Contains(template, m.Card.Header.Template) || title.Tag != "plain_text" || title.Content == "" || len(m.Card.Elements) == 0 {
		return &refusal{9499, "Bad Request: header"}
	}
	p.Text = title.Content
	for _, e := range m.Card.Elements {
		if !g.feishuElement(e, p) {
			return &refusal{9499, "Bad Request: elements"}
		}
	}
	return nil
}

// feishuSigned checks base64(HMAC-SHA256(key = timestamp "\n" secret, message = "")).
func (g *Group) feishuSigned(m feishuMessage) bool {
	seconds, err := strconv.ParseInt(m.Timestamp, 10, 64)
	if err != nil || !g.near(time.Unix(seconds, 0)) {
		return false
	}
	mac := hmac.New(sha256.New, []byte(m.Timestamp+"\n"+g.Secret))
	return hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(m.Sign))
}

func (g *Group) feishuElement(raw json.RawMessage, p *Post) bool {
	var e struct {
		Tag     string
		Text    *feishuText
		Actions []struct {
			Tag, URL, Type string
			Text           feishuText
		}
	}
	if json.Unmarshal(raw, &e) != nil {
		return false
	}
	switch e.Tag {
	case "div":
		if e.Text == nil || e.Text.Tag != "lark_md" || e.Text.Content == "" {
			return false
		}
		p.Text += "\n" + e.Text.Content
		for _, at := range atTag.FindAllStringSubmatch(e.Text.Content, -1) {
			if !slices.Contains(g.Members, at[1]) {
				return false
			}
			p.Mentions = append(p.Mentions, at[1])
		}
		return !anyTag.MatchString(atTag.ReplaceAllString(e.Text.Content, ""))
	case "action":
		for _, a := range e.Actions {
			if u, err := url.Parse(a.URL); a.Tag != "button" || err != nil || !strings.HasPrefix(u.Scheme, "http") || a.Text.Content == "" {
				return false
			}
			p.Text += "\n" + a.Text.Content + " " + a.URL
		}
		return len(e.Actions) > 0
	}
	return false
}
