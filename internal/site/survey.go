package site

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Bounds of the look at what is served.
const (
	maxSurveyed = 500_000 // files
	maxHtaccess = 1 << 20 // bytes
)

// survey looks through the folder: which pages there are, and which folders their
// authors have closed to the world.
func (s *Site) survey() error {
	s.denied = make(denials)
	pages, files := 0, 0
	err := fs.WalkDir(s.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > maxSurveyed {
			return fs.SkipAll
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".html") {
			pages++
		}
		if d.Name() == ".htaccess" && d.Type().IsRegular() {
			return s.readHtaccess(name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look through %s: %w", s.Root, err)
	}
	if s.PHP == nil {
		return s.chooseFallback(pages)
	}
	return nil
}

func (s *Site) readHtaccess(name string) error {
	f, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if says := readAccess(f); says != nothingSaid {
		s.denied[path.Dir(name)] = says
	}
	return nil
}

func (s *Site) chooseFallback(pages int) error {
	index := s.regular("index.html")
	switch s.Fallback {
	case FallbackNone:
	case FallbackAuto, "":
		switch {
		case s.regular("200.html"):
			s.fallback = "200.html"
		case index && pages == 1:
			s.fallback = "index.html"
		}
	default:
		name, ok := cleaned("/" + s.Fallback)
		if !ok || !s.regular(name) {
			return delivery.E(delivery.Invalid, fmt.Sprintf("the fallback page %s is not in %s: correct SITE_FALLBACK", s.Fallback, s.Root))
		}
		s.fallback = name
	}
	if !index && s.fallback == "" && pages == 0 {
		return delivery.E(delivery.Invalid, fmt.Sprintf("%s holds no page: the build must leave an index.html there", s.Root))
	}
	return nil
}

// access is what an .htaccess file says of its folder.
type access int

const (
	nothingSaid access = iota
	granted
	refused
)

// denials are the folders that say something about who may see them.
type denials map[string]access

// has tells whether a path is in a closed folder: the innermost word counts.
func (d denials) has(p string) bool {
	if len(d) == 0 {
		return false
	}
	for dir := p; ; dir = path.Dir(dir) {
		switch d[dir] {
		case granted:
			return false
		case refused:
			return true
		}
		if dir == "." || dir == "/" {
			return false
		}
	}
}

// readAccess reads whether an .htaccess file closes its folder to everybody, in
// the words of Apache 2.2 and 2.4. Nothing else of the file is heeded.
func readAccess(r io.Reader) access {
	says, within := nothingSaid, 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxHtaccess)
	for lines.Scan() {
		words := strings.Fields(strings.ToLower(lines.Text()))
		if len(words) == 0 {
			continue
		}
		switch line := strings.Join(words, " "); {
		case strings.HasPrefix(line, "</files"), strings.HasPrefix(line, "</limit"), strings.HasPrefix(line, "</if>"):
			within = max(0, within-1)
		case strings.HasPrefix(line, "<files"), strings.HasPrefix(line, "<limit"), strings.HasPrefix(line, "<if "):
			within++
		case within > 0:
		case line == "deny from all", line == "require all denied":
			return refused
		case line == "allow from all", line == "require all granted":
			says = granted
		}
	}
	return says
}
