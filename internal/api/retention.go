package api

import "github.com/shiplock/shiplock/internal/delivery"

// RetentionReport is the policy, and what it would do now.
type RetentionReport struct {
	Policy delivery.Retention `json:"policy"`
	// Going and Staying are at most 500 each.
	Going   []delivery.Verdict `json:"going" doc:"what the next pass removes"`
	Staying []delivery.Verdict `json:"staying" doc:"what is older than the policy's age and stays nevertheless"`
	Counts  RetentionCounts    `json:"counts"`
}

// RetentionCounts are of all that the next pass removes.
type RetentionCounts struct {
	Runs      int `json:"runs"`
	Releases  int `json:"releases"`
	Artifacts int `json:"artifacts"`
}

// Count takes a verdict into the counts.
func (r *RetentionReport) Count(v delivery.Verdict) {
	if !v.Go {
		return
	}
	switch v.Kind {
	case delivery.KeptRun:
		r.Counts.Runs++
	case delivery.KeptRelease:
		r.Counts.Releases++
	case delivery.KeptArtifact:
		r.Counts.Artifacts++
	}
}
