package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler("v7").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestHelloNamesItsVersion(t *testing.T) {
	if got := get("/").Body.String(); got != "go-hello v7\n" {
		t.Errorf("the answer is %q", got)
	}
}

func TestHealthy(t *testing.T) {
	if got := get("/healthz").Code; got != http.StatusOK {
		t.Errorf("the status is %d", got)
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	if got := get("/other").Code; got != http.StatusNotFound {
		t.Errorf("the status is %d", got)
	}
}
