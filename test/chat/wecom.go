package chat

import (
	"net/http"
	"regexp"
	"slices"
)

var weComTag = regexp.MustCompile(`</?font[^>]*>`)

type weComMessage struct {
	Type string `json:"msgtype"`
	Text *struct {
		Content string   `json:"content"`
		Users   []string `json:"mentioned_list"`
		Mobiles []string `json:"mentioned_mobile_list"`
	} `json:"text"`
	Markdown *struct {
		Content string `json:"content"`
	} `json:"markdown"`
}

func (g *Group) weCom(r *http.Request, body []byte, p *Post) *refusal {
	if r.URL.Path != "/cgi-bin/webhook/send" || r.URL.Query().Get("key") != g.Token {
		return &refusal{93000, "invalid webhook url, hint: [1760000000], more info at https://open.work.weixin.qq.com"}
	}
	if _, minute := g.spoken(); minute > 20 {
		return &refusal{45009, "api freq out of limit"}
	}
	var m weComMessage
	if !read(r, body, &m) {
		return &refusal{40058, "invalid Request Parameter"}
	}
	limit := 2048
	switch {
	case m.Type == "text" && m.Text != nil && m.Markdown == nil:
		p.Text, p.Mentions = m.Text.Content, slices.Concat(m.Text.Users, m.Text.Mobiles)
	case m.Type == "markdown" && m.Markdown != nil && m.Text == nil:
		p.Text, limit = m.Markdown.Content, 4096
		if anyTag.MatchString(weComTag.ReplaceAllString(p.Text, "")) {
			return &refusal{40058, "somebody else is mentioned"}
		}
	default:
		return &refusal{40008, "invalid message type"}
	}
	switch {
	case p.Text == "":
		return &refusal{44004, "content is empty"}
	case len(p.Text) > limit:
		return &refusal{45002, "message content size exceeds limit"}
	}
	for _, who := range p.Mentions {
		if !slices.Contains(g.Members, who) {
			return &refusal{40058, "nobody is mentioned who is not in the group"}
		}
	}
	return nil
}
