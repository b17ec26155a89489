package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	"github.com/shiplock/shiplock/internal/delivery"
	"github.com/shiplock/shiplock/internal/manifest"
)

// at connects to an API server that answers what handle says of the object that it was
// sent.
func at(t *testing.T, handle func(r *http.Request, o runtime.Object) (int, runtime.Object)) *Client {
	t.Helper()
	codecs := serializer.NewCodecFactory(scheme())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		o, _, err := codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		status, answer := handle(r, o)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{"apiVersion":"v1","kind":"Config","current-context":"it","contexts":[{"name":"it","context":{"cluster":"it","user":"it"}}],` +
		`"clusters":[{"name":"it","cluster":{"server":"` + s.URL + `"}}],"users":[{"name":"it","user":{}}]}`
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Connect(Config{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMissingRights(t *testing.T) {
	c := at(t, func(r *http.Request, o runtime.Object) (int, runtime.Object) {
		review := o.(*authorizationv1.SelfSubjectAccessReview)
		review.TypeMeta = metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"}
		do := review.Spec.ResourceAttributes
		review.Status.Allowed = do.Namespace == "prod" && do.Verb == "get" && do.Subresource == ""
		return http.StatusCreated, review
	})
	rights := []manifest.Right{
		{Namespace: "prod", Resource: "pods", Verb: "get"},
		{Namespace: "prod", Resource: "pods/log", Verb: "get"},
		{Namespace: "prod", Group: "apps", Resource: "deployments", Verb: "get"},
		{Namespace: "prod", Group: "apps", Resource: "deployments", Verb: "patch"},
	}
	missing, err := c.Missing(t.Context(), rights)
	if want := []manifest.Right{rights[1], rights[3]}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("%v, %v, want %v", missing, err, want)
	}
}

// What is tried is never made: each request says so.
func TestTryMakesNothing(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	refusal := &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Reason: metav1.StatusReasonNotFound, Code: 404, Message: "namespaces \"gone\" not found"}
	c := at(t, func(r *http.Request, o runtime.Object) (int, runtime.Object) {
		if r.Method != http.MethodPost || r.URL.Query().Get("dryRun") != "All" {
			t.Errorf("%s %s is no trial", r.Method, r.URL)
		}
		object := o.(*corev1.ConfigMap)
		if object.Namespace == "gone" {
			return http.StatusNotFound, refusal
		}
		object.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}
		object.CreationTimestamp = metav1.Time{Time: now}
		return http.StatusCreated, object
	})
	if at, err := c.TryNamespace(t.Context(), "prod"); err != nil || !at.Equal(now) {
		t.Errorf("%s, %v", at, err)
	}
	if _, err := c.TryNamespace(t.Context(), "gone"); delivery.KindOf(err) != delivery.NotFound {
		t.Errorf("of a namespace that is not there it is said: %v", err)
	}
}
