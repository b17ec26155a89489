package oidc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/shiplock/shiplock/internal/delivery"
)

// claims are what a provider says, by name.
type claims map[string]any

// read verifies an ID token and says who it is about.
func (p *Provider) read(ctx context.Context, f *found, token *oauth2.Token, nonce string) (delivery.Claims, error) {
	raw, _ := token.Extra("id_token").(string)
	id, err := f.VerifierContext(ctx, &goidc.Config{ClientID: p.cfg.ClientID, Now: p.cfg.Now}).Verify(ctx, raw)
	if err != nil {
		return delivery.Claims{}, delivery.Wrap(delivery.Denied, "the identity provider's word cannot be trusted: begin again, and tell whoever runs Shiplock", err)
	}
	said := claims{}
	if err := id.Claims(&said); err != nil {
		return delivery.Claims{}, delivery.Wrap(delivery.Denied, "the identity provider's word cannot be read", err)
	}
	if err := p.meant(id, said, token, nonce); err != nil {
		return delivery.Claims{}, err
	}
	if err := p.complete(ctx, f, token, id.Subject, said); err != nil {
		return delivery.Claims{}, err
	}
	return p.who(id.Subject, said)
}

// meant refuses an ID token that is of another log-in, or for another program.
func (p *Provider) meant(id *goidc.IDToken, said claims, token *oauth2.Token, nonce string) error {
	party, named := said["azp"]
	switch {
	case !same(nonce, id.Nonce):
		return errStrange
	case (named || len(id.Audience) > 1) && party != p.cfg.ClientID:
		return delivery.E(delivery.Denied, "the identity provider's word is for another program: begin again, and tell whoever runs Shiplock")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return errStrange
	case id.Subject == "":
		return delivery.E(delivery.Denied, "the identity provider does not say who it is")
	}
	return nil
}

// complete asks for the claims that the ID token leaves out.
func (p *Provider) complete(ctx context.Context, f *found, token *oauth2.Token, subject string, said claims) error {
	if f.UserInfoEndpoint() == "" || said.has(p.cfg.UsernameClaim) && said.has(p.cfg.GroupsClaim) && said.has("email") {
		return nil
	}
	info, err := f.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return delivery.Wrap(delivery.Unavailable, "the identity provider does not answer: try again", err)
	}
	more := claims{}
	if err := info.Claims(&more); err != nil || info.Subject != subject {
		return delivery.E(delivery.Denied, "the identity provider speaks of somebody else: begin again, and tell whoever runs Shiplock")
	}
	for name, v := range more {
		if _, there := said[name]; !there {
			said[name] = v
		}
	}
	return nil
}

// who is the person that claims are about.
func (p *Provider) who(subject string, said claims) (delivery.Claims, error) {
	c := delivery.Claims{
		Identity: delivery.Identity{Issuer: p.cfg.Issuer, Subject: subject},
		Name:     strings.ToLower(said.text(p.cfg.UsernameClaim)), DisplayName: said.text("name"), Groups: said.list(p.cfg.GroupsClaim),
	}
	if said["email_verified"] == true || said["email_verified"] == "true" {
		c.Email = said.text("email")
	}
	_, domain, _ := strings.Cut(c.Email, "@")
	switch {
	case len(p.cfg.Domains) > 0 && !slices.ContainsFunc(p.cfg.Domains, func(d string) bool { return strings.EqualFold(d, domain) }):
		return c, delivery.E(delivery.Denied, fmt.Sprintf("only people with a verified e-mail address of %s may sign in", strings.Join(p.cfg.Domains, ", ")))
	case c.Name == "":
		return c, delivery.E(delivery.Denied, fmt.Sprintf("the identity provider says no name (claim %s): ask whoever runs Shiplock", p.cfg.UsernameClaim))
	}
	return c, nil
}

func (c claims) at(path string) any {
	var v any = map[string]any(c)
	if direct, ok := c[path]; ok { // some names are URLs, with dots in them
		return direct
	}
	for name := range strings.SplitSeq(path, ".") {
		inner, _ := v.(map[string]any)
		v = inner[name]
	}
	return v
}

func (c claims) has(path string) bool { return c.at(path) != nil }

func (c claims) text(path string) string {
	s, _ := c.at(path).(string)
	return s
}

// list is of texts; a single one is a list too.
func (c claims) list(path string) []string {
	var out []string
	switch v := c.at(path).(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok && s != "" {
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
