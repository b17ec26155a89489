package standard

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/delivery/phrase"
)

type amounts = map[string]delivery.Quantity

func withPods() Input {
	in := plain()
	in.Stack.Build.Image = "plain:1"
	in.Stack.Build.Pod = delivery.BuildPod{
		Resources:    delivery.Resources{Requests: amounts{"cpu": "500m", "memory": "1Gi"}, Limits: amounts{"memory": "4Gi"}},
		NodeSelector: map[string]string{"pool": "builds", "disk": "ssd"},
		Tolerations:  []delivery.Toleration{{Key: "dedicated", Value: "builds", Effect: "NoSchedule"}},
		Volumes:      []delivery.PodVolume{{Name: "licence", Path: "/opt/licence", Secret: "licence", ReadOnly: true}, {Name: "tmp", Path: "/big", Empty: "2Gi", Memory: true}},
		PullSecrets:  []string{"registry"},
		Services:     []delivery.PodService{{Name: "db", Image: "postgres:16", Port: 5432}, {Name: "clock", Image: "clock:1"}},
	}
	in.Stack.Variants = []delivery.Variant{{Name: "arm", Branch: "*+arm", Build: delivery.VariantBuild{
		Image: "plain-arm:1",
		Pod:   delivery.BuildPod{NodeSelector: map[string]string{"pool": "arm"}, Services: []delivery.PodService{{Name: "db", Image: "postgres-arm:16"}}},
	}}}
	in.Environment.Build = delivery.EnvironmentBuild{
		Resources:    delivery.Resources{Requests: amounts{"cpu": "1"}, Limits: amounts{"cpu": "4"}},
		Timeout:      delivery.Duration(20 * time.Minute),
		NodeSelector: map[string]string{"zone": "a"},
		Tolerations:  []delivery.Toleration{{Key: "dedicated", Value: "builds", Effect: "NoSchedule"}, {Operator: "Exists", Effect: "NoExecute"}},
	}
	in.App.Build.Resources = delivery.Resources{Limits: amounts{"memory": "512Mi", "nvidia.com/gpu": "1"}}
	in.App.Environments = map[string]delivery.AppEnvironment{"dev": {Build: delivery.AppBuild{
		Resources: delivery.Resources{Requests: amounts{"cpu": "6"}}, Timeout: delivery.Duration(10 * time.Minute),
	}}}
	return in
}

const podGolden = `builder  plain-arm:1 in pods, and the machine's tools elsewhere, as Stack plain: variant arm
pod      request cpu 6, as App shop: environments.dev.build
pod      request memory 512Mi, as App shop: build, and no request is above its limit
pod      limit cpu 6, as App shop: environments.dev.build, and no limit is below its request
pod      limit memory 512Mi, as App shop: build
pod      limit nvidia.com/gpu 1, as App shop: build
pod      node disk=ssd, as Stack plain: build
pod      node pool=arm, as Stack plain: variant arm
pod      node zone=a, as Environment dev: build
pod      tolerates dedicated=builds:NoSchedule, as Stack plain: build
pod      tolerates every taint:NoExecute, as Environment dev: build
pod      volume licence at /opt/licence: secret licence read-only, as Stack plain: build
pod      volume tmp at /big: empty 2Gi in memory, as Stack plain: build
pod      pull secret registry, as Stack plain: build
pod      service db: postgres-arm:16, as Stack plain: variant arm
limit    10m in all, as App shop: environments.dev.build.timeout`

func podLines(p delivery.Plan) string {
	return strings.Join(slices.DeleteFunc(Explain(p), func(l string) bool {
		return !strings.HasPrefix(l, "pod ") && !strings.HasPrefix(l, "builder ") && !strings.HasPrefix(l, "limit ")
	}), "\n")
}

