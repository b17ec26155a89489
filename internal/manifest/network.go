package manifest

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Names of ports: both halves have them, whatever their numbers.
const (
	portHTTP    = "http"
	portMetrics = "metrics"
)

// servicePort is what the Service of every App answers on.
const servicePort = 80

// network is how the App is reached. An App without ports is not.
func (r renderer) network() []typed {
	lead, ok := r.leading()
	if !ok {
		return nil
	}
	ports := lead.pod.servicePorts()
	if len(ports) == 0 {
		return nil
	}
	s := &corev1.Service{TypeMeta: kind("v1", "Service"), ObjectMeta: r.meta(r.App)}
	s.Spec = corev1.ServiceSpec{Ports: ports, Selector: r.served()}
	list := []typed{s}
	if lead.pod.workload.Ingress.Host != "" {
		list = append(list, lead.ingress())
	}
	return list
}

// served selects the pods that have the traffic.
func (r renderer) served() map[string]string {
	if r.Serve == TrackBoth {
		return map[string]string{"app": r.App}
	}
	return map[string]string{"app": r.App, LabelTrack: string(r.Serve)}
}

func (p pod) servicePorts() []corev1.ServicePort {
	var ports []corev1.ServicePort
	if p.config.Port > 0 {
		ports = append(ports, corev1.ServicePort{Name: portHTTP, Port: servicePort, TargetPort: intstr.FromString(portHTTP), Protocol: corev1.ProtocolTCP})
	}
	if m := p.workload.Metrics.Port; m > 0 && m != p.config.Port {
		ports = append(ports, corev1.ServicePort{Name: portMetrics, Port: int32(m), TargetPort: intstr.FromString(portMetrics), Protocol: corev1.ProtocolTCP})
	}
	return ports
}

func (h half) ingress() *networkingv1.Ingress {
	w := h.pod.workload.Ingress
	path := networkingv1.HTTPIngressPath{
		Path: w.Path, PathType: new(networkingv1.PathTypePrefix),
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: h.App, Port: networkingv1.ServiceBackendPort{Name: portHTTP},
		}},
	}
	i := &networkingv1.Ingress{TypeMeta: kind("networking.k8s.io/v1", "Ingress"), ObjectMeta: h.meta(h.App)}
	i.Spec.Rules = []networkingv1.IngressRule{{
		Host:             w.Host,
		IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{path}}},
	}}
	if w.Class != "" {
		i.Spec.IngressClassName = new(w.Class)
	}
	if w.TLSSecret != "" {
		i.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{w.Host}, SecretName: w.TLSSecret}}
	}
	return i
}

// monitor has Prometheus ask the Service's pods for their figures; nil when the App
// tells none. Its type is Prometheus', and not every cluster has it.
func (r renderer) monitor() Object {
	lead, ok := r.leading()
	if !ok {
		return nil
	}
	m := lead.pod.workload.Metrics
	if m.Port == 0 {
		return nil
	}
	port := portMetrics
	if m.Port == lead.pod.config.Port {
		port = portHTTP
	}
	meta := r.meta(r.App)
	o := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"jobLabel":        "app",
		"selector":        map[string]any{"matchLabels": map[string]any{"app": r.App}},
		"podTargetLabels": []any{LabelTrack, LabelRevision},
		"endpoints":       []any{map[string]any{"port": port, "path": m.Path}},
	}}}
	o.SetAPIVersion("monitoring.coreos.com/v1")
	o.SetKind("ServiceMonitor")
	o.SetName(meta.Name)
	o.SetNamespace(meta.Namespace)
	o.SetLabels(meta.Labels)
	o.SetAnnotations(meta.Annotations)
	return o
}
