package main

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestRepoOfAnApp(t *testing.T) {
	hub := forge{gitlabURL: "https://gitlab.example.com"}
	for setting, want := range map[string]delivery.Repo{
		"shop/cart": {ProjectID: "shop/cart", Path: "shop/cart", CloneURL: "https://gitlab.example.com/shop/cart.git"},
		"https://gitlab.example.com/shop/cart.git": {ProjectID: "shop/cart", Path: "shop/cart", CloneURL: "https://gitlab.example.com/shop/cart.git"},
		"https://git.example.org/shop/cart.git":    {CloneURL: "https://git.example.org/shop/cart.git"},
		"git@git.example.org:shop/cart.git":        {CloneURL: "git@git.example.org:shop/cart.git"},
	} {
		if got, err := hub.Repo(setting); err != nil || got != want {
			t.Errorf("%s: %+v, %v", setting, got, err)
		}
	}
	if _, err := (forge{}).Repo("shop/cart"); delivery.KindOf(err) != delivery.Invalid {
		t.Errorf("without a GitLab, namespace/name is %v", err)
	}
}
