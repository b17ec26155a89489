package main

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

// The demo's lines are translated behind their app's name; evidence is not.
func TestSpoken(t *testing.T) {
	for in, want := range map[string]string{
		"go-hello        asked 25 %, measured 25.0 % of 400 requests, 0 failed": "go-hello        目标 25 %，400 个请求中实测 25.0 %，失败 0 个",
		"go-hello        deploy to prod: 25 %（第 1 批，共 2 批）, paused":             "go-hello        部署到 prod：25 %（第 1 批，共 2 批），已暂停",
		"go-hello          | ./handler.go:16:19: undefined: healthy":            "go-hello          | ./handler.go:16:19: undefined: healthy",
		"go-hello      (go) repository http://x, one document in the catalog":   "go-hello      （go）仓库 http://x，目录中有一个文档",
		"\n  Log in with it:":   "\n  用它登录：",
		"  bin/shiplock status": "  bin/shiplock status",
	} {
		if got := spoken(phrase.Chinese, in); got != want {
			t.Errorf("%q\nbecomes %q\nwant    %q", in, got, want)
		}
		if got := spoken(phrase.English, in); got != in {
			t.Errorf("English changes %q to %q", in, got)
		}
	}
}
