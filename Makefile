# make help lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# The go command of this computer, or one that scripts/go.sh fetches when a recipe first needs it.
ifeq ($(origin GO),undefined)
GO = $(eval GO := $$(or $$(shell scripts/go.sh),$$(error there is no go command)))$(GO)
endif
VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
BUILD_FLAGS = -ldflags '-s -w -X main.version=$(VERSION)'
SUDO := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo -E env PATH="$$PATH")
# The same flags everywhere, so that builds, tests and lint share what they compile.
export GOFLAGS := $(filter-out -trimpath,$(GOFLAGS)) -trimpath
export CGO_ENABLED := 0
# Lint vets everything, and nobody debugs the tests' programs: without both, tests build in two thirds of the time.
TEST = $(GO) test -vet=off -ldflags=-w
# The packages that have tests for root. They run from z to a, because test/applications compiles much, and does so
# best when the tests beside it have ended.
root_packages = $(shell grep -rl --include='*_test.go' '^//go:build .*root' internal test | xargs -n1 dirname | sort -ru | sed 's|^|./|')
GOLANGCI_VERSION := v2.15.0
GOLANGCI = $(shell $(GO) env GOPATH)/bin/golangci-lint

# The systems that aloft is built for. The local cloud is part of the builds for Linux.
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.PHONY: help demo build cross test images unit unit-beside-root root torture lint check bench gen

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: ## install missing packages, build, start the local cloud, deploy examples/tutorial
	@scripts/packages.sh "to run the local cloud" mmdebstrap ca-certificates git openssh-client curl
	@# Build the machines' image while the compiler runs. If that fails, the local cloud reports why.
	@$(GO) build -o bin/base-image ./cmd/base-image && { $(SUDO) bin/base-image /var/lib/aloft/images & image=$$!; $(MAKE) --no-print-directory build; wait $$image || true; }
	@$(SUDO) bin/aloft local start
	@$(SUDO) bin/aloft up examples/tutorial

build: ## build bin/aloft
	@$(GO) build $(BUILD_FLAGS) -o bin/aloft ./cmd/aloft

cross: $(PLATFORMS:%=cross/%) ## build bin/SYSTEM-ARCHITECTURE/aloft for every platform, and vet all packages there

cross/%:
	@echo $*
	@export GOOS=$(*D) GOARCH=$(*F); $(GO) vet ./... && \
		$(GO) build $(BUILD_FLAGS) -o bin/$(*D)-$(*F)/ ./cmd/aloft

test: ## install missing packages and run all tests
	@scripts/packages.sh "to run the tests" mmdebstrap ca-certificates git openssh-client curl nodejs nginx-light gunicorn iproute2 util-linux procps nftables e2fsprogs awscli python3 python3-boto3 ansible jq xz-utils 'chromium-headless-shell?' 'slirp4netns?'
	@# Tests for root mostly wait, so all other tests run beside them.
	@$(MAKE) --no-print-directory -j3 build images bin/javascript
	@$(MAKE) --no-print-directory -j2 root unit-beside-root

# The AWS SDK with which a program of docs/clients.md runs. The test skips it where there is no npm.
bin/javascript:
	@if command -v npm >/dev/null; then \
		npm install --prefix $@.new --loglevel=error --no-audit --no-fund --ignore-scripts \
			@aws-sdk/client-ec2@3.1169.0 >/dev/null && mv $@.new $@; \
	fi

unit-beside-root:
	@nice -n 10 $(MAKE) --no-print-directory unit

images: # the base image of all machines in tests, which otherwise each local cloud would build
	@$(GO) build -o bin/base-image ./cmd/base-image && $(SUDO) bin/base-image /var/cache/aloft-test

unit: ## tests that need no root
	@# With rarer garbage collection, tests on simulated clouds need a sixth less of the processors.
	GOGC=400 $(TEST) -shuffle=on -timeout 30m ./...

root: build ## tests on real machines and networks: two run, while the next is built
	$(SUDO) $(TEST) -tags root -count=1 -p 3 -exec '$(CURDIR)/scripts/testhost.sh' -timeout 45m -run 'Real' $(root_packages)

# What make torture does; make torture TORTURE='-seed 7 -kills 50' does other things.
TORTURE := -kills 1000 -outages 500 -cuts 10000 -run-kills 300 -plane-kills 200 -cycles 200 -soak 1h
torture: build ## kill everything at random moments, for hours, and report what was lost
	$(SUDO) $(GO) test -tags root -count=1 -timeout 24h -v ./test/torture -args $(TORTURE)

lint: ## gofmt, vet and the linters of .golangci.yml
	@[ -x $(GOLANGCI) ] || $(GO) install \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	PATH="$(dir $(GO)):$$PATH" $(GOLANGCI) run ./...

check: lint unit ## lint and unit tests, before every commit

bench: build ## benchmarks; each prints a table and one line of JSON
	@scripts/packages.sh "to run the benchmarks" mmdebstrap wrk nginx-light haproxy nftables
	$(SUDO) $(GO) run ./bench
	$(GO) run ./bench/manners
	$(GO) run ./bench/api
	$(GO) run ./bench/balancer
	$(SUDO) $(GO) run ./bench/failover
	$(SUDO) $(GO) run ./bench/release
	$(SUDO) $(GO) run ./bench/domain
	$(SUDO) $(GO) run ./bench/scaling
	$(SUDO) $(GO) run ./bench/neighbour
	$(SUDO) $(GO) run ./bench/flowlogs

gen: ## regenerate generated files
	$(GO) generate ./...
	$(GO) test ./internal/spec ./internal/cli -run UpToDate -update
