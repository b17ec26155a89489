package manifest

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// connectOnly is the path of a health check that asks for nothing.
const connectOnly = "tcp"

// probe has the node ask for the container's health. An App without a port is healthy
// while it runs.
//
// Whether it lives is not asked at its health path: an App that is unhealthy because
// something that it needs is away would be restarted in circles, and could not recover
// any sooner by it. It is restarted when it has accepted no connection for a minute.
func (p pod) probe(c *corev1.Container) {
	if p.config.Port == 0 {
		return
	}
	c.StartupProbe = &corev1.Probe{
		ProbeHandler: p.asked(), PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: seconds(p.healthTimeout()),
	}
	c.ReadinessProbe = &corev1.Probe{ProbeHandler: p.asked(), PeriodSeconds: 2, TimeoutSeconds: 2, FailureThreshold: 2}
	c.LivenessProbe = &corev1.Probe{ProbeHandler: connected(), PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 6}
}

func (p pod) asked() corev1.ProbeHandler {
	path := p.config.Health.Path
	switch path {
	case connectOnly:
		return connected()
	case "":
		path = "/"
	}
	return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString(portHTTP)}}
}

func connected() corev1.ProbeHandler {
	return corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(portHTTP)}}
}
