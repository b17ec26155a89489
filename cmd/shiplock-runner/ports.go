package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/git"
	"github.com/shiplock/shiplock/internal/image"
	"github.com/shiplock/shiplock/internal/runner"
)

func checkout(ctx context.Context, dir string, c api.Clone) error {
	err := git.Checkout(ctx, git.Options{
		Remote: git.Remote{URL: c.URL, Username: c.Username, Token: c.Password},
		SHA:    c.SHA, Branch: c.Branch, Dir: dir,
	})
	if c.Withheld != "" && delivery.KindOf(err) == delivery.Denied {
		return delivery.Wrap(delivery.Denied, c.Withheld, err)
	}
	return err
}

// makeImage is the runner's way to images.
func makeImage(ctx context.Context, r runner.ImageRequest) (delivery.Artifact, error) {
	client := image.New(image.Config{
		Registry: registryOf(r),
		CacheDir: r.Facts, TempDir: r.TempDir,
	})
	result, err := build(ctx, client, r)
	if err != nil {
		return delivery.Artifact{}, err
	}
	what := "Pushed "
	if result.Unchanged {
		what = "Unchanged: "
	}
	r.Say(what + result.Ref)
	return delivery.Artifact{Digest: delivery.Digest(result.Digest), Repository: r.Push.Repository, Size: result.Size}, nil
}

// registryOf says how the registry is spoken to, with the login of now.
func registryOf(r runner.ImageRequest) image.Registry {
	host, _, _ := strings.Cut(r.Push.Registry, "/")
	return image.Registry{
		Host: host, PlainHTTP: r.Push.PlainHTTP, CA: []byte(r.Push.CA),
		Login: func(ctx context.Context, _ string) (image.Login, error) {
			l, err := r.Login(ctx)
			return image.Login{Username: l.Username, Password: l.Password, Token: l.Token}, err
		},
	}
}

func build(ctx context.Context, c *image.Client, r runner.ImageRequest) (image.Result, error) {
	if r.Plan.Artifact == delivery.ArtifactPackage {
		return c.BuildPackage(ctx, image.Package{Dir: r.Dir, Dest: r.Push.Registry + "/" + r.Push.Repository, Labels: r.Push.Labels})
	}
	return c.Build(ctx, spec(r))
}

// spec is what the plan's Dockerfile says, in the assembler's terms.
func spec(r runner.ImageRequest) image.Spec {
	s := image.Spec{
		Base: r.Plan.Base, With: r.Plan.With, Dir: r.Dir, Into: r.Plan.Home,
		Dest: r.Push.Registry + "/" + r.Push.Repository, Labels: r.Push.Labels, Cmd: []string{"./start.sh"},
	}
	for _, name := range slices.Sorted(maps.Keys(r.Plan.Env)) {
		s.Env = append(s.Env, name+"="+r.Plan.Env[name])
	}
	if r.Plan.Port > 0 {
		s.Expose = []int{r.Plan.Port}
	}
	return s
}
