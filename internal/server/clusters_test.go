package server

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/shiplock/shiplock/internal/api"
	"github.com/shiplock/shiplock/internal/diagnose/checkup"
)

// A cluster that answers says its version, and of another one it is said why not.
func TestListClusters(t *testing.T) {
	w := newWorld(t)
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "ops", Documents: []api.Document{
		{Kind: "Cluster", Name: "east", Spec: json.RawMessage(`{"kubeconfig":"/etc/east"}`)},
		{Kind: "Cluster", Name: "west", Spec: json.RawMessage(`{"kubeconfig":"/etc/west"}`)},
		{Kind: "Environment", Name: "prod", Spec: json.RawMessage(`{"branch":"release","rank":4,"cluster":"west","namespace":"prod"}`)},
	}}, nil)
	w.examiner = seen{Clusters: []checkup.Cluster{
		{Name: "east", Place: checkup.Place{Host: "https://east", Version: "v1.34.1"}},
		{Name: "west", Place: checkup.Place{Host: "https://west", Err: errors.New("connection refused")}},
	}}
	list := func() []api.Cluster {
		var page api.Page[api.Cluster]
		w.ok("GET", "/api/v1/clusters", nil, &page)
		return page.Items
	}
	first := list()
	if len(first) != 2 {
		t.Fatalf("%+v", first)
	}
	east, west := first[0], first[1]
	if east.Name != "east" || east.Version != "v1.34.1" || east.Cause != nil || len(east.Environments) != 0 {
		t.Errorf("%+v", east)
	}
	if c := west.Cause; west.Version != "" || c == nil || c.Code != "doctor.cluster_away" || !strings.Contains(c.Text, "https://west does not answer us: connection refused") || c.Next == "" {
		t.Errorf("%+v", west)
	}
	w.examiner = seen{}
	if list()[0].Version != "v1.34.1" {
		t.Error("they are asked again for every list")
	}
	w.ok("POST", "/api/v1/catalog", api.Apply{Manager: "more", Documents: []api.Document{{Kind: "Cluster", Name: "north", Spec: json.RawMessage(`{"kubeconfig":"/etc/north"}`)}}}, nil)
	if now := list(); len(now) != 3 || now[1].Name != "north" || now[0].Version != "" {
		t.Errorf("after a change of the catalog: %+v", now)
	}
}
