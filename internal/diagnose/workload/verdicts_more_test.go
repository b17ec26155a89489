package workload_test

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

func checkVerdicts() map[string]verdict {
	const url = `Get "http://10.1.2.3:8080/healthz": `
	slow := evidence(pod("shop-1", running))
	slow.Pods[0].Status.ContainerStatuses[0].State.Running.StartedAt = ago(time.Hour)
	return map[string]verdict{
		"not ready: an answer": {
			evidence: wrote(told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"), false, "listening on :8080", "error: ping database: dial tcp 10.0.0.1:5432: i/o timeout"),
			code:     workload.Readiness, says: "the readiness check of shop fails: GET /healthz on port 8080 answered 503",
			shows: []string{"Readiness probe failed", "ping database"},
		},
		"not ready: nothing listens": {
			evidence: told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"),
			code:     workload.Readiness, says: "the readiness check of shop fails: nothing listens on port 8080",
		},
		"not ready: another port": {
			evidence: wrote(told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"), false, "2026/11/26 08:00:00 listening on :3000"),
			code:     workload.Port, failed: true, says: "the app listens on port 3000, and the readiness check asks port 8080", shows: []string{"connection refused", "listening on :3000"},
		},
		"killed, and on another port": {
			evidence: wrote(told(evidence(pod("shop-1", restarted(1, 143), func(p *corev1.Pod) {
				p.Spec.Containers[0].StartupProbe.FailureThreshold, p.Spec.Containers[0].StartupProbe.PeriodSeconds = 8, 1
			})), "Unhealthy", "Startup probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"), true, "listening on :3000"),
			code: workload.Port, failed: true, says: "the app listens on port 3000, and the startup check asks port 8080",
		},
		"killed, and the kubelet says nothing": {
			evidence: evidence(pod("shop-1", exited(4, 0, "Completed", ""), func(p *corev1.Pod) {
				p.Spec.Containers[0].StartupProbe.FailureThreshold, p.Spec.Containers[0].StartupProbe.PeriodSeconds = 8, 1
				for _, state := range []*corev1.ContainerState{&p.Status.ContainerStatuses[0].State, &p.Status.ContainerStatuses[0].LastTerminationState} {
					if t := state.Terminated; t != nil {
						t.StartedAt.Time = t.FinishedAt.Add(-9 * time.Second)
					}
				}
			})),
			code: workload.Startup, failed: true, says: "the startup check of shop does not succeed, restarted 3 times: GET /healthz on port 8080",
		},
		"not ready any more, long after a crash": {
			evidence: told(evidence(pod("shop-1", restarted(1, 1), func(p *corev1.Pod) {
				s := &p.Status.ContainerStatuses[0]
				s.Started, s.State.Running.StartedAt = new(true), ago(time.Hour)
				s.LastTerminationState.Terminated.FinishedAt = ago(time.Hour)
			})), "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
			code: workload.Readiness, says: "the readiness check of shop fails: GET /healthz on port 8080 answered 503",
		},
		"not ready: loopback": {
			evidence: wrote(told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"), false, "Server running at http://127.0.0.1:8080/"),
			code:     workload.Port, failed: true, says: "the app listens on 127.0.0.1:8080, where nothing outside of its container reaches it",
		},
		"not ready: no answer": {
			evidence: told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: "+url+"context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
			code:     workload.Readiness, says: "the readiness check of shop fails: GET /healthz on port 8080 gave no answer within 2s",
		},
		"not ready: a command": {
			evidence: told(evidence(pod("shop-1", running)), "Unhealthy", "Readiness probe failed: redis is loading\n"),
			code:     workload.Readiness, says: "the readiness check of shop fails: redis is loading",
		},
		"not ready: nobody says why": {evidence: slow, code: workload.Readiness, says: "the readiness check of shop does not succeed: GET /healthz on port 8080"},
		"a load balancer's gate": {
			evidence: evidence(pod("shop-1", ready, func(p *corev1.Pod) {
				p.Status.Conditions[1] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ReadinessGatesNotReady", Message: `corresponding condition of pod readiness gate "target-health.example.com/shop" does not exist.`}
			})),
			code: workload.Gate, says: `the app is ready, and a readiness gate of its pod is not: corresponding condition of pod readiness gate "target-health.example.com/shop" does not exist`,
		},
		"just begun": {
			evidence: told(evidence(pod("shop-1", unstarted, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Running.StartedAt = ago(2 * time.Second) })), "Unhealthy", "Startup probe failed: dial tcp 10.1.2.3:8080: connect: connection refused"),
		},
		"starting slowly": {
			evidence: told(evidence(pod("shop-1", unstarted)), "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404"),
			code:     workload.Startup, says: "shop has not started yet: GET /healthz on port 8080 answered 404",
		},
		"killed because it did not start": {
			evidence: told(evidence(pod("shop-1", restarted(2, 137))), "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404", "Killing", "Container shop failed startup probe, will be restarted"),
			code:     workload.Startup, failed: true, says: "shop has not started yet, restarted 2 times: GET /healthz on port 8080 answered 404",
		},
		"killed because it did not start, of which the kubelet says no more": {
			evidence: told(evidence(pod("shop-1", restarted(1, 143), func(p *corev1.Pod) {
				p.Spec.Containers[0].StartupProbe.FailureThreshold, p.Spec.Containers[0].StartupProbe.PeriodSeconds = 30, 1
			})), "Unhealthy", "Startup probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"),
			code: workload.Startup, failed: true, says: "shop has not started yet, restarted 1 time: nothing listens on port 8080",
		},
		"crashed before its time to start was over": {
			evidence: told(evidence(pod("shop-1", restarted(1, 137), func(p *corev1.Pod) {
				p.Spec.Containers[0].StartupProbe.FailureThreshold, p.Spec.Containers[0].StartupProbe.PeriodSeconds = 60, 1
			})), "Unhealthy", "Startup probe failed: "+url+"dial tcp 10.1.2.3:8080: connect: connection refused"),
			code: workload.Crashed, says: "the app was killed by SIGKILL, restarted 1 time",
		},
		"a port by connecting": {
			evidence: wrote(told(evidence(pod("shop-1", unstarted, func(p *corev1.Pod) {
				p.Spec.Containers[0].StartupProbe.ProbeHandler = corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}}
			})), "Unhealthy", "Startup probe failed: dial tcp 10.1.2.3:8080: i/o timeout"), false, "error: no license"),
			code: workload.Startup, says: "shop has not started yet: port 8080 gave no answer within 2s", shows: []string{"i/o timeout", "no license"},
		},
		"killed because it no longer answered, of which the kubelet says no more": {
			evidence: told(evidence(pod("shop-1", restarted(3, 137), func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = new(int64(30)) })), "Unhealthy", "Liveness probe failed: dial tcp 10.1.2.3:8080: connect: connection refused"),
			code:     workload.Liveness, failed: true, says: "the liveness check of shop fails, restarted 3 times: nothing listens on port 8080",
		},
		"killed by somebody, long after it had answered": {
			evidence: func() workload.Evidence {
				e := evidence(pod("shop-1", restarted(1, 137)))
				e.Events = []*corev1.Event{event("Pod", "shop-1", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", time.Hour)}
				return e
			}(),
			code: workload.Crashed, says: "the app was killed by SIGKILL, restarted 1 time",
		},
		"killed because it no longer answered": {
			evidence: told(evidence(pod("shop-1", restarted(1, 143))), "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", "Killing", "Container shop failed liveness probe, will be restarted"),
			code:     workload.Liveness, says: "the liveness check of shop fails, restarted 1 time: GET /healthz on port 8080 answered 500",
		},
	}
}

func placeVerdicts() map[string]verdict {
	const none = " preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
	elsewhere := pod("shop-1", unplaced("0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector."+none))
	elsewhere.Spec.NodeSelector = map[string]string{"pool": "gpu", "arch": "arm64"}
	return map[string]verdict{
		"no room": {
			evidence: evidence(pod("shop-1", unplaced("0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."+none))),
			code:     workload.Unschedulable, says: "no node takes the pod: too little cpu is left on 2 of 3 nodes (the pod asks for 64); 1 of 3 nodes are cordoned",
			shows: []string{"2 Insufficient cpu"},
		},
		"no room for what runs before it": {
			evidence: evidence(pod("shop-1", unplaced("0/1 nodes are available: 1 Insufficient memory, 1 Too many pods."+none), func(p *corev1.Pod) {
				ask := func(amount string) corev1.ResourceRequirements {
					return corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(amount)}}
				}
				p.Spec.Containers[0].Resources = ask("1Gi")
				p.Spec.InitContainers = []corev1.Container{{Name: "migrate", Resources: ask("8Gi")}, {Name: "logs", Resources: ask("16Mi"), RestartPolicy: new(corev1.ContainerRestartPolicyAlways)}}
			})),
			code: workload.Unschedulable, says: "no node takes the pod: too little memory is left on 1 of 1 nodes (the pod asks for 8Gi); 1 of 1 nodes have as many pods as they may",
		},
		"other labels": {
			evidence: evidence(elsewhere),
			code:     workload.Unschedulable, says: "no node takes the pod: 1 of 3 nodes have a taint that the App does not tolerate; 2 of 3 nodes have other labels than the App asks for (arch=arm64, pool=gpu)",
		},
		"a taint, by an older scheduler": {
			evidence: evidence(pod("shop-1", unplaced("0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."))),
			code:     workload.Unschedulable, says: "no node takes the pod: 1 of 1 nodes have a taint that the App does not tolerate (dedicated: gpu)",
		},
		"spread": {
			evidence: evidence(pod("shop-1", unplaced("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."))),
			code:     workload.Unschedulable, says: "no node takes the pod: 2 of 2 nodes are excluded by rules about other pods",
		},
		"no volume": {
			evidence: evidence(pod("shop-1", unplaced("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."))),
			code:     workload.Unbound, says: "a volume claim of the pod has no volume: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling",
		},
		"no claim": {
			evidence: evidence(pod("shop-1", unplaced(`0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`))),
			code:     workload.Configuration, failed: true, says: "the PersistentVolumeClaim data is not there",
		},
		"no nodes": {
			evidence: evidence(pod("shop-1", unplaced("no nodes available to schedule pods"))),
			code:     workload.Unschedulable, says: "no node takes the pod: no nodes available to schedule pods",
		},
	}
}

