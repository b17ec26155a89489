package kubernetes

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/delivery"
)

// brought are manifests of an App with one of each kind.
const brought = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {spec: {serviceAccountName: reader, containers: [{name: shop, envFrom: [{configMapRef: {name: settings}}], resources: {limits: {cpu: 0.5}}}]}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {COLOR: blue}}
---
{apiVersion: v1, kind: Service, metadata: {name: inner}, spec: {selector: {app: shop}, ports: [{port: 81}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: inner}, spec: {defaultBackend: {service: {name: inner, port: {number: 81}}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "${image}"}]}}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: closed}, spec: {podSelector: {}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteMany]}}
`

// What an App brings is neither behind nor drift once it is there. It goes with the
// version that had it: what pods use with the last of them, and claims never.
func TestWhatAnAppBrings(t *testing.T) {
	s := &settled{t: t, wish: delivery.Desired{Generation: 7, Stable: new(revised(nil, brought))}}
	s.apply()
	if p := s.plan(true); p.behind() || len(p.drift()) > 0 {
		t.Errorf("behind: %v, drift: %+v", p.behind(), p.drift())
	}
	var pod corev1.Pod
	pod.Spec = s.live.stable.Spec.Template.Spec
	s.live.pods = []*corev1.Pod{&pod}
	s.wish = delivery.Desired{Generation: 8, Stable: new(revised(nil, ""))}
	surplus := func() (all []string) {
		for _, o := range s.plan(false).surplus {
			name := o.GetName()
			if kindName(o) == "ConfigMap" {
				name = "" // by its content
			}
			all = append(all, id(kindName(o), name))
		}
		return all
	}
	if got, want := surplus(), []string{"CronJob/nightly", "Ingress/inner", "NetworkPolicy/closed", "Service/inner"}; !slices.Equal(got, want) {
		t.Errorf("while a pod uses some of it, %v goes, want %v", got, want)
	}
	s.live.pods = nil
	if got, want := surplus(), []string{"ConfigMap/", "CronJob/nightly", "Ingress/inner", "NetworkPolicy/closed", "Service/inner", "ServiceAccount/reader"}; !slices.Equal(got, want) {
		t.Errorf("without its pods %v goes, want %v", got, want)
	}
}
