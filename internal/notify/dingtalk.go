package notify

import (
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

// dingTalk is a custom robot of a group in DingTalk:
// https://open.dingtalk.com/document/robots/custom-robot-access
type dingTalk struct{}

// dingTalkLimit is for the text; the whole body may be 20,000 bytes.
const dingTalkLimit = 15_000

func (dingTalk) name() string { return "DingTalk" }
func (dingTalk) path() string { return "/robot/send" }

type dingTalkBody struct {
	Type     string           `json:"msgtype"`
	Markdown dingTalkMarkdown `json:"markdown"`
	At       dingTalkAt       `json:"at"`
}

// dingTalkMarkdown has a title for the list of chats.
type dingTalkMarkdown struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// dingTalkAt mentions whom the text names too.
type dingTalkAt struct {
	Mobiles []string `json:"atMobiles"`
	Users   []string `json:"atUserIds"`
	All     bool     `json:"isAtAll"`
}

func (dingTalk) message(b bot, c card, now time.Time) (string, any) {
	body := dingTalkBody{Type: "markdown", At: dingTalkAt{Mobiles: []string{}, Users: []string{}}}
	for _, id := range c.mention {
		if isMobile(id) {
			body.At.Mobiles = append(body.At.Mobiles, id)
		} else {
			body.At.Users = append(body.At.Users, id)
		}
	}
	body.Markdown.Title = strings.TrimSpace(c.watermark + " " + clip(inert(c.title), 60))
	body.Markdown.Text = fitting(dingTalkLimit, func(n int) string { return dingTalkText(c.clipped(n)) })
	target := b.url
	if b.sign != "" {
		at := strconv.FormatInt(now.UnixMilli(), 10)
		q := target.Query()
		q.Set("timestamp", at)
		q.Set("sign", dingTalkSign(b.sign, at)) // Encode escapes it
		target.RawQuery = q.Encode()
	}
	return target.String(), body
}

func dingTalkText(c card) string {
	parts := []string{"### " + c.title}
	if c.watermark != "" {
		parts = []string{"# " + c.watermark, parts[0]}
	}
	for _, l := range c.lines {
		if l.label == "" {
			parts = append(parts, "- "+l.text)
		} else {
			parts = append(parts, fmt.Sprintf("**%s** %s", l.label, l.text))
		}
	}
	if c.link != "" {
		parts = append(parts, fmt.Sprintf("[%s](%s)", c.linkText, c.link))
	}
	if len(c.mention) > 0 {
		parts = append(parts, "@"+strings.Join(c.mention, " @"))
	}
	return strings.Join(parts, "\n\n")
}

// dingTalkSign signs timestamp and key under the key; timestamp are milliseconds, and may
// be an hour off.
func dingTalkSign(key, timestamp string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + "\n" + key))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// isMobile tells a phone number from the id of a user.
func isMobile(id string) bool {
	digits := strings.TrimPrefix(id, "+")
	return len(digits) >= 5 && strings.Trim(digits, "0123456789-") == ""
}

// dingTalkPenalty is how long DingTalk limits a robot that has said too much.
const dingTalkPenalty = 10 * time.Minute

func (dingTalk) judge(answer []byte) (string, error) {
	var a struct {
		Code *int   `json:"errcode"`
		Msg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Code == nil {
		return "", unreadable("DingTalk")
	}
	return judgeCode("DingTalk", *a.Code, a.Msg, map[int]verdict{
		-1:     {delivery.Unavailable, "DingTalk is busy", 0},
		130101: {delivery.Unavailable, "DingTalk has heard enough for ten minutes", dingTalkPenalty},
		410100: {delivery.Unavailable, "DingTalk has heard enough for ten minutes", dingTalkPenalty},
		400013: {delivery.NotFound, "the group is dissolved in DingTalk: remove the channel, or set its urlSecret to another robot's address", 0},
		400101: {delivery.NotFound, "DingTalk knows no such robot: set the channel's urlSecret to the address in the robot's settings", 0},
		300001: {delivery.NotFound, "DingTalk knows no such robot: set the channel's urlSecret to the address in the robot's settings", 0},
		400106: {delivery.NotFound, "DingTalk knows no such robot: set the channel's urlSecret to the address in the robot's settings", 0},
		400102: {delivery.Denied, "the robot is switched off in DingTalk: switch it on in the group's settings", 0},
		310000: {delivery.Denied, "DingTalk does not accept the message: set the channel's signSecret to the key (SEC…) in the robot's settings, see that the server's clock is right, and use no keywords or addresses there that do not fit", 0},
	})
}
