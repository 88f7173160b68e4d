# KoproGo. `make help` lists the targets. Needs Go (see go.mod), make, bash and git; PostgreSQL and,
# for the tests, curl are installed by deploy/install-*.sh when they are missing and we are root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
# More arguments for the program that a target starts: make run ARGS="--server-port 9090".
ARGS ?=

# No C compiler is required anywhere but in test-race.
export CGO_ENABLED ?= 0

# git refuses a checkout owned by somebody else, and go build then fails for want of a revision.
ifneq ($(shell git status --porcelain >/dev/null 2>&1; echo $$?),0)
export GOFLAGS := $(GOFLAGS) -buildvcs=false
endif

# timetzdata: the calendar of Europe/Brussels works on machines without zone files.
BUILD_FLAGS := -trimpath -tags timetzdata

# ---------------------------------------------------------------------------------------- tests

# Rules and shapes: pure, no database, seconds.
UNIT_PACKAGES := ./events/... ./commands/...
# Packages whose tests talk to PostgreSQL, NATS or HTTP inside the test process.
INTEGRATION_PACKAGES := ./eventstore/... ./migrations/... ./commands/... ./projections/... \
	./queries/... ./api/... ./deploy/...
# The built program as a user starts it: processes, signals, exit codes.
E2E_PACKAGES := ./cmd/...
# Scenarios in French Gherkin.
BDD_TEST := ^TestFeatures$$
# Kill, cut and fill the disk. KOPROGO_KILLS says how often (10 unless set).
FAULT_TESTS := ^TestFault

# Settings of a server in the caller's shell must not reach the tests.
CLEAN_ENV := env -u DATABASE_URL -u MIGRATION_DATABASE_URL -u NATS_URL -u JWT_SECRET \
	-u MASTER_KEY_FILE -u DATA_DIR -u SERVER_HOST -u SERVER_PORT -u SMTP_URL -u TLS_CERT_FILE \
	-u TLS_KEY_FILE -u PUBLIC_URL -u LOG_LEVEL -u CORS_ALLOWED_ORIGINS -u RATE_LIMIT_PER_TOKEN
# -count=1: a cached pass says nothing about a database. -p 2: test binaries share one cluster.
TEST_FLAGS := -count=1 -p 2 -timeout 15m
# One throwaway PostgreSQL for the command that follows; its exit code is the command's.
WITH_CLUSTER := $(CLEAN_ENV) bin/testcluster --

.PHONY: help
help: ## Show the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run

.PHONY: run
run: postgresql build ## Start the product: embedded PostgreSQL and NATS, demo data, port 8080
	@exec bin/koprogo serve --dev $(ARGS)

.PHONY: dev
dev: postgresql ## The same, built and started again when a source file changes
	@exec .ci/dev $(ARGS)

.PHONY: build
build: ## Build bin/koprogo
	@$(GO) build $(BUILD_FLAGS) -o bin/koprogo ./cmd/koprogo

.PHONY: migrate
migrate: build ## Migrate the database of MIGRATION_DATABASE_URL, DATABASE_URL or DATA_DIR
	@bin/koprogo migrate $(ARGS)

.PHONY: docker-up
docker-up: data/compose/secrets ## Start PostgreSQL, NATS and the product in containers
	@docker compose --file deploy/compose.yaml up --build --detach --wait

.PHONY: docker-down
docker-down: ## Stop the containers and keep their volumes
	@docker compose --file deploy/compose.yaml down

##@ Test

.PHONY: test
test: postgresql curl bin/testcluster ## All tests of all packages, on one throwaway PostgreSQL
	@$(WITH_CLUSTER) $(GO) test $(TEST_FLAGS) ./...

.PHONY: test-unit
test-unit: ## Rules and events only: no database, seconds
	@$(CLEAN_ENV) $(GO) test -short -timeout 5m $(UNIT_PACKAGES)

.PHONY: test-integration
test-integration: postgresql bin/testcluster ## Log, projections, queries and HTTP on PostgreSQL
	@$(WITH_CLUSTER) $(GO) test $(TEST_FLAGS) -skip '$(FAULT_TESTS)|$(BDD_TEST)' \
		$(INTEGRATION_PACKAGES)

