SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# kwctl where it is installed, else the host in crates/host, which takes the same arguments.
POLICY_HOST := target/debug/policy-host
KWCTL ?= $(shell command -v kwctl || echo $(POLICY_HOST))
EXAMPLE ?= 01-trusted-registries
CARGO_HOME ?= $(HOME)/.cargo

# What a failed arithmetic or slice names is not where this machine keeps its sources, and the
# linker need not leave room for longer numbers than it wrote.
WASM_RUSTFLAGS := --remap-path-prefix=$(CARGO_HOME)/registry/src=registry \
	--remap-path-prefix=$(CURDIR)=rollout-guard \
	-C link-arg=--compress-relocations
# The first build takes minutes, so Cargo shows what it does; later ones are quiet.
QUIET = $(if $(wildcard $(1)),--quiet)
WASM_CARGO = RUSTFLAGS='$(WASM_RUSTFLAGS)' cargo rustc --locked $(call QUIET,$@) --lib --crate-type cdylib --release --target wasm32-wasip1
WASM_OUT := target/wasm32-wasip1/release

.PHONY: help build run test unit-tests e2e-tests registry-tests fuzz-check bench growth lint fmt clean host FORCE

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: annotated-policy.wasm ## build policy.wasm and annotated-policy.wasm

run: build host ## judge an example: make run EXAMPLE=02-docker-hub-refused
	@test -d examples/$(EXAMPLE) || { echo "no such example: $(EXAMPLE), there are: $$(ls examples | tr '\n' ' ')" >&2; exit 2; }
	@$(KWCTL) run --request-path examples/$(EXAMPLE)/request.json --settings-path examples/$(EXAMPLE)/settings.yaml annotated-policy.wasm \
	  | $(POLICY_HOST) show --request-path examples/$(EXAMPLE)/request.json --settings-path examples/$(EXAMPLE)/settings.yaml

test: ## run all tests; with STRICT=1 a missing tool is a failure
	@bash tests/run.sh

unit-tests: policy.wasm ## run the tests of the engine, of the host and of the command
	POLICY_WASM='$(CURDIR)/policy.wasm' cargo test --locked --workspace --all-targets
	cargo test --locked --workspace --doc

e2e-tests: build host ## run the built module as Kubewarden would
	KWCTL='$(KWCTL)' bats $(filter-out e2e-tests/registry.bats,$(wildcard e2e-tests/*.bats))

registry-tests: build host ## ask a real registry on loopback whether an image exists
	KWCTL='$(KWCTL)' bats e2e-tests/registry.bats

fuzz-check: ## compile the fuzz targets
	cargo check --locked --manifest-path fuzz/Cargo.toml

bench: policy.wasm accept-all.wasm ## compare with a policy that accepts everything, and the command with a YAML parser
	@cargo build --locked $(call QUIET,target/release/policy-host) --profile bench -p policy-host
	@bash benches/request.sh 7 1048576 >target/request-1-MiB.json
	target/release/policy-host bench --baseline accept-all.wasm --request-path benches/deployment.json \
	  policy.wasm,name=images,settings=benches/images.yaml,at-least=0.83 \
	  policy.wasm,name=images-1-MiB,request=target/request-1-MiB.json,settings=benches/images.yaml,at-least=0.25 \
	  policy.wasm,name=mirrors,settings=benches/mirrors.yaml,at-least=0.70 \
	  policy.wasm,name=ack,settings=bundles/ack/settings.yaml \
	  policy.wasm,name=changes,settings=benches/changes.yaml,request=benches/update.json,at-least=0.77
	target/release/policy-host bench --baseline accept-all.wasm --request-path benches/service.json \
	  policy.wasm,name=ack,settings=bundles/ack/settings.yaml
	target/release/policy-host bench --fuel --baseline accept-all.wasm --request-path benches/deployment.json \
	  policy.wasm,name=images,settings=benches/images.yaml
	cargo bench --locked --quiet -p rollout-guard-cli --bench check

growth: policy.wasm host ## count instructions as images, settings and objects grow
	@bash benches/growth.sh policy.wasm

lint: ## check format and lints
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet

fmt: ## format the code
	cargo fmt --all

clean: ## remove what was built
	cargo clean
	rm -f policy.wasm annotated-policy.wasm accept-all.wasm

host:
	@cargo build --locked $(call QUIET,$(POLICY_HOST)) -p policy-host

# Cargo knows whether anything is to be done.
policy.wasm: FORCE
	@$(WASM_CARGO) -p rollout-guard
	@cmp -s $(WASM_OUT)/rollout_guard.wasm $@ || cp $(WASM_OUT)/rollout_guard.wasm $@

accept-all.wasm: FORCE
	@$(WASM_CARGO) -p accept-all
	@cmp -s $(WASM_OUT)/accept_all.wasm $@ || cp $(WASM_OUT)/accept_all.wasm $@

annotated-policy.wasm: policy.wasm metadata.yml README.md | host
	@$(KWCTL) annotate --metadata-path metadata.yml --usage-path README.md --output-path $@ policy.wasm

FORCE:
