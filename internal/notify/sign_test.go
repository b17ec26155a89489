package notify

import "testing"

// The vendors' formulas, computed elsewhere: they change the roles of key and message.
func TestSignatures(t *testing.T) {
	const key = "SECd41d8cd98f00b204"
	if got := feishuSign(key, "1760000000"); got != "jhNHZyPKiu2UTM5YVIjSwyipkBbZ4bac6rpSnGoirAs=" {
		t.Errorf("Feishu: %s", got)
	}
	if got := dingTalkSign(key, "1760000000000"); got != "5qO/WnOHuUlcd7SNk4AasYRzSBhL8H4sgNhy/BnheMY=" {
		t.Errorf("DingTalk: %s", got)
	}
}
