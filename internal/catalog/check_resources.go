package catalog

import (
	"fmt"
	"strings"

	"github.com/shiplock/shiplock/internal/delivery"
)

// leastBytes is less than anything runs with: a smaller number was meant otherwise.
const leastBytes = 1 << 20

// bytes refuses what is no size of memory or of a disk.
func (bad report) bytes(path string, q delivery.Quantity) {
	if q.Less(leastBytes) {
		bad(path, fmt.Sprintf("%q is less than 1Mi: write bytes with their unit, like 512Mi or 2Gi", clip(string(q))))
	}
}

// Resources that Kubernetes has of its own.
const (
	cpu     = "cpu"
	memory  = "memory"
	storage = "ephemeral-storage"
)

var extendedResource = pattern(`^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

// extended tells whether a resource is of a device, which Kubernetes gives in whole
// numbers, and whose request is its limit.
func extended(name string) bool {
	return extendedResource(name) && !strings.Contains(name, "kubernetes.io/")
}

func (bad report) resources(at string, r delivery.Resources) {
	for field, amounts := range map[string]map[string]delivery.Quantity{"requests": r.Requests, "limits": r.Limits} {
		path := join(at, field)
		if len(amounts) > maxPodItems {
			bad(path, fmt.Sprintf("there are %d entries, and may be %d", len(amounts), maxPodItems))
		}
		for name, q := range amounts {
			bad.resource(path, name, q)
		}
	}
	for name, asked := range r.Requests {
		most, limited := r.Limits[name]
		if extended(name) {
			bad(keyOf(at+".requests", name), fmt.Sprintf("%s is written in limits only: its limit is its request", clip(name)))
		} else if limited && most != "" && asked.Compare(most) > 0 {
			bad(join(at+".requests", name), fmt.Sprintf("the request of %s is more than its limit of %s: lower it, or raise the limit", clip(string(asked)), clip(string(most))))
		}
	}
}

func (bad report) resource(at, name string, q delivery.Quantity) {
	path := join(at, name)
	switch {
	case name == cpu:
	case name == memory || name == storage:
		bad.bytes(path, q)
	case !extended(name):
		bad(keyOf(at, name), fmt.Sprintf("%q is not a resource%s (cpu, memory, ephemeral-storage, or one of a device such as nvidia.com/gpu)",
			clip(name), DidYouMean(name, []string{cpu, memory, storage})))
	case !q.Whole():
		bad(path, fmt.Sprintf("%q is not a whole number: %s is given in whole numbers", clip(string(q)), clip(name)))
	}
}
