package notify

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shiplock/shiplock/internal/delivery"
)

// feishu is a custom bot of a group in Feishu or Lark:
// https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
type feishu struct{}

// feishuLimit is for the whole body, of which the frame takes the rest.
const feishuLimit = 20<<10 - 2<<10

func (feishu) name() string { return "Feishu" }
func (feishu) path() string { return "/open-apis/bot/v2/hook/" }

type feishuBody struct {
	Timestamp string     `json:"timestamp,omitempty"`
	Sign      string     `json:"sign,omitempty"`
	Type      string     `json:"msg_type"`
	Card      feishuCard `json:"card"`
}

type feishuCard struct {
	Config   map[string]bool `json:"config"`
	Header   feishuHeader    `json:"header"`
	Elements []any           `json:"elements"`
}

type feishuHeader struct {
	Template string     `json:"template"`
	Title    feishuText `json:"title"`
}

type feishuText struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

type feishuBlock struct {
	Tag  string     `json:"tag"`
	Text feishuText `json:"text"`
}

type feishuActions struct {
	Tag     string         `json:"tag"`
	Actions []feishuButton `json:"actions"`
}

// feishuButton opens a page: a group's bot has no other buttons.
type feishuButton struct {
	Tag  string     `json:"tag"`
	Text feishuText `json:"text"`
	URL  string     `json:"url"`
	Type string     `json:"type"`
}

func (feishu) message(b bot, c card, now time.Time) (string, any) {
	body := feishuBody{Type: "interactive", Card: feishuCard{
		Config: map[string]bool{"wide_screen_mode": true},
		Header: feishuHeader{
			Template: map[tone]string{plain: "blue", good: "green", bad: "red", attention: "orange"}[c.tone],
			Title:    feishuText{"plain_text", strings.TrimSpace(c.watermark + " " + clip(inert(c.title), 120))},
		},
	}}
	text := fitting(feishuLimit, func(n int) string { return feishuMarkdown(c.clipped(n)) })
	body.Card.Elements = []any{feishuBlock{"div", feishuText{"lark_md", cmp.Or(text, "Shiplock")}}}
	if c.link != "" {
		body.Card.Elements = append(body.Card.Elements, feishuActions{"action", []feishuButton{
			{Tag: "button", Text: feishuText{"plain_text", c.linkText}, URL: c.link, Type: "default"},
		}})
	}
	if b.sign != "" {
		body.Timestamp = strconv.FormatInt(now.Unix(), 10)
		body.Sign = feishuSign(b.sign, body.Timestamp)
	}
	return b.url.String(), body
}

func feishuMarkdown(c card) string {
	var b strings.Builder
	for _, l := range c.lines {
		if l.label != "" {
			fmt.Fprintf(&b, "**%s** ", l.label)
		}
		b.WriteString(l.text + "\n")
	}
	for _, id := range c.mention {
		fmt.Fprintf(&b, "<at id=%s></at>", id)
	}
	return strings.TrimSpace(b.String())
}

// feishuSign is the signature of an empty message under timestamp and key; timestamp
// are seconds, and may be an hour off.
func feishuSign(key, timestamp string) string {
	mac := hmac.New(sha256.New, []byte(timestamp+"\n"+key))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (feishu) judge(answer []byte) (string, error) {
	var a struct {
		Code *int   `json:"code"`
		Msg  string `json:"msg"`
		// Older bots answer in these words when all is well.
		StatusCode *int   `json:"StatusCode"`
		Status     string `json:"StatusMessage"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Code == nil && a.StatusCode == nil {
		return "", unreadable("Feishu")
	}
	if a.Code == nil {
		a.Code, a.Msg = a.StatusCode, a.Status
	}
	return judgeCode("Feishu", *a.Code, a.Msg, map[int]verdict{
		11232: {delivery.Unavailable, "Feishu has heard enough for now", 30 * time.Second},
		19001: {delivery.NotFound, "Feishu knows no such bot: set the channel's urlSecret to the address in the bot's settings", 0},
		19002: {delivery.Invalid, "Feishu cannot read the message", 0},
		19007: {delivery.Denied, "the bot is switched off in Feishu: switch it on in the group's settings", 0},
		19021: {delivery.Denied, "Feishu does not accept the signature: set the channel's signSecret to the key in the bot's settings, and see that the server's clock is right", 0},
		19022: {delivery.Denied, "Feishu does not let this server's address in: add it to the bot's IP allowlist", 0},
		19024: {delivery.Denied, "the message has none of the bot's keywords: use a signature instead of keywords", 0},
		9499:  {delivery.Invalid, "Feishu cannot read the message", 0},
	})
}
