package manifest

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/shiplock/shiplock/internal/delivery"
)

func bringing(r delivery.Revision, manifests string) delivery.Revision {
	return remade(r, func(c *delivery.Config) { c.Manifests = manifests })
}

// ownManifests is what a team that has always deployed by itself may bring.
const ownManifests = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: elsewhere
  labels: {tier: web, app: other}
  annotations: {example.com/owner: mall}
spec:
  replicas: 9
  selector: {matchLabels: {app: shop}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: shop, tier: web}}
    spec:
      terminationGracePeriodSeconds: 90
      containers:
        - name: shop
          image: shop:latest
          env:
            - {name: LEVEL, value: debug}
            - {name: LANG, $patch: delete}
          envFrom: [{configMapRef: {name: settings}}]
          ports: [{name: http, containerPort: 9999}, {name: admin, containerPort: 8081}]
          livenessProbe: null
          volumeMounts: [{name: data, mountPath: /data}]
        - name: proxy
          image: registry.example.com/proxy:2
          resources: {requests: {cpu: 0.5}}
      volumes: [{name: data, persistentVolumeClaim: {claimName: shop-data}}]
---
# Nothing here.
---
apiVersion: v1
kind: Service
metadata: {name: shop, annotations: {example.com/lb: internal}}
spec:
  type: NodePort
  selector: {app: shop, tier: web}
  ports: [{name: admin, port: 81, targetPort: admin}]
---
apiVersion: v1
kind: Service
metadata: {name: shop-headless}
spec: {clusterIP: None, selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {COLOR: green}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-public}
data: {notice: nobody refers to this one}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shop-data}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: shop, task: nightly}}
        spec:
          restartPolicy: Never
          containers: [{name: report, image: "${image}", command: [./report], envFrom: [{configMapRef: {name: settings}}]}]
`

func TestOwnManifestsGolden(t *testing.T) {
	old := bringing(revision("sha256:aa"), ownManifests)
	renewed := bringing(revision("sha256:bb"), strings.ReplaceAll(ownManifests, "green", "blue"))
	replaced := bringing(revision("sha256:cc"), `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, annotations: {shiplock.dev/replace: "true"}}
