package site

import (
	"path"
	"slices"
	"strings"
)

// script is a PHP file that answers a path, and what of the path comes after it.
type script struct {
	name, info string
}

const (
	phpIndex = "index.php"
	composer = "vendor"
)

// script finds the script that a path names: its first part that is one. A part
// counts only when it is a file itself, so that nothing else is ever executed.
func (s *Site) script(p, asked string) (script, bool) {
	for end := 0; end < len(p); {
		next := strings.IndexByte(p[end:], '/')
		if next < 0 {
			next = len(p) - end
		}
		end += next
		if name := p[:end]; path.Ext(name) == ".php" && s.regular(name) {
			return script{name, p[end:] + trailing(p, asked)}, executable(name)
		}
		end++
	}
	return script{}, false
}

// trailing is the slash that cleaning took off a path.
func trailing(p, asked string) string {
	if strings.HasSuffix(asked, "/") && path.Ext(p) != ".php" {
		return "/"
	}
	return ""
}

// executable leaves out what Composer installed: libraries, of which none is meant
// to be asked by the world.
func executable(name string) bool {
	return !strings.HasPrefix(name, composer+"/") && !strings.Contains(name, "/"+composer+"/")
}

// Sources and records of an app that is served from its own folder. They are never
// sent as files.
var (
	secretKinds = []string{
		".php", ".php3", ".php4", ".php5", ".php7", ".php8", ".phtml", ".phar", ".phps", ".inc", ".module", ".twig", ".neon",
		".log", ".sql", ".sqlite", ".sqlite3", ".db", ".bak", ".orig", ".old", ".save", ".swp", ".dist", ".lock",
		".sh", ".ini", ".yml", ".yaml", ".conf", ".pem", ".key",
	}
	secretNames = []string{"composer.json", "package.json", "package-lock.json", "phpunit.xml", "dockerfile", "makefile"}
)

// secret tells whether a file is for the app's own eyes.
func secret(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasSuffix(base, "~") || slices.Contains(secretKinds, path.Ext(base)) || slices.Contains(secretNames, base)
}
