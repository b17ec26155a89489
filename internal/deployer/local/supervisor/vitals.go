package supervisor

import "time"

// healthFailures in a row make a healthy instance unhealthy.
const healthFailures = 3

// vitals judges one running instance by its probes.
type vitals struct {
	every  time.Duration // between probes, once healthy
	ready  bool
	once   bool // was healthy in this life
	probes int
	fails  int
	last   error // of the latest failed probe
}

// note takes the result of a probe. A suspect, whose connection was refused to a
// caller, has used up its chances.
func (v *vitals) note(err error, suspect bool) {
	v.probes++
	if err == nil {
		v.ready, v.once, v.fails, v.last = true, true, 0, nil
		return
	}
	v.fails++
	v.last = err
	if v.fails >= healthFailures || suspect {
		v.ready = false
	}
}

// pause is the time until the next probe.
func (v *vitals) pause() time.Duration {
	switch {
	case !v.once:
		return earlyProbe(v.probes)
	case v.probes == 0: // adopted: is it still well?
		return 0
	}
	return v.every
}
