package checkup

import (
	"fmt"

	"github.com/shiplock/shiplock/internal/delivery"
)

// The oldest versions of Kubernetes, by their minor number: builds need services beside
// them, releases what is applied server-side.
const (
	oldestForBuilds   = 29
	oldestForReleases = 30
)

func (all *findings) builds(f Facts) {
	const area = "builds"
	if f.Builds == nil {
		if f.InPod {
			all.add(delivery.LevelWarn, area, "doctor.builds_inside", nil)
			return
		}
		all.add(delivery.LevelOK, area, "doctor.builds_local", nil)
		return
	}
	b := *f.Builds
	if !all.place(area, b.Place, oldestForBuilds) {
		return
	}
	all.rights(area, b.Space, "shiplock cluster builds")
	if b.Refused != nil {
		all.add(delivery.LevelBad, area, "doctor.builds_refused", delivery.Args{"namespace": b.Namespace, "reason": line(b.Refused)})
	} else {
		all.add(delivery.LevelOK, area, "doctor.builds", delivery.Args{"namespace": b.Namespace})
	}
	for _, q := range b.Quotas {
		if q.Part >= crowded {
			all.add(delivery.LevelWarn, area, "doctor.quota", delivery.Args{"quota": q.Name, "resource": q.Resource, "used": q.Used, "hard": q.Hard})
		}
	}
}

func (all *findings) cluster(c Cluster) {
	area := "cluster " + c.Name
	if !all.place(area, c.Place, oldestForReleases) {
		return
	}
	for _, e := range c.Environments {
		area := "environment " + e.Name
		if e.Refused != nil {
			all.add(delivery.LevelBad, area, "doctor.namespace_refused", delivery.Args{"namespace": e.Namespace, "reason": line(e.Refused)})
		}
		all.rights(area, e.Space, "shiplock cluster rbac --namespace "+e.Namespace)
	}
}

// Away is why a cluster cannot be worked with; nil when it can.
func Away(p Place) *delivery.Cause {
	if p.Err == nil {
		return nil
	}
	c := delivery.Because("doctor.cluster_away", delivery.Args{"cluster": p.Host, "reason": line(p.Err)})
	return &c
}

// place tells whether there is a cluster to look at further.
func (all *findings) place(area string, p Place, oldest int) bool {
	args := delivery.Args{"cluster": p.Host, "version": p.Version}
	if p.Err != nil {
		args["reason"] = line(p.Err)
		all.add(delivery.LevelBad, area, "doctor.cluster_away", args)
		return false
	}
	var minor int
	if _, err := fmt.Sscanf(p.Version, "v1.%d", &minor); err == nil && minor < oldest {
		args["least"] = fmt.Sprintf("1.%d", oldest)
		all.add(delivery.LevelWarn, area, "doctor.cluster_old", args)
	} else {
		all.add(delivery.LevelOK, area, "doctor.cluster", args)
	}
	if p.Timed {
		all.clock(area, "doctor.clock_cluster", p.Skew)
	}
	return true
}

func (all *findings) rights(area string, s Space, mend string) {
	args := delivery.Args{"namespace": s.Namespace}
	switch {
	case s.RightsErr != nil:
		args["reason"] = line(s.RightsErr)
		all.add(delivery.LevelWarn, area, "doctor.rights_unknown", args)
	case len(s.Missing) > 0:
		args["rights"], args["command"] = some(s.Missing), mend
		all.add(delivery.LevelBad, area, "doctor.rights_missing", args)
	default:
		all.add(delivery.LevelOK, area, "doctor.rights", args)
	}
}
