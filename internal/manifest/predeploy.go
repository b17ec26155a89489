package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// Migration is the command that goes before a Release's first instance.
type Migration struct {
	App, Env, Team string
	Generation     int64
	Release        delivery.ReleaseID
	Revision       delivery.Revision
}

// PreDeploy returns what runs the Migration, in the order in which to apply it; the Job
// is the last one. It is nothing for a Revision without one. The same Release gives the
// same objects: applied twice it runs once, as long as the Job is there. A pod that
// fails, or is lost, fails the Job: whether a half-done migration may be begun again is
// not for us to say.
func PreDeploy(p Place, m Migration) ([]Object, error) {
	r := renderer{p, Shape{App: m.App, Env: m.Env, Team: m.Team, Generation: m.Generation}}
	pod := r.pod(m.Revision)
	if pod.workload.PreDeploy.Run == "" {
		return nil, nil
	}
	if err := pod.check(); err != nil {
		return nil, err
	}
	var list []typed
	if files := r.filesOf(pod); files != nil {
		list = append(list, files)
	}
	objects, err := plain(append(list, r.job(m, pod)))
	if err != nil || m.Revision.Config.Manifests == "" {
		return objects, err
	}
	l := layer{half: half{renderer: r, Half: Half{Revision: m.Revision}, track: TrackStable, pod: pod}}
	before, err := l.before(objects[len(objects)-1])
	return append(before, objects...), err
}

// before are the objects of the App's own manifests that its Job refers to, which it is
// made to do by their names. Nothing else of them concerns the Job.
func (l *layer) before(job Object) (objects []Object, err error) {
	if l.own, err = readOwn(l.Revision); err != nil {
		return nil, err
	}
	l.configs = l.contentNames(job)
	renameConfigs(job.Object, l.configs)
	all, err := l.others()
	return slices.DeleteFunc(all, func(o Object) bool {
		named := slices.Contains(slices.Collect(maps.Values(l.configs)), o.GetName())
		return o.GetKind() != "ServiceAccount" && !(o.GetKind() == "ConfigMap" && named)
	}), err
}

// PreDeployName is the name of a Release's Job.
func PreDeployName(app string, r delivery.ReleaseID) string {
	sum := sha256.Sum256([]byte(r))
	return app + "-predeploy-" + hex.EncodeToString(sum[:])[:10]
}

func (r renderer) job(m Migration, p pod) *batchv1.Job {
	w := p.workload.PreDeploy
	spec := p.spec(p.container("/bin/sh", "-ec", w.Run))
	spec.RestartPolicy = corev1.RestartPolicyNever
	spec.TerminationGracePeriodSeconds = new(int64(seconds(p.workload.Grace.Or(delivery.DefaultGrace))))
	spec.Containers[0].Ports = nil

	j := &batchv1.Job{TypeMeta: kind("batch/v1", "Job"), ObjectMeta: r.meta(PreDeployName(r.App, m.Release))}
	j.Labels = with(j.Labels, LabelRevision, m.Revision.ID.Short())
	j.Annotations[AnnotationRelease], j.Annotations[AnnotationRevision] = string(m.Release), string(m.Revision.ID)
	// The App's Service takes every pod with the label app: this one must have none.
	pods := with(labels(r.App, r.Env, r.Team), LabelRevision, m.Revision.ID.Short())
	delete(pods, "app")
	j.Spec = batchv1.JobSpec{
		BackoffLimit:          new(int32(0)),
		ActiveDeadlineSeconds: new(int64(seconds(w.Timeout.Or(delivery.DefaultPreDeploy)))),
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: pods, Annotations: map[string]string{AnnotationRelease: string(m.Release), AnnotationRevision: string(m.Revision.ID)}},
			Spec:       spec,
		},
	}
	return j
}