.PHONY: test-bdd
test-bdd: postgresql bin/testcluster ## The scenarios of api/features, in French
	@$(WITH_CLUSTER) $(GO) test $(TEST_FLAGS) -run '$(BDD_TEST)' -v ./api

.PHONY: test-e2e
test-e2e: postgresql curl bin/testcluster ## The built program: start, stop, exit codes, two servers
	@$(WITH_CLUSTER) $(GO) test $(TEST_FLAGS) -skip '$(FAULT_TESTS)' $(E2E_PACKAGES)

.PHONY: test-faults
test-faults: export KOPROGO_KILLS ?= 100
test-faults: postgresql bin/testcluster ## Kills, cut links, lost NATS, full disk: 100 of each kill
	@$(WITH_CLUSTER) $(GO) test -count=1 -p 1 -timeout 4h -run '$(FAULT_TESTS)' -v ./...

.PHONY: test-race
test-race: export CGO_ENABLED := 1
test-race: postgresql bin/testcluster ## All but the fault tests with the race detector (needs gcc)
	@$(WITH_CLUSTER) $(GO) test -race -count=1 -p 2 -timeout 30m -skip '$(FAULT_TESTS)' ./...

.PHONY: coverage
coverage: postgresql bin/testcluster ## Coverage of all packages: coverage.out, bin/coverage.html
	@$(WITH_CLUSTER) $(GO) test $(TEST_FLAGS) -coverpkg=./... -coverprofile=coverage.out ./...
	@$(GO) tool cover -html=coverage.out -o bin/coverage.html
	@awk -f .ci/coverage.awk coverage.out

.PHONY: bench
bench: postgresql build ## Appends and replays against their yardsticks, in the same run
	@$(CLEAN_ENV) bin/koprogo bench append $(ARGS)
	@$(CLEAN_ENV) bin/koprogo bench replay $(ARGS)
	@$(CLEAN_ENV) bin/koprogo bench http --for=10s --charges=1000 --buildings=50 $(ARGS)

##@ Care

.PHONY: lint
lint: .tools/golangci-lint ## Formatting, import rules, linters, an untidy go.mod
	@.tools/golangci-lint run --allow-parallel-runners ./...
	@$(GO) mod tidy -diff

.PHONY: lint-selftest
lint-selftest: .tools/golangci-lint ## Plant violations in a scratch copy; each must be named
	@.ci/lint-selftest

.PHONY: format
format: .tools/golangci-lint ## Format the Go files
	@.tools/golangci-lint fmt ./...

.PHONY: audit
audit: .tools/govulncheck ## Known vulnerabilities in what we call (needs the Go vulnerability database)
	@.ci/audit

.PHONY: install-hooks
install-hooks: ## Use the git hooks of .githooks in this checkout
	@git config core.hooksPath .githooks
	@echo 'Hooks of .githooks are in use; undo with: git config --unset core.hooksPath'

# ------------------------------------------------------------------------------- what they need

.PHONY: postgresql
postgresql:
	@bash deploy/install-postgresql.sh

.PHONY: curl
curl:
	@sh deploy/install-curl.sh

.PHONY: bin/testcluster
bin/testcluster:
	@$(GO) build -o $@ ./deploy/embedded/embeddedtest/cmd/testcluster

# Tools are pinned in tools/go.mod and built once through the Go module proxy.
.tools/golangci-lint: tools/go.mod tools/go.sum
	@echo 'Building golangci-lint (once, a minute or two)'
	@cd tools && $(GO) build -trimpath -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

.tools/govulncheck: tools/go.mod tools/go.sum
	@cd tools && $(GO) build -trimpath -o ../$@ golang.org/x/vuln/cmd/govulncheck
	@touch $@

# Made once. The folder is closed to others; the files are readable to the container's user.
data/compose/secrets:
	@mkdir -p data/compose && chmod 700 data/compose
	@mkdir -p $@.new
	@for name in database_password jwt_secret master_key postgres_password; do \
		head -c 32 /dev/urandom | base64 -w 0 >$@.new/$$name; done
	@chmod 444 $@.new/* && mv $@.new $@
