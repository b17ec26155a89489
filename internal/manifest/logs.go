package manifest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/shiplock/shiplock/internal/delivery"
)

// logWriterProgram is where the image of Place.Tools has the program that writes out
// log files.
const logWriterProgram = delivery.DefaultHome + "/.shiplock/web"

// logFolder is where that program finds them.
const logFolder = "/logs"

// logFiles returns the folder of the App's log files, relative to its home, and the
// pattern of the files in it. It is false for files beside the App's own: an empty
// folder in their place would hide the App.
func (p pod) logFiles() (dir, pattern string, ok bool) {
	var folders []string
	parts := strings.Split(p.config.Logs, "/")
	for len(parts) > 1 && !strings.ContainsAny(parts[0], `*?[\`) {
		folders, parts = append(folders, parts[0]), parts[1:]
	}
	return strings.Join(folders, "/"), strings.Join(parts, "/"), len(folders) > 0
}

// logWriter writes the App's log files to its own output, where the cluster takes them
// from. It starts before the App and ends after it; nil when there are none.
func (p pod) logWriter() *corev1.Container {
	_, pattern, ok := p.logFiles()
	if !ok || p.place.Tools == "" {
		return nil
	}
	return &corev1.Container{
		Name: p.app + "-logs", Image: p.place.Tools, ImagePullPolicy: corev1.PullIfNotPresent,
		RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
		Command:       []string{logWriterProgram, "tail", logFolder, literal(pattern)},
		VolumeMounts:  []corev1.VolumeMount{{Name: volumeLogs, MountPath: logFolder}},
		// A request, since an autoscaler counts all containers, and quotas ask for both.
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("5m"), corev1.ResourceMemory: resource.MustParse("16Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("48Mi")},
		},
		SecurityContext: confined(false),
	}
}
