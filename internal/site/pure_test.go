package site

import (
	"strings"
	"testing"
)

func TestHashed(t *testing.T) {
	for name, want := range map[string]bool{
		"index-BT3k_x7Q.js": true, "main.3f2a9c1b.css": true, "main.3f2a9c1b.chunk.js": true, "2f9c4a1be0d7.png": true, "app-4f3c2b1a.js.map": true,
		"index-DiwrgTda.js": false, "report-20240101.pdf": false, "my-background.png": false, "logo-HomePage.png": false, "jquery-3.7.1.min.js": false,
		"index.html": false, "page.3f2a9c1b.html": false, "bootstrap.bundle.min.js": false, "noextension": false, ".x": false, "deadbeef.txt": false,
		"IMG_20240101.jpg": false, "facade.css": false, "a-1234567890.js": false,
	} {
		if got := hashed(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestHtaccess(t *testing.T) {
	for text, want := range map[string]access{
		"Require all denied\n": refused,
		"<IfModule mod_authz_core.c>\n  Require all denied\n</IfModule>\n<IfModule !mod_authz_core.c>\nOrder allow,deny\nDeny from all\n</IfModule>": refused,
		"order deny,allow\nDENY  from   all":                              refused,
		"<Files *.md>\nRequire all denied\n</Files>\nRewriteEngine on":    nothingSaid,
		"<FilesMatch \"x\">\nDeny from all\n</FilesMatch>\nDeny from all": refused,
		"Allow from all": granted, "# Deny from all": nothingSaid, "": nothingSaid,
		strings.Repeat("x", 2<<20): nothingSaid,
	} {
		if got := readAccess(strings.NewReader(text)); got != want {
			t.Errorf("%.60q: %d", text, got)
		}
	}
	d := denials{"data": refused, "data/public": granted, "inc": refused}
	for p, want := range map[string]bool{
		"data": true, "data/x/y": true, "data/public/x": false, "inc/a.php": true, "index.php": false, ".": false, "database": false,
	} {
		if d.has(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
	if !(denials{".": refused}).has("x") {
		t.Error("the root's own file closes nothing")
	}
}
