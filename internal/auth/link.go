package auth

import "github.com/shiplock/shiplock/internal/delivery"

// Link makes a code that Redeem accepts once, within 15 minutes and only from this
// process.
func (k *Keeper) Link(a delivery.Actor, g delivery.Grants) string {
	secret := newSecret(codePrefix)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep()
	k.codes[Hash(secret)] = code{actor: a, grants: g, expires: k.cfg.Now().Add(codeLife)}
	return secret
}

// Redeem uses a code up. Denied when it is none, was used, or is too old.
func (k *Keeper) Redeem(secret string) (delivery.Actor, delivery.Grants, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h := Hash(secret)
	c, ok := k.codes[h]
	delete(k.codes, h)
	if !ok || k.cfg.Now().After(c.expires) {
		return delivery.Actor{}, delivery.Grants{}, errCode
	}
	return c.actor, c.grants, nil
}

// sweep bounds the codes that nobody came for.
func (k *Keeper) sweep() {
	now := k.cfg.Now()
	for h, c := range k.codes {
		if len(k.codes) >= maxCodes || now.After(c.expires) {
			delete(k.codes, h)
		}
	}
}
