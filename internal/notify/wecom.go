package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// weCom is a robot of a group in WeCom, whose address is its only key:
// https://developer.work.weixin.qq.com/document/path/91770
type weCom struct{}

// Bytes of UTF-8 that a message may have.
const (
	weComMarkdown = 4096
	weComText     = 2048
)

func (weCom) name() string { return "WeCom" }
func (weCom) path() string { return "/cgi-bin/webhook/send" }

type weComBody struct {
	Type     string         `json:"msgtype"`
	Markdown *weComContent  `json:"markdown,omitempty"`
	Text     *weComMentions `json:"text,omitempty"`
}

type weComContent struct {
	Content string `json:"content"`
}

type weComMentions struct {
	Content string   `json:"content"`
	Users   []string `json:"mentioned_list,omitempty"`
	Mobiles []string `json:"mentioned_mobile_list,omitempty"`
}

// message is markdown unless somebody is mentioned, which only a plain text can do by
// phone number.
func (weCom) message(b bot, c card, _ time.Time) (string, any) {
	if len(c.mention) == 0 {
		text := fitting(weComMarkdown, func(n int) string { return weComRich(c.clipped(n)) })
		return b.url.String(), weComBody{Type: "markdown", Markdown: &weComContent{text}}
	}
	m := &weComMentions{Content: fitting(weComText, func(n int) string { return weComPlain(c.clipped(n)) })}
	for _, id := range c.mention {
		if isMobile(id) {
			m.Mobiles = append(m.Mobiles, id)
		} else {
			m.Users = append(m.Users, id)
		}
	}
	return b.url.String(), weComBody{Type: "text", Text: m}
}

func weComRich(c card) string {
	var b strings.Builder
	if c.watermark != "" {
		fmt.Fprintf(&b, "# <font color=\"warning\">%s</font>\n", c.watermark)
	}
	fmt.Fprintf(&b, "### %s\n", c.title)
	for _, l := range c.lines {
		if l.label != "" {
			fmt.Fprintf(&b, "> <font color=\"comment\">%s</font> ", l.label)
		}
		b.WriteString(l.text + "\n")
	}
	if c.link != "" {
		fmt.Fprintf(&b, "[%s](%s)", c.linkText, c.link)
	}
	return strings.TrimSpace(b.String())
}

func weComPlain(c card) string {
	lines := []string{strings.TrimSpace(c.watermark + " " + c.title)}
	for _, l := range c.lines {
		lines = append(lines, strings.TrimSpace(l.label+" "+l.text))
	}
	if c.link != "" {
		lines = append(lines, c.link)
	}
	return strings.Join(lines, "\n")
}

func (weCom) judge(answer []byte) (string, error) {
	var a struct {
		Code *int   `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Code == nil {
		return "", unreadable("WeCom")
	}
	return judgeCode("WeCom", *a.Code, a.Msg, map[int]verdict{
		-1:    {delivery.Unavailable, "WeCom is busy", 0},
		45009: {delivery.Unavailable, "WeCom has heard enough for now", time.Minute},
		45033: {delivery.Unavailable, "WeCom has heard enough for now", 5 * time.Second},
		93000: {delivery.NotFound, "WeCom knows no such robot: set the channel's urlSecret to the address in the robot's settings", 0},
		93004: {delivery.Denied, "the robot is switched off in WeCom: switch it on in the group's settings", 0},
		93008: {delivery.Denied, "the robot is not in the group any more: add it again, and set the channel's urlSecret to its address", 0},
		40008: {delivery.Invalid, "WeCom cannot read the message", 0},
		40058: {delivery.Invalid, "WeCom cannot read the message", 0},
		44004: {delivery.Invalid, "WeCom cannot read the message", 0},
		45002: {delivery.Invalid, "WeCom cannot read the message", 0},
	})
}
