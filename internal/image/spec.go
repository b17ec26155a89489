package image

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

const (
	defaultInto     = "/home/services"
	defaultPlatform = "linux/amd64"
)

// Spec is the image to build: Base plus the files of Dir.
type Spec struct {
	// Base is the reference of the base image, in any registry.
	Base string
	// With, if set, is the reference of an image whose files are added to the base's,
	// whole and before those of Dir; its configuration counts for nothing.
	With string
	// Dir is the local directory whose content is added.
	Dir string
	// Into is where the content goes, and the working directory; "" is
	// /home/services.
	Into string
	// Dest is the repository to push to. With a tag, the tag is set as well;
	// otherwise the image is known by its digest only.
	Dest string
	// Platform is os/arch[/variant]; "" is linux/amd64 on every machine.
	Platform string
	// Env holds "NAME=value"; it adds to the base's, or replaces.
	Env []string
	// Expose holds TCP ports.
	Expose []int
	// User, if set, is who runs the image: a name, or uid[:gid].
	User string
	// Cmd, if set, replaces the base's command.
	Cmd []string
	// Labels go into the configuration, and as annotations into the manifest.
	// Commit and repository belong here, under their org.opencontainers names.
	Labels map[string]string
	// Created is the time in the image's configuration; zero is 1970, which
	// keeps equal content equal.
	Created time.Time
}

func (s Spec) into() string { return path.Clean(cmp.Or(s.Into, defaultInto)) }

func (s Spec) platform() (v1.Platform, error) {
	p, err := v1.ParsePlatform(cmp.Or(s.Platform, defaultPlatform))
	if err != nil || p.OS == "" || p.Architecture == "" {
		return v1.Platform{}, delivery.Wrap(delivery.Invalid, fmt.Sprintf("platform %q is not os/arch, such as linux/amd64", s.Platform), cmp.Or(err, errPlatform))
	}
	return *p, nil
}

var (
	errPlatform = errors.New("incomplete platform")
	envName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	labelName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	userName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
)

// validate refuses what a Dockerfile could not say, so that the text shown and
// the image built never differ.
func (s Spec) validate() error {
	invalid := func(format string, args ...any) error {
		return delivery.E(delivery.Invalid, "image: "+fmt.Sprintf(format, args...))
	}
	if !path.IsAbs(s.into()) || s.into() == "/" || strings.ContainsAny(s.Into, " \t\r\n\\\"$") {
		return invalid("%q is not a directory to add to; use an absolute path without spaces", s.Into)
	}
	for _, e := range s.Env {
		name, value, ok := strings.Cut(e, "=")
		if !ok || !envName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return invalid("environment entry %q is not NAME=value on one line", name)
		}
	}
	for _, port := range s.Expose {
		if port < 1 || port > 65535 {
			return invalid("port %d is not between 1 and 65535", port)
		}
	}
	if s.User != "" && !userName.MatchString(s.User) {
		return invalid("user %q is not a name or uid[:gid]", s.User)
	}
	for name, value := range s.Labels {
		if !labelName.MatchString(name) || strings.ContainsAny(value, "\r\n\x00") {
			return invalid("label %q is not a name with a value on one line", name)
		}
	}
	return nil
}

// instruction is one line of the Dockerfile that says the same as the Spec; the
// image keeps them as its history. Only ADD makes a layer.
type instruction struct {
	verb, args string
}

func (i instruction) String() string { return i.verb + " " + i.args }

func (s Spec) instructions() []instruction {
	into := s.into()
	list := []instruction{
		{"WORKDIR", into},
		{"ADD", filepath.Base(s.Dir) + "/ " + strings.TrimSuffix(into, "/") + "/"},
	}
	for _, e := range s.Env {
		name, value, _ := strings.Cut(e, "=")
		list = append(list, instruction{"ENV", name + "=" + quote(value)})
	}
	for _, port := range s.Expose {
		list = append(list, instruction{"EXPOSE", strconv.Itoa(port)})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		list = append(list, instruction{"LABEL", name + "=" + quote(s.Labels[name])})
	}
	if s.User != "" {
		list = append(list, instruction{"USER", s.User})
	}
	if len(s.Cmd) > 0 {
		list = append(list, instruction{"CMD", string(mustJSON(s.Cmd))})
	}
	return list
}

// quote writes a value that a Dockerfile takes as it is, without expansion.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value) + `"`
}
