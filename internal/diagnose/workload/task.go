package workload

import (
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/diagnose"
	"github.com/shiplock/shiplock/internal/diagnose/said"
)

// JudgeTask returns what keeps a Job of one pod that is not tried again from its end, nil
// when nothing does, and whether it has failed or cannot start. Of the evidence the pods
// are the Job's, and there is no Deployment.
func JudgeTask(job *batchv1.Job, e Evidence, now time.Time) (cause *delivery.Cause, failed bool) {
	j := judge{Evidence: e, now: now}
	if has(job, batchv1.JobComplete) != nil {
		return nil, false
	}
	f := j.task(job)
	if f == nil {
		return nil, false
	}
	c := f.cause()
	return &c, j.givenUp(f.code, []finding{*f}) || has(job, batchv1.JobFailed) != nil
}

// has is a condition of the Job that is true.
func has(job *batchv1.Job, kind batchv1.JobConditionType) *batchv1.JobCondition {
	if job == nil {
		return nil
	}
	i := slices.IndexFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool { return c.Type == kind && c.Status == corev1.ConditionTrue })
	if i < 0 {
		return nil
	}
	return &job.Status.Conditions[i]
}

func (j judge) task(job *batchv1.Job) *finding {
	pods := newest(j.Pods)
	if c := has(job, batchv1.JobFailed); c != nil && c.Reason == batchv1.JobReasonDeadlineExceeded {
		return j.tooLong(job, pods, c.Message)
	}
	for _, p := range pods {
		if f := (pod{Pod: p, judge: j}).task(); f != nil {
			return f
		}
	}
	if c := has(job, batchv1.JobFailed); c != nil {
		return &finding{code: TaskLost, args: given("message", said.Line(c.Message)), words: []string{said.Line(c.Message)}}
	}
	if job != nil {
		for _, e := range j.about("Job", job.Name, "FailedCreate") {
			f := j.refused("the pods", job.Namespace, strings.TrimPrefix(e.Message, "Error creating: "), said.Seen(e))
			return &f
		}
	}
	return nil
}

// tooLong is a Job whose time was over: its pod was ended then, and may be gone.
func (j judge) tooLong(job *batchv1.Job, pods []*corev1.Pod, words string) *finding {
	f := &finding{code: TaskDeadline, args: delivery.Args{}, words: []string{said.Line(words)}}
	if limit := job.Spec.ActiveDeadlineSeconds; limit != nil {
		f.args["limit"] = (time.Duration(*limit) * time.Second).String()
	}
	for _, p := range pods {
		f.crash = &diagnose.Crash{Output: j.Logs[Log{Pod: p.Name, Container: j.App}], Roots: home}
		break
	}
	return f
}

// task is what is wrong with the pod of a Job: once it has ended, nothing replaces it.
func (p pod) task() *finding {
	if !ended(p.Pod) {
		return p.finding()
	}
	if p.Status.Phase == corev1.PodSucceeded {
		return nil
	}
	if f := p.gone(); f != nil {
		if f.code != Disk {
			f.code = TaskLost
		}
		return f
	}
	for _, s := range p.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			f := p.died(s, *t)
			if f != nil && (f.code == Crashed || f.code == Sidecar) {
				f.code = TaskFailed
			}
			return f
		}
	}
	return nil
}
