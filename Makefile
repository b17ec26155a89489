# Shiplock. `make help` lists what there is to do.
SHELL := /bin/bash
GO    ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

export CGO_ENABLED = 0

.PHONY: help build demo test check lint vuln e2e binaries-e2e cluster-e2e cluster-build cluster-up cluster-down cluster-purge image helm bench bench-cluster load soak fuzz generate clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/shiplock, bin/shiplock-runner and bin/shiplock-web
	@mkdir -p bin
	$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

demo: build ## a running server with the example apps: push, build, canary, roll back
	@bin/shiplock demo $(ARGS)

test: ## unit and conformance tests; needs nothing but Go and git
	$(GO) test ./...

check: lint vuln test e2e ## everything that must hold before a commit lands

lint: ## formatting, vet, stale generated files
	@test -z "$$(gofmt -l cmd deploy internal examples test)" || { gofmt -l cmd deploy internal examples test; echo 'run gofmt on these files' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff

vuln: ## known vulnerabilities in what is called, by the database that GOVULNDB names
	@GO=$(GO) test/vuln

e2e: binaries-e2e cluster-e2e ## everything through the real binaries, and builds on a real Kubernetes

binaries-e2e: build ## what needs no Kubernetes: scripts, hostile input, the demo, a small seed of chaos
	$(GO) test -count=1 -p 1 -tags e2e -skip '^TestCluster' ./internal/store ./internal/standard ./cmd/shiplock-web ./test/...

# Only root on Debian can bring the project's own cluster up; elsewhere the tests skip
# themselves, and say so. Its module is tested without vet, which would look at all of
# Kubernetes.
cluster-e2e: build ## what needs Kubernetes: the cluster of KUBECONFIG, or else the project's own
	@if [ -z "$$KUBECONFIG" ] && [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then \
	  test/cluster/build >/dev/null && cd test/cluster && $(GO) test -trimpath -vet=off ./...; fi
	$(GO) test -count=1 -p 1 -timeout 30m -tags e2e -run '^TestCluster' ./internal/executor/... ./internal/deployer/... ./test/...

cluster-build: ## Kubernetes for tests as one program, once: about 8 minutes on two cores
	@test/cluster/build

cluster-up: ## Kubernetes on this machine, for tests; prints the kubeconfig's path. As root, on Debian
	@$$(test/cluster/build) up

cluster-down: ## stop it, with its pods; its state stays
	@$$(test/cluster/build) down

cluster-purge: ## stop it and delete all of it
	@$$(test/cluster/build) purge

# IMAGE is where it goes, BASE an image with git; ARGS='-auth ~/.docker/config.json' logs in.
image: build ## the server's image: make image BASE=… IMAGE=registry.example.com/shiplock:1
	@$(GO) run -buildvcs=false ./deploy/image -base '$(BASE)' -dest '$(IMAGE)' -version '$(VERSION)' $(ARGS)

helm: ## Helm for tests and for deploy/shiplock.yaml, once: about 2 minutes; prints its path
	@test/helm/build

bench: build ## the promised figures, measured
	$(GO) test -count=1 -tags bench -v ./test/bench

bench-cluster: build ## builds in pods beside bare pods, and 100 releases at once, on the cluster of KUBECONFIG or the project's own
	$(GO) test -count=1 -tags e2e -timeout 60m -v -run '^TestClusterOverhead$$' ./test/pods -judged -pairs 5 -at-once 40 $(ARGS)
	$(GO) test -count=1 -tags e2e -timeout 60m -v -run '^TestCluster(Crowd|Canary|RollbackAfterBake|Drift)$$' ./test/releases -judged -crowd 100 -singles 20 -rounds 10

load: build ## 200 apps, 20 pushes/s for 2 minutes: one verdict
	$(GO) test -count=1 -tags bench -timeout 15m -v ./test/load $(ARGS)

soak: build ## the long runs: 300 kills, 220 of two servers on PostgreSQL, hostile steps in full size
	$(GO) test -count=1 -tags e2e -timeout 180m ./test/chaos -kills 300 -peer-kills 220 -peer-stops 12 -database-ends 50
	$(GO) test -count=1 -tags e2e -timeout 180m ./test/hostile -long
	$(GO) test -count=1 -tags e2e -timeout 300m -run '^TestCluster(Chaos|CutOff|DiskPressure|Hostile)$$' ./test/pods -chaos 300 -cut 60s -silent 60s -flood 10240
	$(GO) test -count=1 -tags e2e -timeout 180m -run '^TestClusterReleaseChaos$$' ./test/releases -canaries 20 -blows 125 -outage 30s

fuzz: ## every fuzz target for FUZZTIME (default 1m)
	@$(GO) list ./... | while read -r pkg; do \
	  for target in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),1m) "$$pkg" || exit 1; \
	  done; \
	done

generate: ## docs/state from the machines' tables, the chart's rules, deploy/shiplock.yaml
	$(GO) generate ./...
	deploy/plain > deploy/shiplock.yaml.new && mv deploy/shiplock.yaml.new deploy/shiplock.yaml

clean: ## remove what make made
	rm -rf bin
