package workload_test

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/shiplock/shiplock/internal/diagnose/workload"
)

// verdicts are what the components of Kubernetes 1.34 and containerd say, word for word.
func verdicts() map[string]verdict {
	all := map[string]verdict{}
	for _, some := range []map[string]verdict{pullVerdicts(), startVerdicts(), endVerdicts(), checkVerdicts(), placeVerdicts(), lossVerdicts(), refusalVerdicts()} {
		maps.Copy(all, some)
	}
	return all
}

func pullVerdicts() map[string]verdict {
	const failed = `failed to pull and unpack image "` + image + `": `
	noSuch := failed + `failed to resolve reference "` + image + `": ` + image + `: not found`
	return map[string]verdict{
		"new":            {evidence: evidence(pod("shop-1", waiting("ContainerCreating", "")))},
		"healthy":        {evidence: evidence(pod("shop-1", ready))},
		"nothing at all": {evidence: workload.Evidence{}},
		"no such image": {
			evidence: evidence(pod("shop-1", waiting("ErrImagePull", "rpc error: code = NotFound desc = "+noSuch))),
			code:     workload.ImageMissing, failed: true, shows: []string{"not found"},
			says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"no such image, while the kubelet pauses": {
			evidence: evidence(pod("shop-1", waiting("ImagePullBackOff", `Back-off pulling image "`+image+`": ErrImagePull: rpc error: code = NotFound desc = `+noSuch))),
			code:     workload.ImageMissing, failed: true,
			says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"no such image, by an older kubelet": {
			evidence: told(evidence(pod("shop-1", waiting("ImagePullBackOff", `Back-off pulling image "`+image+`"`))), "Failed", `Failed to pull image "`+image+`": rpc error: code = NotFound desc = `+noSuch),
			code:     workload.ImageMissing, failed: true,
			says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"no such image, by an event only": {
			evidence: told(evidence(pod("shop-1", waiting("ContainerCreating", ""))), "Failed", `Failed to pull image "`+image+`": rpc error: code = NotFound desc = `+noSuch),
			code:     workload.ImageMissing, failed: true,
			says: "the image " + image + " cannot be pulled: the registry has no such image, or hides it",
		},
		"unauthorised, at first": {
			evidence: evidence(pod("shop-1", made(10*time.Second), waiting("ErrImagePull", failed+`failed to resolve reference "`+image+`": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.example.com/token: 401 Unauthorized`))),
			code:     workload.ImageDenied,
			says:     "the image " + image + " cannot be pulled: the registry refuses the credentials",
		},
		"unauthorised": {
			evidence: evidence(pod("shop-1", waiting("ErrImagePull", failed+`failed to resolve reference "`+image+`": pull access denied, repository does not require authorization: authorization failed: no basic auth credentials`))),
			code:     workload.ImageDenied, failed: true,
			says: "the image " + image + " cannot be pulled: the registry refuses the credentials",
		},
		"registry away": {
			evidence: evidence(pod("shop-1", made(time.Hour), waiting("ErrImagePull", failed+`failed to resolve reference "`+image+`": failed to do request: Head "https://registry.example.com/v2/shop/manifests/sha256:0123": dial tcp 10.0.0.9:443: connect: connection refused`))),
			code:     workload.ImageUnreachable,
			says:     "the image " + image + " cannot be pulled: the registry does not answer the node node-1",
		},
		"registry of another host name": {
			evidence: evidence(pod("shop-1", waiting("ErrImagePull", failed+`failed to resolve reference "`+image+`": failed to do request: Head "https://registry.example.com/v2/shop/manifests/sha256:0123": dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host`))),
			code:     workload.ImageUnreachable,
			says:     "the image " + image + " cannot be pulled: the registry does not answer the node node-1",
		},
		"no name of an image": {
			evidence: evidence(pod("shop-1", waiting("InvalidImageName", `Failed to apply default image tag "Shop:1": couldn't parse image name "Shop:1": invalid reference format: repository name (library/Shop) must be lowercase`))),
			code:     workload.ImageName, failed: true, says: image + " is not the name of an image",
		},
		"another platform": {
			evidence: evidence(pod("shop-1", waiting("ErrImagePull", `rpc error: code = NotFound desc = `+failed+`no match for platform in manifest: not found`))),
			code:     workload.ImagePlatform, failed: true, says: "the image " + image + " is not made for the processor of the node node-1",
		},
		"no signature": {
			evidence: evidence(pod("shop-1", waiting("SignatureValidationFailed", `image pull failed for `+image+` because the signature validation failed: Source image rejected`))),
			code:     workload.ImageUnsigned, failed: true, says: "the node node-1 does not accept the signature of the image " + image,
		},
		"other trouble with an image": {
			evidence: evidence(pod("shop-1", waiting("ErrImagePull", failed+`failed to extract layer sha256:00: mount callback failed: no space left on device`))),
			code:     workload.Image, says: "the image " + image + " cannot be pulled: failed to extract layer sha256:00: mount callback failed: no space left on device",
		},
	}
}

func startVerdicts() map[string]verdict {
	const runc = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: `
	return map[string]verdict{
		"no such ConfigMap": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerConfigError", `configmap "settings" not found`))),
			code:     workload.Configuration, failed: true, says: "the ConfigMap settings is not there", shows: []string{`configmap "settings" not found`},
		},
		"no such Secret, yet": {
			evidence: evidence(pod("shop-1", made(20*time.Second), waiting("CreateContainerConfigError", `secret "database" not found`))),
			code:     workload.Configuration, says: "the Secret database is not there",
		},
		"no such key": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerConfigError", "couldn't find key LEVEL in ConfigMap prod/settings"))),
			code:     workload.Configuration, failed: true, says: "the ConfigMap settings has no key LEVEL",
		},
		"no such key of a Secret": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerConfigError", "couldn't find key password in Secret prod/database"))),
			code:     workload.Configuration, failed: true, says: "the Secret database has no key password",
		},
		"no such ConfigMap of a volume": {
			evidence: told(evidence(pod("shop-1", waiting("ContainerCreating", ""))), "FailedMount", `MountVolume.SetUp failed for volume "settings" : configmap "settings" not found`),
			code:     workload.Configuration, failed: true, says: "the ConfigMap settings is not there",
		},
		"no such key of a volume": {
			evidence: told(evidence(pod("shop-1", waiting("ContainerCreating", ""))), "FailedMount", `MountVolume.SetUp failed for volume "database" : references non-existent secret key: password`),
			code:     workload.Configuration, failed: true, says: "the Secret has no key password",
		},
		"a volume of another node": {
			evidence: told(evidence(pod("shop-1", made(time.Hour), waiting("ContainerCreating", ""))), "FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) shop-0`),
			code:     workload.Volume, says: `a volume cannot be mounted: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) shop-0`,
		},
		"no network for the pod": {
			evidence: told(evidence(pod("shop-1", waiting("ContainerCreating", ""))), "FailedCreatePodSandBox", `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="bridge" failed (add): no IP addresses available in range set: 10.1.0.1-10.1.0.254`),
			code:     workload.Sandbox, says: `the node node-1 cannot set the pod up: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "1": plugin type="bridge" failed (add): no IP addresses available in range set: 10.1.0.1-10.1.0.254`,
		},
		"root": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerConfigError", `container has runAsNonRoot and image will run as root (pod: "shop-1_prod(1)", container: shop)`))),
			code:     workload.Root, failed: true, says: "the container shop must not run as root, and its image would",
		},
		"root by name": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerConfigError", `container has runAsNonRoot and image has non-numeric user (www-data), cannot verify user is non-root (pod: "shop-1_prod(1)", container: shop)`))),
			code:     workload.Root, failed: true, says: "the container shop must not run as root, and its image would",
		},
		"no such command": {
			evidence: evidence(pod("shop-1", exited(2, 128, "StartError", runc+`exec: "/home/services/start.sh": stat /home/services/start.sh: no such file or directory: unknown`))),
			code:     workload.Command, failed: true, says: "the command /home/services/start.sh is not in the image of the container shop",
		},
		"no such command, at first": {
			evidence: evidence(pod("shop-1", waiting("RunContainerError", runc+`exec: "serve": executable file not found in $PATH: unknown`))),
			code:     workload.Command, failed: true, says: "the command serve is not in the image of the container shop",
		},
		"not executable": {
			evidence: evidence(pod("shop-1", exited(1, 128, "StartError", runc+`exec: "/home/services/start.sh": permission denied: unknown`))),
			code:     workload.Command, failed: true, says: "the command /home/services/start.sh of the container shop may not be executed",
		},
		"another processor": {
			evidence: evidence(pod("shop-1", exited(2, 128, "StartError", runc+`exec /home/services/shop: exec format error: unknown`))),
			code:     workload.Architecture, failed: true, says: "the processor of the node node-1 cannot run /home/services/shop of the container shop",
		},
		"another processor, by its log": {
			evidence: wrote(evidence(pod("shop-1", exited(2, 255, "Error", ""))), false, "exec /home/services/start.sh: exec format error"),
			code:     workload.Architecture, failed: true, says: "the processor of the node node-1 cannot run /home/services/start.sh of the container shop", shows: []string{"exec format error"},
		},
		"no interpreter": {
			evidence: wrote(evidence(pod("shop-1", exited(2, 1, "Error", ""))), false, "exec ./start.sh: no such file or directory"),
			code:     workload.Command, failed: true, says: "what runs the command ./start.sh of the container shop is not in its image",
		},
		"no working directory": {
			evidence: evidence(pod("shop-1", exited(1, 128, "StartError", runc+`chdir to cwd ("/srv/shop") set in config.json failed: permission denied: unknown`))),
			code:     workload.Command, failed: true, says: "the working directory of the container shop cannot be used: /srv/shop",
		},
		"other trouble of a runtime": {
			evidence: evidence(pod("shop-1", waiting("CreateContainerError", "context deadline exceeded"))),
			code:     workload.Start, says: "the container shop cannot be started: context deadline exceeded",
		},
	}
}

