package api

import "github.com/shiplock/shiplock/internal/delivery"

// AuditPage is one page of the audit as it is kept, the oldest first. Next continues
// it, as the parameter "after"; it is 0 at the end.
type AuditPage struct {
	Items []delivery.AuditRecord `json:"items"`
	Next  int64                  `json:"next,omitempty"`
}
