package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

const maxMentions = 2000

var (
	chatID    = pattern(`^[A-Za-z0-9_.@$:+/=-]{1,64}$`)
	chatPhone = pattern(`^\+?[0-9-]{5,20}$`)
)

func checkChannel(name string, c delivery.Channel, bad report) {
	if name != "" {
		bad.err("metadata.name", delivery.CheckLabel("a channel", name))
	}
	vendors := make([]string, 0, 3)
	for _, v := range delivery.ChatVendors() {
		vendors = append(vendors, string(v))
	}
	if c.Vendor == "" {
		bad("spec.vendor", "vendor is missing: write feishu, dingtalk or wecom")
	}
	bad.oneOf("spec.vendor", string(c.Vendor), vendors...)
	checkChannelSecrets(c, bad)
	bad.selector("spec.scope", c.Scope)
	checkEvents(c.Events, bad)
	checkMentions(c, bad)
	bad.oneOf("spec.language", string(c.Language), string(phrase.English), string(phrase.Chinese))
	checkQuiet(c.Quiet, bad)
}

func checkChannelSecrets(c delivery.Channel, bad report) {
	if c.URLSecret == "" {
		bad("spec.urlSecret", "urlSecret is missing: keep the bot's address with `shiplock secret set NAME`, and write that name")
	} else {
		bad.secretName("spec.urlSecret", c.URLSecret)
	}
	if c.SignSecret != "" {
		bad.secretName("spec.signSecret", c.SignSecret)
	}
	if c.SignSecret != "" && c.Vendor == delivery.WeCom {
		bad("spec.signSecret", "signSecret has no effect: WeCom's robots do not sign, and their address is the secret")
	}
}

// secretName refuses what is no name, such as a secret itself.
func (bad report) secretName(path, name string) {
	if strings.Contains(name, "://") {
		bad(path, "an address does not belong into the catalog: keep it with `shiplock secret set NAME`, and write that name")
		return
	}
	bad.err(path, delivery.CheckSecretName(name))
}

func checkEvents(events []delivery.ChatEvent, bad report) {
	known := make([]string, 0, len(delivery.ChatEvents()))
	for _, e := range delivery.ChatEvents() {
		known = append(known, string(e))
	}
	for i, e := range events {
		at := fmt.Sprintf("spec.events[%d]", i)
		if e == "" {
			bad(at, "an event is missing: write one of "+strings.Join(known, ", "))
		}
		bad.oneOf(at, string(e), known...)
		if slices.Contains(events[:i], e) {
			bad(at, fmt.Sprintf("%s is there twice: remove one", clip(string(e))))
		}
	}
}

func checkMentions(c delivery.Channel, bad report) {
	if len(c.Mentions) > maxMentions {
		bad("spec.mentions", fmt.Sprintf("there are %d mentions, and may be %d", len(c.Mentions), maxMentions))
	}
	for who, id := range c.Mentions {
		switch at := join("spec.mentions", who); {
		case who == "" || len(who) > 254 || strings.ContainsAny(who, "\n\x00"):
			bad(keyOf("spec.mentions", who), fmt.Sprintf("%q is nobody: write an e-mail address, or a name", clip(who)))
		case !chatID(id):
			bad(at, fmt.Sprintf("%q is nobody's id: write what the vendor calls the person", clip(id)))
		case c.Vendor == delivery.Feishu && chatPhone(id):
			bad(at, "Feishu's bots cannot mention by phone number: write the person's open_id (ou_…) or user_id")
		}
	}
}

func checkQuiet(q delivery.QuietHours, bad report) {
	if q == (delivery.QuietHours{}) {
		return
	}
	_, err := findZone(q.Zone)
	bad.err("spec.quiet.zone", err)
	if q.From == q.To {
		bad("spec.quiet.to", "the quiet hours begin and end at the same time: write when they end")
	}
}

// checkChannels holds Channels to the Environments that there are, and to a bot each,
// whose limits they would share unknowingly.
func (s *Set) checkChannels(of func(kind, name string) report) {
	bots := map[string]string{}
	for _, name := range sorted(s.Channels) {
		c, bad := s.Channels[name], of(KindChannel, name)
		if other, taken := bots[c.URLSecret]; taken {
			bad("spec.urlSecret", fmt.Sprintf("the bot is Channel %s's: add another bot to the group, since each may only speak so often", clip(other)))
		}
		bots[c.URLSecret] = name
		for i, e := range c.Scope.Environments {
			if _, ok := s.Environments[e]; !ok {
				bad(fmt.Sprintf("spec.scope.environments[%d]", i), fmt.Sprintf("there is no Environment %q%s", clip(e), DidYouMean(e, keys(s.Environments))))
			}
		}
	}
}
