package main

import (
	"testing"

	"github.com/shiplock/shiplock/internal/delivery"
)

func TestRepoOfAnApp(t *testing.T) {
	lab := forge{hubs: []hub{{name: "gitlab", url: "https://gitlab.example.com"}}}
	both := forge{hubs: append(lab.hubs, hub{name: "github", url: "https://github.com"})}
	cart := delivery.Repo{Forge: "gitlab", ProjectID: "shop/cart", Path: "shop/cart", CloneURL: "https://gitlab.example.com/shop/cart.git"}
	for setting, want := range map[string]delivery.Repo{
		"shop/cart": cart,
		"https://gitlab.example.com/shop/cart.git": cart,
		"https://git.example.org/shop/cart.git":    {CloneURL: "https://git.example.org/shop/cart.git"},
		"git@git.example.org:shop/cart.git":        {CloneURL: "git@git.example.org:shop/cart.git"},
	} {
		if got, err := lab.Repo(setting); err != nil || got != want {
			t.Errorf("%s: %+v, %v", setting, got, err)
		}
	}
	want := delivery.Repo{Forge: "github", ProjectID: "shop/cart", Path: "shop/cart", CloneURL: "https://github.com/shop/cart"}
	if got, err := both.Repo("https://github.com/shop/cart"); err != nil || got != want {
		t.Errorf("on GitHub: %+v, %v", got, err)
	}
	for name, f := range map[string]forge{"without a forge": {}, "with two forges": both} {
		if _, err := f.Repo("shop/cart"); delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%s, namespace/name is %v", name, err)
		}
	}
}
