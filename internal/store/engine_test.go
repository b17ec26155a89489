package store_test

import (
	"github.com/shiplock/shiplock/internal/engine"
	"github.com/shiplock/shiplock/internal/store"
)

var _ engine.Store = (*store.Store)(nil)
