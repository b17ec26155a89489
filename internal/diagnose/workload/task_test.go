package workload_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

func job(kind batchv1.JobConditionType, reason, message string) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "shop-predeploy-1", Namespace: "prod"}}
	j.Spec.ActiveDeadlineSeconds = new(int64(600))
	if kind != "" {
		j.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message}}
	}
	return j
}

func TestJudgeTask(t *testing.T) {
	failing := job(batchv1.JobFailed, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	exceeded := evidence()
	exceeded.Events = []*corev1.Event{event("Job", "shop-predeploy-1", "FailedCreate", `Error creating: pods "shop-predeploy-1-x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=4, limited: pods=4`, time.Minute)}
	for name, c := range map[string]struct {
		job    *batchv1.Job
		pods   workload.Evidence
		code   string
		says   string
		failed bool
	}{
		"nothing yet": {job: job("", "", ""), pods: evidence()},
		"it runs":     {job: job("", "", ""), pods: evidence(pod("shop-1", running, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = true }))},
		"done":        {job: job(batchv1.JobComplete, "", ""), pods: evidence(pod("shop-1", exited(1, 0, "Completed", ""), ending(corev1.PodSucceeded, "", "")))},
		"failed": {
			job: failing, pods: wrote(evidence(pod("shop-1", exited(1, 3, "Error", ""), ending(corev1.PodFailed, "", ""))), false, "error: relation exists"),
			code: workload.TaskFailed, failed: true, says: "the preDeploy command ended with exit code 3: error: relation exists",
		},
		"failed, and its Job does not know yet": {
			job: job("", "", ""), pods: evidence(pod("shop-1", exited(1, 3, "Error", "error: no"), ending(corev1.PodFailed, "", ""))),
			code: workload.TaskFailed, failed: true, says: "the preDeploy command ended with exit code 3: error: no",
		},
		"out of memory": {
			job: failing, pods: evidence(pod("shop-1", exited(1, 137, "OOMKilled", ""), ending(corev1.PodFailed, "", ""))),
			code: workload.Memory, failed: true, says: "out of memory: the container shop used all of its 64Mi",
		},
		"too long": {
			job: job(batchv1.JobFailed, "DeadlineExceeded", "Job was active longer than specified deadline"), pods: evidence(),
			code: workload.TaskDeadline, failed: true, says: "the preDeploy command did not end within 10m0s",
		},
		"lost": {
			job: failing, pods: evidence(pod("shop-1", disrupted("EvictionByEvictionAPI", "Eviction API: evicting"))),
			code: workload.TaskLost, failed: true, says: "the preDeploy command was lost: Eviction API: evicting",
		},
		"its pod is gone": {
			job: failing, pods: evidence(),
			code: workload.TaskLost, failed: true, says: "the preDeploy command was lost: Job has reached the specified backoff limit",
		},
		"no image": {
			job: job("", "", ""), pods: evidence(pod("shop-1", waiting("ErrImagePull", "manifest unknown"))),
			code: workload.ImageMissing, failed: true, says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"quota": {
			job: job("", "", ""), pods: exceeded,
			code: workload.Quota, says: "the quota small of namespace prod is used up for the pods: pods is short by 1 (1 asked for, 4 of 4 used)",
		},
	} {
		c.pods.Deployment, c.pods.ReplicaSets = nil, nil
		cause, failed := workload.JudgeTask(c.job, c.pods, t0)
		if cause == nil {
			if c.code != "" {
				t.Errorf("%s: nothing is wrong", name)
			}
			continue
		}
		if cause.Code != c.code || cause.Text != c.says || failed != c.failed {
			t.Errorf("%s is %s (failed %v): %s\nwant %s (failed %v): %s", name, cause.Code, failed, cause.Text, c.code, c.failed, c.says)
		}
		promised(t, *cause)
	}
	if cause, failed := workload.JudgeTask(nil, workload.Evidence{}, t0); cause != nil || failed {
		t.Errorf("without anything: %v", cause)
	}
}
