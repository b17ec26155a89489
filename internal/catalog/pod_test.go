package catalog

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shiplock/shiplock/internal/delivery"
)

const pods = `apiVersion: shiplock/v1
kind: Stack
metadata: {name: make-1}
spec:
  language: c
  build:
    image: docker.io/library/gcc:14
    steps: [{name: build, run: make}]
    pod:
      resources:
        requests: {cpu: 0.5, memory: 1Gi}
        limits: {cpu: 2, memory: 1024Mi, nvidia.com/gpu: 1}
      nodeSelector: {pool: builds, example.com/disk: ""}
      tolerations:
        - {key: dedicated, value: builds, effect: NoSchedule}
        - {operator: Exists}
      volumes:
        - {name: licence, path: /opt/licence, secret: licence.txt, readOnly: true}
        - {name: tmp, path: /cached, empty: 2Gi, memory: true}
      pullSecrets: [registry]
      services:
        - {name: db, image: "postgres:16", args: [-c, fsync=off], env: {PORT: "5432"}, port: 5432, resources: {limits: {memory: 512Mi}}}
  variants:
    - {name: arm, branch: "*+arm", build: {pod: {volumes: [], resources: {limits: {}}, nodeSelector: {pool: arm}}}}
---
apiVersion: shiplock/v1
kind: App
metadata: {name: shop}
spec:
  repo: mall/shop
  build: {resources: {limits: {memory: 8Gi}}, timeout: 1h}
  environments: {prod: {build: {timeout: 2h}}}
---
apiVersion: shiplock/v1
kind: Environment
metadata: {name: prod}
spec:
  build: {timeout: 3h, nodeSelector: {zone: a}, tolerations: [{key: spot}], resources: {}}
`

// Numbers are read as they were written, and what is empty is as not written.
func TestPodsAreRead(t *testing.T) {
	parsed, err := Parse("pods.yaml", []byte(pods))
	if err != nil {
		t.Fatal(err)
	}
	var stack delivery.Stack
	if err := decode(parsed[0].Document, &stack); err != nil {
		t.Fatal(err)
	}
	want := delivery.BuildPod{
		Resources: delivery.Resources{
			Requests: map[string]delivery.Quantity{"cpu": "0.5", "memory": "1Gi"},
			Limits:   map[string]delivery.Quantity{"cpu": "2", "memory": "1024Mi", "nvidia.com/gpu": "1"},
		},
		NodeSelector: map[string]string{"pool": "builds", "example.com/disk": ""},
		Tolerations:  []delivery.Toleration{{Key: "dedicated", Value: "builds", Effect: "NoSchedule"}, {Operator: "Exists"}},
		Volumes: []delivery.PodVolume{
			{Name: "licence", Path: "/opt/licence", Secret: "licence.txt", ReadOnly: true},
			{Name: "tmp", Path: "/cached", Empty: "2Gi", Memory: true},
		},
		PullSecrets: []string{"registry"},
		Services: []delivery.PodService{{
			Name: "db", Image: "postgres:16", Args: []string{"-c", "fsync=off"}, Env: map[string]string{"PORT": "5432"}, Port: 5432,
			Resources: delivery.Resources{Limits: map[string]delivery.Quantity{"memory": "512Mi"}},
		}},
	}
	if diff := cmp.Diff(want, stack.Build.Pod); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	variant := delivery.BuildPod{NodeSelector: map[string]string{"pool": "arm"}}
	if diff := cmp.Diff(variant, stack.Variants[0].Build.Pod); diff != "" {
		t.Errorf("the variant's pod (-want +got):\n%s", diff)
	}
}

// A document's printed form is read as the same document, from a file and by the API.
func TestPodsRoundTrip(t *testing.T) {
	parsed, err := Parse("pods.yaml", []byte(pods))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parsed {
		again, err := Parse("printed.json", wholeDocument(t, p.Document))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again[0].Document.Spec, p.Document.Spec) {
			t.Errorf("from a file %s came back as\n%s", p.Document.Spec, again[0].Document.Spec)
		}
		sent, problems := recheck(p.Document)
		if len(problems) > 0 || !bytes.Equal(sent.Spec, p.Document.Spec) {
			t.Errorf("by the API %s came back as\n%s\n%v", p.Document.Spec, sent.Spec, problems)
		}
	}
}

// Every built-in stack says in which image it builds, with bounds for memory and disk.
func TestBuiltinStacksBuildInPods(t *testing.T) {
	set, err := NewSet(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range set.Stacks {
		r := s.Build.Pod.Resources
		if s.Build.Image == "" || r.Requests["cpu"] == "" || r.Requests["memory"] == "" || r.Limits["memory"] == "" || r.Limits["ephemeral-storage"] == "" || r.Limits["cpu"] != "" {
			t.Errorf("%s builds in %q with %+v", name, s.Build.Image, r)
		}
	}
}
