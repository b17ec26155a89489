package kubernetes

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/shiplock/shiplock/internal/delivery"
)

// kind is a kind of object that an App may have.
type kind struct {
	schema.GroupVersionResource
	// fenced kinds decide what serves: each step writes all of them, so that a server
	// which was left behind finds a newer one of whichever it wants to write.
	fenced bool
	// watched kinds are seen; the others are written with every step, unseen.
	watched bool
}

func in(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

// kindOf returns what is known of a kind.
func kindOf(name string) (kind, error) {
	switch name {
	case "ConfigMap":
		return kind{in("", "v1", "configmaps"), false, true}, nil
	case "Deployment":
		return kind{in("apps", "v1", "deployments"), true, true}, nil
	case "Service":
		return kind{in("", "v1", "services"), true, true}, nil
	case "HorizontalPodAutoscaler":
		return kind{in("autoscaling", "v2", "horizontalpodautoscalers"), false, true}, nil
	case "PodDisruptionBudget":
		return kind{in("policy", "v1", "poddisruptionbudgets"), false, true}, nil
	case "Ingress":
		return kind{in("networking.k8s.io", "v1", "ingresses"), false, true}, nil
	case "Job":
		return kind{in("batch", "v1", "jobs"), false, true}, nil
	case "CronJob":
		return kind{in("batch", "v1", "cronjobs"), false, true}, nil
	case "NetworkPolicy":
		return kind{in("networking.k8s.io", "v1", "networkpolicies"), false, true}, nil
	case "ServiceAccount":
		return kind{in("", "v1", "serviceaccounts"), false, true}, nil
	case "PersistentVolumeClaim":
		return kind{in("", "v1", "persistentvolumeclaims"), false, true}, nil
	case "ServiceMonitor":
		return kind{in("monitoring.coreos.com", "v1", "servicemonitors"), true, false}, nil
	}
	return kind{}, delivery.E(delivery.Internal, fmt.Sprintf("no way to apply a %s is known", name))
}