func TestPodOfAllDocuments(t *testing.T) {
	in := withPods()
	in.Commit.Branch = "dev+arm"
	p := mustPlan(t, in)
	if diff := cmp.Diff(podGolden, podLines(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if in.Stack.Build.Pod.Resources.Requests["memory"] != "1Gi" {
		t.Error("the stack itself has changed")
	}
	for line := range strings.SplitSeq(podLines(p), "\n") {
		if said := phrase.In(phrase.Chinese, line); strings.Contains(said, ", as ") || strings.Contains(said, " in all") {
			t.Errorf("%q has no Chinese: %q", line, said)
		}
	}
	in.Commit.Branch = "dev"
	if other := mustPlan(t, in); other.Digest == p.Digest || other.BuildImage != "plain:1" || len(other.Pod.Services) != 2 {
		t.Errorf("without the variant: %+v", other.Pod)
	}
}

func TestNoPod(t *testing.T) {
	if p := mustPlan(t, plain()); p.Pod != nil || p.PodWhy != nil || p.Cap != 0 || podLines(p) != "limit    45m in all" {
		t.Errorf("%+v, %s", p.Pod, podLines(p))
	}
}

// A cap that is above what the steps may take is no reason for anything.
func TestLimitIsACap(t *testing.T) {
	in := plain()
	for _, tc := range []struct {
		env, app, own time.Duration
		want          string
	}{
		{0, 0, 0, "limit    45m in all"},
		{2 * time.Hour, 0, 0, "limit    45m in all"},
		{30 * time.Minute, 0, 0, "limit    30m in all, as Environment dev: build.timeout"},
		{30 * time.Minute, 40 * time.Minute, 0, "limit    40m in all, as App shop: build.timeout"},
		{30 * time.Minute, 40 * time.Minute, time.Minute, "limit    1m in all, as App shop: environments.dev.build.timeout"},
	} {
		in.Environment.Build.Timeout, in.App.Build.Timeout = delivery.Duration(tc.env), delivery.Duration(tc.app)
		in.App.Environments = map[string]delivery.AppEnvironment{"dev": {Build: delivery.AppBuild{Timeout: delivery.Duration(tc.own)}}}
		if got := podLines(mustPlan(t, in)); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

// What a repository says changes neither the pod nor the cap of the job.
func TestRepositoryKeepsThePod(t *testing.T) {
	in := withPods()
	in.App.Build.Timeout, in.App.Environments = delivery.Duration(50*time.Minute), nil
	r := refinement(t, "steps:\n  - {name: build, timeout: 3h}\n  - {name: more, run: make more, timeout: 2h}\n")
	r.Plan = mustPlan(t, in)
	p, err := Refine(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Plan.Pod, p.Pod); diff != "" || p.BuildImage != "plain:1" || p.Timeout.Std() != 50*time.Minute {
		t.Errorf("image %s, limit %s, pod (-before +after):\n%s", p.BuildImage, p.Timeout, diff)
	}
	for _, field := range []string{"pod", "resources", "requests", "limits", "nodeSelector", "tolerations", "volumes", "pullSecrets", "services", "timeout", "buildImage"} {
		r.Files[0].Text = field + ": {}\n"
		if _, err := Refine(r); delivery.KindOf(err) != delivery.Invalid || !strings.Contains(err.Error(), "is the company's, not the repository's") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Whatever the documents say, Kubernetes accepts the result, and each amount is one
// that a document wrote.
func TestRequestsAreWithinLimits(t *testing.T) {
	amount := rapid.Custom(func(t *rapid.T) amounts {
		m := amounts{}
		for _, name := range []string{"cpu", "memory"} {
			if q := rapid.SampledFrom([]delivery.Quantity{"", "", "1", "1500m", "2", "2Gi", "2048Mi"}).Draw(t, name); q != "" {
				m[name] = q
			}
		}
		return m
	})
	rapid.Check(t, func(t *rapid.T) {
		var list []layer
		for range rapid.IntRange(0, 5).Draw(t, "layers") {
			r := delivery.Resources{Requests: amount.Draw(t, "requests"), Limits: amount.Draw(t, "limits")}
			for name, q := range r.Requests {
				if most, ok := r.Limits[name]; ok && q.Compare(most) > 0 {
					r.Requests[name] = most // as a document must
				}
			}
			list = append(list, layer{"somewhere", delivery.BuildPod{Resources: r}})
		}
		p, _ := buildPod(list)
		if p == nil {
			return
		}
		for name, q := range p.Resources.Requests {
			if most, ok := p.Resources.Limits[name]; ok && q.Compare(most) > 0 {
				t.Fatalf("%s: %s of %s", name, q, most)
			}
		}
		for name := range p.Resources.Limits {
			last := slices.IndexFunc(list, func(l layer) bool { return l.pod.Resources.Limits[name] != "" })
			if last < 0 {
				t.Fatalf("nobody limits %s", name)
			}
		}
		last := list[len(list)-1].pod.Resources
		for name, q := range last.Limits {
			if p.Resources.Limits[name] != q {
				t.Fatalf("the last document limits %s to %s, and the pod has %s", name, q, p.Resources.Limits[name])
			}
		}
		for name, q := range last.Requests {
			if p.Resources.Requests[name] != q {
				t.Fatalf("the last document asks for %s of %s, and the pod does for %s", q, name, p.Resources.Requests[name])
			}
		}
	})
}
