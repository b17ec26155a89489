package main

import (
	"time"

	"github.com/shiplock/shiplock/internal/notify"
)

// chat writes to the channels of the catalog.
func (in *instance) chat() *notify.Sender {
	return notify.New(notify.Config{PublicURL: in.url, Now: time.Now, Secret: in.vault.Open, Transport: in.network.Transport()})
}
