package workload

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
	"github.com/shiplock/shiplock/internal/diagnose"
)

// Judge returns what keeps the version from running as it should, nil when nothing does,
// and whether it will not become healthy by itself, so that waiting longer is in vain.
func Judge(e Evidence, now time.Time) (cause *delivery.Cause, failed bool) {
	if e.Deployment != nil && e.Deployment.Spec.Replicas != nil && *e.Deployment.Spec.Replicas == 0 {
		return nil, false
	}
	j := judge{Evidence: e, now: now}
	all := j.findings()
	if len(all) == 0 {
		return nil, false
	}
	slices.SortStableFunc(all, byTelling)
	chosen, same := all[0], all[:0:0]
	for _, f := range all {
		if f.code == chosen.code {
			same = append(same, f)
		}
	}
	alive := j.alive()
	concerned := min(len(same), alive)
	if chosen.whole {
		concerned = alive
	}
	if alive > 1 && !chosen.whole {
		chosen.args["bad"], chosen.args["pods"] = strconv.Itoa(concerned), strconv.Itoa(alive)
	}
	worded := chosen.cause()
	return &worded, 2*concerned >= alive && j.givenUp(chosen.code, same)
}

type judge struct {
	Evidence
	now time.Time
}

// finding is one thing that is wrong.
type finding struct {
	code string
	args delivery.Args
	// whole: it concerns the version and not one pod of it.
	whole bool
	// made is when the pod was, and since when this goes on, as far as that is known.
	made, since time.Time
	restarts    int
	// ends: the pod has ended with it, and does not count as one that runs.
	ends bool
	// words are the cluster's own, as evidence.
	words []string
	// crash has what the app itself says of it, where it says anything.
	crash *diagnose.Crash
}

func byTelling(a, b finding) int {
	first, _ := rank(a.code)
	second, _ := rank(b.code)
	return cmp.Or(first-second, b.made.Compare(a.made))
}

// cause words the finding, with what the cluster and then what the app said of it.
func (f finding) cause() delivery.Cause {
	if _, _, ok := phrase.Say(phrase.English, f.code, f.args); !ok {
		f.complete()
	}
	if f.crash == nil {
		c := delivery.Because(f.code, f.args)
		c.Evidence = bounded(f.words)
		return c
	}
	f.crash.Code, f.crash.Args = f.code, f.args
	c := f.crash.Cause()
	if strings.Contains(c.Args["error"], "ermission denied") && c.Args[phrase.AdviceArg] == "" {
		f.args[phrase.AdviceArg] = "pod.user"
		c = f.crash.Cause()
	}
	c.Evidence = bounded(append(bounded(f.words), c.Evidence...))
	return c
}

// complete says of what the cluster did not tell that nobody knows it.
func (f finding) complete() {
	for _, name := range []string{"container", "image", "message", "namespace", "object", "by", "field", "said", "check", "pod", "kind", "name", "command", "exit"} {
		if f.args[name] == "" {
			f.args[name] = "?"
		}
	}
}

func bounded(lines []string) []string { return lines[:min(len(lines), diagnose.MaxEvidence)] }

// findings are all that is wrong.
func (j judge) findings() []finding {
	all := j.replicas()
	for _, p := range newest(j.Pods) {
		if f := (pod{Pod: p, judge: j}).finding(); f != nil {
			f.made = p.CreationTimestamp.Time
			all = append(all, *f)
		}
	}
	if len(all) == 0 && j.late() && j.ready() < j.wanted() {
		all = append(all, j.deadline())
	}
	return all
}

// givenUp tells whether a version with these findings of one code is given up.
func (j judge) givenUp(code string, same []finding) bool {
	_, r := rank(code)
	var lasted time.Duration
	restarts, ends := 0, 0
	for _, f := range same {
		if !f.since.IsZero() {
			lasted = max(lasted, j.now.Sub(f.since))
		}
		restarts = max(restarts, f.restarts)
		if f.ends {
			ends++
		}
	}
	return r.over(lasted, restarts, ends) || j.late() && code != Terminating
}

// alive is how many pods the version has, without those that have ended or are told to.
func (j judge) alive() int {
	n := 0
	for _, p := range j.Pods {
		if p != nil && !ended(p) && p.DeletionTimestamp == nil {
			n++
		}
	}
	return n
}

// ready is how many of them take traffic, and wanted how many there are to be.
func (j judge) ready() int {
	n := 0
	for _, p := range j.Pods {
		if p != nil && !ended(p) && p.DeletionTimestamp == nil && (pod{Pod: p}).ready() {
			n++
		}
	}
	return n
}

func (j judge) wanted() int {
	if j.Deployment == nil || j.Deployment.Spec.Replicas == nil {
		return 1
	}
	return int(*j.Deployment.Spec.Replicas)
}

func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
}

// late tells whether the Deployment itself says that it has made no progress for too
// long.
func (j judge) late() bool {
	c := j.condition(appsv1.DeploymentProgressing)
	return c != nil && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded"
}

// condition is one of the Deployment's, unless it is about an older wish.
func (j judge) condition(kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	d := j.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return nil
	}
	i := slices.IndexFunc(d.Status.Conditions, func(c appsv1.DeploymentCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &d.Status.Conditions[i]
}

func (j judge) deadline() finding {
	args := delivery.Args{}
	if limit := j.Deployment.Spec.ProgressDeadlineSeconds; limit != nil {
		args["limit"] = (time.Duration(*limit) * time.Second).String()
	}
	return finding{code: Deadline, args: args, whole: true, words: []string{j.condition(appsv1.DeploymentProgressing).Message}}
}
