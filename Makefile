# Deskbell: every target does its own set-up on a machine with Go, Node and
# Debian packages at hand.
.PHONY: run demo build test lint bench release clean deps ui
SHELL := /bin/bash
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/deskbell/deskbell/internal/command.Version=$(VERSION)
export CGO_ENABLED := 0
GO_SOURCES := $(shell find . -name '*.go' -not -path './ui/node_modules/*' -not -name '*_test.go') go.mod go.sum
UI_SOURCES := $(shell find ui/src ui/public ui/locales -type f 2>/dev/null) ui/index.html ui/vite.config.ts ui/package.json ui/package-lock.json

run: build ## build and start on http://127.0.0.1:8090
	dist/deskbell serve

demo: build ## start with a sample company in ./demo_data
	dist/deskbell demo

build: dist/deskbell ## dist/deskbell

dist/deskbell: ui/dist/index.html $(GO_SOURCES)
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ .

ui: ui/dist/index.html

ui/node_modules/.package-lock.json: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run build

test: build ## all tests: Go, UI, browser
	scripts/need-chromium
	scripts/need-dovecot
	cd ui && npm test && npm run size
	cd ui && DESKBELL_BINARY=$(CURDIR)/dist/deskbell npm run stories
	CGO_ENABLED=0 DESKBELL_BINARY=$(CURDIR)/dist/deskbell go test -timeout 18m ./...

lint: ui/dist/index.html ## linters of Go and UI
	scripts/lint

bench: build ## benchmarks against their budgets
	scripts/bench

release: ui/dist/index.html ## binaries for Linux, macOS and Windows
	scripts/release '$(LDFLAGS)'

clean:
	rm -rf dist ui/dist/assets ui/dist/index.html ui/dist/.vite
