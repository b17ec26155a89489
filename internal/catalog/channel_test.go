package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

func channelYAML(spec string) string {
	return "apiVersion: shiplock/v1\nkind: Channel\nmetadata: {name: room}\nspec: " + spec + "\n"
}

func TestFaultsOfChannels(t *testing.T) {
	for spec, want := range map[string]string{
		`{urlSecret: a}`:                "vendor is missing: write feishu, dingtalk or wecom",
		`{vendor: slack, urlSecret: a}`: `"slack" is not known here`,
		`{vendor: feishu}`:              "urlSecret is missing",
		`{vendor: feishu, urlSecret: "https://open.feishu.cn/x"}`:                                  "an address does not belong into the catalog",
		`{vendor: feishu, urlSecret: A_B}`:                                                         "cannot be the name of a secret",
		`{vendor: wecom, urlSecret: a, signSecret: b}`:                                             "WeCom's robots do not sign",
		`{vendor: feishu, urlSecret: a, events: [finished, finished]}`:                             "finished is there twice",
		`{vendor: feishu, urlSecret: a, events: [done]}`:                                           `"done" is not known here`,
		`{vendor: feishu, urlSecret: a, language: fr}`:                                             `"fr" is not known here`,
		`{vendor: feishu, urlSecret: a, mentions: {ann: "13800000001"}}`:                           "cannot mention by phone number",
		`{vendor: wecom, urlSecret: a, mentions: {ann: "<@all>"}}`:                                 "is nobody's id",
		`{vendor: feishu, urlSecret: a, quiet: {from: "22:00", to: "08:00"}}`:                      "zone is missing",
		`{vendor: feishu, urlSecret: a, quiet: {from: "8", to: "08:00"}}`:                          "is not a time of day",
		`{vendor: feishu, urlSecret: a, quiet: {from: "08:00", to: "08:00", zone: Asia/Shanghai}}`: "begin and end at the same time",
		`{vendor: feishu, urlSecret: a, quiet: {from: "22:00", to: "08:00", zone: GMT+8}}`:         "is not a time zone",
		`{vendor: feishu, urlSecret: a, scope: {apps: ["a b"]}}`:                                   "is not a pattern of branches",
		`{vendor: feishu, urlSecret: a, url: b}`:                                                   "url",
	} {
		_, err := Parse("c.yaml", []byte(channelYAML(spec)))
		if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
}

func TestChannelsOfOneBot(t *testing.T) {
	channel := func(name, env string) delivery.Document {
		return encode(KindChannel, name, delivery.Channel{Vendor: delivery.WeCom, URLSecret: "bot", Scope: delivery.Selector{Environments: []string{env}}})
	}
	s, err := NewSet(1, []delivery.Document{channel("one", "prod"), channel("two", "prd")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`Channel/two: spec.scope.environments[0]: there is no Environment "prd": did you mean "pre"?`,
		`Channel/two: spec.urlSecret: the bot is Channel one's: add another bot to the group, since each may only speak so often`,
	}
	if diff := cmp.Diff(want, strings.Split(s.Check().Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}
