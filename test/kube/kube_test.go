//go:build e2e

package kube

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/image"
)

func TestClusterRunsPushedImages(t *testing.T) {
	n := Cluster(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "greeting"), []byte("good morning\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	built, err := image.New(image.Config{}).Build(t.Context(), image.Spec{
		Base: n.Registry + "/busybox:1", Dir: dir, Into: "/srv", Dest: n.Registry + "/test/greeting",
		Cmd: []string{"cat", "/srv/greeting"},
	})
	if err != nil {
		t.Fatal(err)
	}
	pod := Script("greeter", "")
	pod.Spec.Containers[0].Image, pod.Spec.Containers[0].Command = built.Ref, nil
	end, log := n.Run(t, pod)
	if end.ExitCode != 0 || log != "good morning\n" {
		t.Errorf("it ended with %d and printed %q", end.ExitCode, log)
	}
}

func TestClusterTellsHowPodsEnd(t *testing.T) {
	n := Cluster(t)
	if end, _ := n.Run(t, Script("seven", "exit 7")); end.ExitCode != 7 {
		t.Errorf("exit code is %d, want 7", end.ExitCode)
	}
	greedy := Script("greedy", "tail /dev/zero")
	greedy.Spec.Containers[0].Resources.Limits = core.ResourceList{core.ResourceMemory: resource.MustParse("32Mi")}
	if end, _ := n.Run(t, greedy); end.Reason != "OOMKilled" {
		t.Errorf("reason is %q, want OOMKilled", end.Reason)
	}
}

func TestClusterFollowsLogs(t *testing.T) {
	n := Cluster(t)
	listener, err := net.Listen("tcp", net.JoinHostPort(n.Host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// The pod ends only after its first line was read here: it waits for us to answer.
	n.Start(t, Script("talker", fmt.Sprintf("echo first; nc %s %d; echo last", n.Host, listener.Addr().(*net.TCPAddr).Port)))
	n.Await(t, "talker", Running)
	lines := bufio.NewScanner(n.Logs(t, "talker"))
	if !lines.Scan() || lines.Text() != "first" {
		t.Fatalf("the first line is %q, %v", lines.Text(), lines.Err())
	}
	pod, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	pod.Close()
	if !lines.Scan() || lines.Text() != "last" || lines.Scan() {
		t.Errorf("after it comes %q, %v", lines.Text(), lines.Err())
	}
}

// web is a pod that answers every request with "here".
func web() *core.Pod {
	pod := Script("web", "mkdir /www && echo here > /www/index.html && exec httpd -f -p 8080 -h /www")
	pod.Spec.Containers[0].ReadinessProbe = &core.Probe{
		ProbeHandler:  core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}},
		PeriodSeconds: 1,
	}
	return pod
}

func TestClusterResolvesServices(t *testing.T) {
	n := Cluster(t)
	n.Start(t, web())
	n.Create(t, "services", &core.Service{
		ObjectMeta: meta.ObjectMeta{Name: "front"},
		Spec: core.ServiceSpec{
			Selector: map[string]string{"app": "web"},
			Ports:    []core.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	})
	n.Await(t, "web", Running)
	for name, host := range map[string]string{"near": "front", "far": "front." + n.Name + ".svc.cluster.local"} {
		// The Service's address answers a moment after its pod is ready.
		end, log := n.Run(t, Script(name, "for i in $(seq 50); do wget -q -O - http://"+host+"/ && exit; sleep 0.1; done; exit 1"))
		if end.ExitCode != 0 || !strings.HasSuffix(log, "here\n") {
			t.Errorf("http://%s/ ends with %d: %q", host, end.ExitCode, log)
		}
	}
}

func TestClusterKeepsVolumes(t *testing.T) {
	n := Cluster(t)
	n.Create(t, "persistentvolumeclaims", &core.PersistentVolumeClaim{
		ObjectMeta: meta.ObjectMeta{Name: "kept"},
		Spec: core.PersistentVolumeClaimSpec{
			AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteMany},
			Resources:   core.VolumeResourceRequirements{Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("1Gi")}},
		},
	})
	with := func(pod *core.Pod) *core.Pod {
		user := int64(1000)
		pod.Spec.SecurityContext = &core.PodSecurityContext{RunAsUser: &user}
		pod.Spec.Volumes = []core.Volume{{Name: "kept", VolumeSource: core.VolumeSource{
			PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "kept"},
		}}}
		pod.Spec.Containers[0].VolumeMounts = []core.VolumeMount{{Name: "kept", MountPath: "/kept"}}
		return pod
	}
	if end, log := n.Run(t, with(Script("writer", "echo remember > /kept/note"))); end.ExitCode != 0 {
		t.Fatalf("writing ends with %d: %q", end.ExitCode, log)
	}
	if end, log := n.Run(t, with(Script("reader", "cat /kept/note"))); end.ExitCode != 0 || log != "remember\n" {
		t.Errorf("reading ends with %d: %q", end.ExitCode, log)
	}
}

// Pods under a policy try the moment that they start: it is in force by then.
func TestClusterEnforcesPolicies(t *testing.T) {
	n := Cluster(t)
	n.Start(t, web())
	address := n.Await(t, "web", Running).Status.PodIP
	udp, dns := core.ProtocolUDP, intstr.FromInt32(53)
	n.Create(t, "networkpolicies", &networking.NetworkPolicy{
		ObjectMeta: meta.ObjectMeta{Name: "names-only"},
		Spec: networking.NetworkPolicySpec{
			PodSelector: meta.LabelSelector{MatchLabels: map[string]string{"guard": "on"}},
			PolicyTypes: []networking.PolicyType{networking.PolicyTypeEgress},
			Egress:      []networking.NetworkPolicyEgressRule{{Ports: []networking.NetworkPolicyPort{{Protocol: &udp, Port: &dns}}}},
		},
	})
	const script = `
reach() { nc -w 2 "$1" "$2" </dev/null >/dev/null 2>&1 && echo "$3 reached" || echo "$3 refused"; }
reach WEB 8080 pod
reach kubernetes.default 443 api
reach HOST 6443 node
nslookup kubernetes.default.svc.cluster.local >/dev/null && echo names resolved
`
	try := strings.NewReplacer("WEB", address, "HOST", n.Host).Replace(script)
	free, guarded := Script("free", try), Script("guarded", try)
	guarded.Labels["guard"] = "on"
	for _, c := range []struct {
		pod  *core.Pod
		want string
	}{
		{guarded, "pod refused\napi refused\nnode refused\nnames resolved\n"},
		{free, "pod reached\napi reached\nnode reached\nnames resolved\n"},
	} {
		if _, log := n.Run(t, c.pod); log != c.want {
			t.Errorf("the pod %q says\n%swant\n%s", c.pod.Name, log, c.want)
		}
	}
}