func lossVerdicts() map[string]verdict {
	disk := ending(corev1.PodFailed, "Evicted", `Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. `)
	deadline := late(evidence(pod("shop-1", waiting("ContainerCreating", ""))))
	return map[string]verdict{
		"own disk, once":  {evidence: evidence(pod("shop-1", disk), pod("shop-2", waiting("ContainerCreating", ""))), code: workload.Disk, says: "out of disk: the pod wrote more than its limit of 1Gi"},
		"own disk, again": {evidence: evidence(pod("shop-1", disk), pod("shop-2", disk), pod("shop-3", disk), pod("shop-4", waiting("ContainerCreating", ""))), code: workload.Disk, failed: true, says: "out of disk: the pod wrote more than its limit of 1Gi"},
		"node full": {
			evidence: evidence(pod("shop-1", disrupted("TerminationByKubelet", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. Container shop was using 1Gi, request is 0, has larger consumption of memory. "))),
			code:     workload.Evicted, says: "the node node-1 put a pod out: The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. Container shop was using 1Gi, request is 0, has larger consumption of memory",
		},
		"refused by the node": {
			evidence: evidence(pod("shop-1", ending(corev1.PodFailed, "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 2000"))),
			code:     workload.Evicted, says: "the node node-1 put a pod out: OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 2000",
		},
		"preempted": {
			evidence: evidence(pod("shop-1", disrupted("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"))),
			code:     workload.Preempted, says: "something more important took a pod's place: default-scheduler: preempting to accommodate a higher priority pod",
		},
		"drained": {
			evidence: evidence(pod("shop-1", disrupted("EvictionByEvictionAPI", "Eviction API: evicting"))),
			code:     workload.Reclaimed, says: "the node node-1 is drained, or was taken back: Eviction API: evicting",
		},
		"node shut down": {
			evidence: evidence(pod("shop-1", disrupted("TerminationByKubelet", "Pod was terminated in response to imminent node shutdown."))),
			code:     workload.Reclaimed, says: "the node node-1 is drained, or was taken back: Pod was terminated in response to imminent node shutdown",
		},
		"node gone": {
			evidence: evidence(pod("shop-1", disrupted("DeletionByPodGC", "PodGC: node no longer exists"))),
			code:     workload.NodeLost, says: "the node node-1 does not answer",
		},
		"told to go":        {evidence: evidence(pod("shop-0", ready, deleted(0)), pod("shop-1", ready))},
		"does not go":       {evidence: evidence(pod("shop-0", ready, deleted(time.Minute)), pod("shop-1", ready)), code: workload.Terminating, says: "the pod shop-0 was told to go, and does not"},
		"held":              {evidence: late(evidence(pod("shop-0", ready, deleted(time.Minute), func(p *corev1.Pod) { p.Finalizers = []string{"example.com/audit"} }), pod("shop-1", ready))), code: workload.Terminating, says: "the pod shop-0 was told to go, and does not: it waits for example.com/audit"},
		"late, and healthy": {evidence: late(evidence(pod("shop-1", ready)))},
		"deadline":          {evidence: deadline, code: workload.Deadline, failed: true, says: "the new version made no progress within 10m0s"},
		"deadline and why":  {evidence: late(evidence(pod("shop-1", unplaced("0/1 nodes are available: 1 Insufficient cpu.")))), code: workload.Unschedulable, failed: true, says: "no node takes the pod: too little cpu is left on 1 of 1 nodes (the pod asks for 64)"},
		"the newest tells": {
			evidence: evidence(pod("shop-1", made(time.Hour), exited(4, 1, "Error", "error: old")), pod("shop-2", exited(4, 1, "Error", "error: new"))),
			code:     workload.Crashed, failed: true, says: "the app ended with exit code 1, restarted 3 times: error: new (2 of 2 pods)",
		},
	}
}

func refusalVerdicts() map[string]verdict {
	newer := refusing(`pods "shop-7d4b-x" is forbidden: exceeded quota: small, requested: limits.cpu=2, used: limits.cpu=3, limited: limits.cpu=4`)
	newer.Events = []*corev1.Event{event("ReplicaSet", "shop-7d4b", "FailedCreate", `Error creating: Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: Post "https://guard.guard.svc:443/?timeout=10s": dial tcp 10.96.1.2:443: connect: connection refused`, 0)}
	unmade := evidence()
	unmade.ReplicaSets = nil
	unmade.Deployment.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ReplicaSetCreateError",
		Message: `Failed to create new replica set "shop-7d4b": replicasets.apps "shop-7d4b" is forbidden: exceeded quota: small, requested: count/replicasets.apps=1, used: count/replicasets.apps=2, limited: count/replicasets.apps=2`}}
	older := evidence()
	older.Deployment.Generation, older.Deployment.Status.Conditions = 2, unmade.Deployment.Status.Conditions
	return map[string]verdict{
		"quota of ReplicaSets": {
			evidence: unmade, code: workload.Quota,
			says: "the quota small of namespace prod is used up for the ReplicaSet: count/replicasets.apps is short by 1 (1 asked for, 2 of 2 used)",
		},
		"a condition of an older wish": {evidence: older},
		"quota": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: exceeded quota: small, requested: limits.cpu=2, used: limits.cpu=3, limited: limits.cpu=4`),
			code:     workload.Quota, says: "the quota small of namespace prod is used up for the pods: limits.cpu is short by 1 (2 asked for, 3 of 4 used)", shows: []string{"exceeded quota"},
		},
		"quota of what is not stated": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: failed quota: small: must specify limits.cpu for: shop; limits.memory for: shop`),
			code:     workload.Unstated, failed: true, says: "the quota small of namespace prod refuses the pods: must specify limits.cpu for: shop; limits.memory for: shop",
		},
		"quota of several": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: exceeded quota: small, requested: limits.cpu=500m,limits.memory=1Gi, used: limits.cpu=800m,limits.memory=1536Mi, limited: limits.cpu=1,limits.memory=2Gi`),
			code:     workload.Quota, says: "the quota small of namespace prod is used up for the pods: limits.cpu is short by 300m (500m asked for, 800m of 1 used); limits.memory is short by 512Mi (1Gi asked for, 1536Mi of 2Gi used)",
		},
		"limit range": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi`),
			code:     workload.Limits, failed: true, says: "namespace prod limits the pods: maximum memory usage per Container is 1Gi, but limit is 2Gi",
		},
		"limit range, of all": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]`),
			code:     workload.Limits, failed: true, says: "namespace prod limits the pods: maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi",
		},
		"pod security": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "shop" must set securityContext.allowPrivilegeEscalation=false)`),
			code:     workload.Security, failed: true, says: `the Pod Security level restricted:latest of namespace prod refuses the pods: allowPrivilegeEscalation != false (container "shop" must set securityContext.allowPrivilegeEscalation=false)`,
		},
		"no such service account": {
			evidence: refusing(`pods "shop-7d4b-x" is forbidden: error looking up service account prod/shop: serviceaccount "shop" not found`),
			code:     workload.Configuration, failed: true, says: "the ServiceAccount shop is not there",
		},
		"webhook": {
			evidence: refusing(`admission webhook "guard.example.com" denied the request: images must come from registry.example.com`),
			code:     workload.Webhook, failed: true, says: "the cluster's admission webhook guard.example.com refuses the pods: images must come from registry.example.com",
		},
		"what was said last": {
			evidence: newer, code: workload.Away,
			says: `the cluster's admission webhook guard.example.com does not answer about the pods: failed to call webhook: Post "https://guard.guard.svc:443/?timeout=10s": dial tcp 10.96.1.2:443: connect: connection refused`,
		},
	}
}