spec: {template: {spec: {containers: [{name: shop, command: [./serve]}]}}}
`)
	for name, s := range map[string]Shape{
		"own-alone":    {Stable: &Half{Revision: old, Replicas: 2}, Serve: TrackStable},
		"own-canary":   {Stable: &Half{Revision: old, Replicas: 3}, Canary: &Half{Revision: renewed, Replicas: 1}, Serve: TrackBoth},
		"own-replaced": {Stable: &Half{Revision: replaced, Replicas: 1}, Serve: TrackStable},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Render(east, shape(s))
			golden(t, name, objects, err)
		})
	}
}

// Both halves of a canary are patched, each by its own revision, and every Service leads
// where the release says.
func TestOwnManifestsInACanary(t *testing.T) {
	old := bringing(revision("sha256:aa"), ownManifests)
	renewed := bringing(revision("sha256:bb"), strings.ReplaceAll(ownManifests, "green", "blue"))
	objects, err := Render(east, shape(Shape{Stable: &Half{Revision: old, Replicas: 3}, Canary: &Half{Revision: renewed, Replicas: 3}, Serve: TrackCanary}))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, o := range objects {
		switch o.GetKind() {
		case "ConfigMap":
			color, _, _ := unstructured.NestedString(o.Object, "data", "COLOR")
			settings[o.GetName()] = color
		case "Service":
			if s, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector"); s["app"] != "shop" || s[LabelTrack] != "canary" || len(s) != 2 {
				t.Errorf("%s selects %v", o.GetName(), s)
			}
		}
	}
	for name, want := range map[string]string{"shop": "green", "shop-canary": "blue"} {
		i := indexOf(objects, "Deployment", name)
		containers, _, _ := unstructured.NestedSlice(objects[i].Object, "spec", "template", "spec", "containers")
		from, _, _ := unstructured.NestedSlice(containerOf(containers, "shop"), "envFrom")
		ref, _, _ := unstructured.NestedString(from[0].(map[string]any), "configMapRef", "name")
		if settings[ref] != want {
			t.Errorf("%s has the settings %s: %q, want %q", name, ref, settings[ref], want)
		}
		if at := indexOf(objects, "ConfigMap", ref); at > i {
			t.Errorf("%s comes after the Deployment that refers to it", ref)
		}
	}
}

func indexOf(objects []Object, kind, name string) int {
	for i, o := range objects {
		if o.GetKind() == kind && o.GetName() == name {
			return i
		}
	}
	return -1
}

func TestManifestsThatCannotBeReleased(t *testing.T) {
	deployment := func(pod string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {template: {spec: {" + pod + "}}}\n"
	}
	for name, c := range map[string]struct{ manifests, says string }{
		"secret":         {"apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n", "refer to it by its name"},
		"stateful set":   {"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: shop}\n", "two versions of it cannot stand side by side"},
		"daemon set":     {"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: shop}\n", "Make it a Deployment named shop"},
		"another one":    {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: worker}\n", "Make another App"},
		"cluster":        {"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", "objects of its namespace"},
		"rights":         {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: shop}\n", "only those may who run the cluster"},
		"old version":    {"apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: shop}\n", "write apiVersion networking.k8s.io/v1"},
		"twice":          {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "stands there twice"},
		"no name":        {"apiVersion: v1\nkind: ConfigMap\n", "needs apiVersion, kind and metadata.name"},
		"no YAML":        {"kind: [", "document 1"},
		"same key twice": {"kind: ConfigMap\nkind: ConfigMap\n", "document 1"},
		"no map":         {"kind: ConfigMap\nmetadata: shop\n", "metadata is no map"},
		"unknown field":  {deployment("contaners: []"), `unknown field "spec.template.spec.contaners"`},
		"wrong type":     {deployment("terminationGracePeriodSeconds: long"), "not as Kubernetes has it"},
		"selector":       {"apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {selector: {tier: web}}\n", "write app: shop"},
		"beside":         {"apiVersion: v1\nkind: Service\nmetadata: {name: redis}\nspec: {selector: {app: redis}}\n", "write app: shop"},
		"too early":      {"apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {publishNotReadyAddresses: true}\n", "not ready"},
		"no autoscaler":  {"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: shop}\n", "set workload.autoscale first"},
		"its name":       {"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: all}\n", "name it shop"},
		"node's network": {deployment("hostNetwork: true"), "remove hostNetwork"},
		"node's folder":  {deployment("volumes: [{name: v, hostPath: {path: /var/lib}}]"), "/var/lib of its node"},
		"node's port":    {deployment("containers: [{name: shop, ports: [{containerPort: 8081, hostPort: 81}]}]"), "port 81 of its node"},
		"privileged":     {deployment("containers: [{name: shop, securityContext: {privileged: true}}]"), "privileged"},
		"no image":       {deployment("containers: [{name: main}]"), "name it shop"},
		"no container":   {deployment("containers: [{name: shop, $patch: delete}]"), "has no container shop"},
		"its claim": {
			deployment("volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]") + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce]}\n",
			"give the claim ReadWriteMany",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(bringing(revision("sha256:aa"), c.manifests))
			if delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the answer is %v, and should say %q", err, c.says)
			}
		})
	}
	if err := Check(bringing(revision("sha256:aa"), ownManifests)); err != nil {
		t.Errorf("what can be released is refused: %v", err)
	}
}

// A command before the release has the settings that the new version has.
func TestPreDeployHasTheManifestsSettings(t *testing.T) {
	r := remade(revision("sha256:aa"), func(c *delivery.Config) {
		c.Manifests = ownManifests
		c.Workload = &delivery.Workload{Config: []delivery.ConfigRef{{ConfigMap: "settings"}}, PreDeploy: delivery.PreDeploy{Run: "./migrate"}}
	})
	objects, err := PreDeploy(east, Migration{App: "shop", Env: "prod", Generation: 12, Release: "0199f1c2-7a70-7000-8000-000000000001", Revision: r})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range objects {
		names = append(names, called(o))
	}
	if len(objects) != 2 || objects[0].GetKind() != "ConfigMap" || objects[1].GetKind() != "Job" {
		t.Fatalf("there are %v", names)
	}
	used := ""
	eachConfig(objects[1].Object, func(ref map[string]any) { used, _ = ref["name"].(string) })
	if used != objects[0].GetName() || used == "settings" {
		t.Errorf("the Job refers to %q, and there is %v", used, names)
	}
}

// What a repository holds is anybody's: it is released, or refused as Invalid.
func FuzzOwnManifests(f *testing.F) {
	f.Add(ownManifests)
	for _, text := range strings.Split(ownManifests, "---\n") {
		f.Add(text)
	}
	f.Add("apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: shop}\nspec: []\n")
	f.Add("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, annotations: [1]}, spec: {podSelector: 1}}")
	f.Fuzz(func(t *testing.T, text string) {
		r := remade(revision("sha256:aa"), func(c *delivery.Config) {
			wishful(c)
			c.Manifests = text
		})
		if err := Check(r); err != nil && delivery.KindOf(err) != delivery.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	})
}