func endVerdicts() map[string]verdict {
	dead := func(code int32, reason string) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: ago(9 * time.Second), FinishedAt: ago(8 * time.Second)}}
	}
	migration := evidence(pod("shop-1", beside(false, corev1.ContainerStatus{Name: "migrate", RestartCount: 3, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}, LastTerminationState: dead(1, "Error")})))
	migration.Logs[workload.Log{Pod: "shop-1", Container: "migrate"}] = []string{"migrating", "error: relation \"orders\" already exists"}
	again := evidence(pod("shop-1", exited(3, 137, "OOMKilled", "")))
	long := evidence(pod("shop-1", exited(9, 1, "Error", "")))
	long.Pods[0].Status.ContainerStatuses[0].LastTerminationState.Terminated.StartedAt = ago(20 * time.Hour)
	return map[string]verdict{
		"a crash": {
			evidence: wrote(evidence(pod("shop-1", exited(1, 2, "Error", ""))), false, "loading", "panic: assignment to entry in nil map", "", "goroutine 1 [running]:", "main.main()", "\t/home/services/main.go:5 +0x65"),
			code:     workload.Crashed, says: "the app ended with exit code 2: main.go:5: panic: assignment to entry in nil map", shows: []string{"panic: assignment to entry in nil map"},
		},
		"a crash loop": {
			evidence: wrote(evidence(pod("shop-1", exited(4, 1, "Error", ""))), false, "DATABASE_URL is not set"),
			code:     workload.Crashed, failed: true, says: "the app ended with exit code 1, restarted 3 times: DATABASE_URL is not set",
		},
		"a crash of which only the last message is known": {
			evidence: evidence(pod("shop-1", exited(2, 1, "Error", "starting\nfatal: no configuration\n"))),
			code:     workload.Crashed, says: "the app ended with exit code 1, restarted 1 time: fatal: no configuration",
		},
		"a crash, and it runs again": {
			evidence: wrote(wrote(evidence(pod("shop-1", restarted(1, 1))), true, "error: no database"), false, "starting"),
			code:     workload.Crashed, says: "the app ended with exit code 1, restarted 1 time: error: no database",
		},
		"a crash after a long life": {evidence: long, code: workload.Crashed, says: "the app ended with exit code 1, restarted 8 times"},
		"a signal": {
			evidence: evidence(pod("shop-1", exited(2, 139, "Error", ""))),
			code:     workload.Crashed, says: "the app was killed by SIGSEGV, restarted 1 time",
		},
		"the end of start.sh": {
			evidence: wrote(evidence(pod("shop-1", exited(4, 0, "Completed", ""))), false, "started in the background"),
			code:     workload.Ended, failed: true, says: "the app ended with exit code 0, restarted 3 times: it must stay in the foreground",
		},
		"out of memory": {
			evidence: wrote(evidence(pod("shop-1", exited(1, 137, "OOMKilled", ""))), false, "loading 3 GB of prices"),
			code:     workload.Memory, says: "out of memory: the container shop used all of its 64Mi", shows: []string{"OOMKilled", "loading 3 GB of prices"},
		},
		"out of memory, again": {evidence: again, code: workload.Memory, failed: true, says: "out of memory: the container shop used all of its 64Mi, restarted 2 times"},
		"an init container": {
			evidence: migration, code: workload.Init, failed: true, shows: []string{"relation"},
			says: `the init container migrate ended with exit code 1, restarted 3 times: error: relation "orders" already exists`,
		},
		"a sidecar": {
			evidence: evidence(pod("shop-1", beside(true, corev1.ContainerStatus{Name: "proxy", State: dead(1, "Error")}))),
			code:     workload.Sidecar, says: "the sidecar proxy ended with exit code 1",
		},
		"an image of an init container": {
			evidence: evidence(pod("shop-1", beside(false, corev1.ContainerStatus{Name: "migrate", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "manifest unknown"}}}))),
			code:     workload.ImageMissing, failed: true, says: "the image registry.example.com/migrate:1 cannot be pulled: the registry has no such image, or hides it",
		},
		"one of four": {
			evidence: evidence(pod("shop-0", ready), pod("shop-1", exited(4, 1, "Error", "error: boom")), pod("shop-2", ready), pod("shop-3", ready)),
			code:     workload.Crashed, says: "the app ended with exit code 1, restarted 3 times: error: boom (1 of 4 pods)",
		},
		"two of four": {
			evidence: evidence(pod("shop-0", ready), pod("shop-1", exited(4, 1, "Error", "error: boom")), pod("shop-2", exited(2, 1, "Error", "error: boom")), pod("shop-3", ready)),
			code:     workload.Crashed, failed: true, says: "the app ended with exit code 1, restarted 3 times: error: boom (2 of 4 pods)",
		},
	}
}
