package manifest

import "github.com/shiplock/shiplock/internal/delivery"

// Live is what a cluster has of a Target.
type Live struct {
	Stable, Canary *LiveHalf
	// Serving tells whether there is a Service, and Serve where it points.
	Serving bool
	Serve   Track
	// Prepared says that the command of the wish's release has succeeded.
	Prepared bool
}

// LiveHalf is one Deployment as it is.
type LiveHalf struct {
	Revision delivery.RevisionID
	// Replicas is how many pods it asks for, Ready how many of its newest template may
	// take traffic, and Answering how many of any template.
	Replicas, Ready, Answering int
	// Complete says that all of its pods are of its newest template, and ready.
	Complete bool
}

// maxCanary bounds a canary that shares the traffic, in times of the stable half's
// pods. Since that keeps all of its own, so that it can take everything back at any
// time, a share of more than 75 % would take more; the share is then less than asked.
const maxCanary = 3

// Next is the step that is due from what is live towards a wish. It is the same again
// until the step is done; when it asks for what is there, there is nothing to do but to
// wait for pods.
func Next(d delivery.Desired, l Live) Shape {
	s := Shape{Generation: d.Generation, RestartedAt: d.RestartedAt}
	if d.Prepare != "" && d.Canary != nil && !l.Prepared && !l.has(d.Canary.ID) {
		s.Prepare, s.For = d.Prepare, d.Canary
		d.Canary, d.Share = nil, 0
	}
	switch {
	case d.Stable == nil && d.Canary == nil:
		return s
	case d.Stable == nil:
		return s.alone(*d.Canary, l)
	case d.Canary == nil || d.Canary.ID == d.Stable.ID:
		return s.alone(*d.Stable, l)
	case !d.Warm && d.Share == 0:
		return s.alone(*d.Stable, l)
	case !d.Warm && d.Share == 100:
		return s.alone(*d.Canary, l)
	case l.canaryServes() && l.Canary.Revision != d.Canary.ID:
		return s.alone(*d.Stable, l) // the last release's canary has to be free first
	}
	return s.beside(d, l)
}

// alone has one version, in the Deployment of the App's name, which replaces what is in
// there pod by pod. A canary that serves does so until that is done.
func (s Shape) alone(r delivery.Revision, l Live) Shape {
	s.Stable, s.Serve = &Half{Revision: r, Replicas: full(r, l.Stable)}, l.answering(TrackStable)
	if l.canaryServes() && (l.Stable == nil || l.Stable.Revision != r.ID || !l.Stable.Complete) {
		s.Serve = l.answering(l.Serve)
	}
	s.KeepCanary = l.canaryServes() || s.Serve != TrackStable
	return s
}

// beside has two versions, each in a Deployment of its own.
func (s Shape) beside(d delivery.Desired, l Live) Shape {
	whole := full(*d.Stable, l.Stable)
	s.Stable = &Half{Revision: *d.Stable, Replicas: whole, Floor: whole}
	if n := canarySize(d, whole, l.Canary); n > 0 {
		s.Canary = &Half{Revision: *d.Canary, Replicas: n}
	}
	s.Serve = serve(d, s.Canary, l)
	return s
}

// serve says where the Service is to point while there are two versions.
func serve(d delivery.Desired, canary *Half, l Live) Track {
	switch {
	case d.Share == 0 || canary == nil:
		return l.answering(TrackStable)
	case d.Share < 100:
		return TrackBoth
	case l.Canary != nil && l.Canary.Revision == d.Canary.ID && l.Canary.Ready >= canary.Replicas:
		return TrackCanary
	case !l.Serving:
		return l.answering(TrackStable)
	}
	return l.answering(l.Serve)
}

// answering returns the track, or the other one when only that has pods that answer: a
// version that should not have the traffic is better than none.
func (l Live) answering(t Track) Track {
	stable, canary := l.Stable != nil && l.Stable.Answering > 0, l.Canary != nil && l.Canary.Answering > 0
	switch {
	case t == TrackCanary && !canary && stable:
		return TrackStable
	case t == TrackStable && !stable && canary:
		return TrackCanary
	}
	return t
}

// canarySize is how many pods the canary needs for its share of the traffic, beside
// the whole number of the stable version's.
func canarySize(d delivery.Desired, whole int, canary *LiveHalf) int {
	switch {
	case d.Share == 0 && canary == nil:
		return 0
	case d.Share == 0:
		return canary.Replicas // goes as it is, when the traffic has gone
	case d.Share == 100 && autoscaled(*d.Canary):
		return max(whole, full(*d.Canary, nil))
	case d.Share == 100:
		return full(*d.Canary, nil)
	}
	rest := 100 - d.Share
	return min(max((whole*d.Share+rest/2)/rest, 1), maxCanary*whole)
}

// full is how many pods a version has that takes all traffic.
func full(r delivery.Revision, l *LiveHalf) int {
	least := max(r.Config.Replicas, 1)
	if !autoscaled(r) {
		return least
	}
	bounds := r.Config.Workload.Autoscale
	if bounds.Min > 0 {
		least = bounds.Min
	}
	if l == nil {
		return least
	}
	return min(max(l.Replicas, least), max(bounds.Max, least))
}

func autoscaled(r delivery.Revision) bool {
	return r.Config.Workload != nil && r.Config.Workload.Autoscale.Max > 0
}

// has tells whether there is a Deployment of a revision.
func (l Live) has(r delivery.RevisionID) bool {
	return l.Stable != nil && l.Stable.Revision == r || l.Canary != nil && l.Canary.Revision == r
}

func (l Live) canaryServes() bool {
	return l.Canary != nil && l.Serving && l.Serve != TrackStable
}
