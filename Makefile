SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# kwctl if it is installed, else the runner in crates/runner, which takes the same arguments. The host
# in crates/policy-host adds registries, which take as long to build as everything else.
POLICY_RUNNER := target/debug/policy-runner
POLICY_HOST := target/debug/policy-host
KWCTL ?= $(shell command -v kwctl || echo $(POLICY_RUNNER))
REGISTRY_KWCTL = $(if $(filter $(POLICY_RUNNER),$(KWCTL)),$(POLICY_HOST),$(KWCTL))
EXAMPLE ?= 01-trusted-registries
CARGO_HOME ?= $(HOME)/.cargo

# Panic messages must not contain this machine's paths, and the linker should not pad numbers.
REMAP := --remap-path-prefix=$(CARGO_HOME)/registry/src=registry --remap-path-prefix=$(CURDIR)=rollout-guard
# The JSON reader uses SIMD, which Wasmtime and all browsers support.
SIMD := -C target-feature=+simd128
WASM_RUSTFLAGS := $(REMAP) $(SIMD) -C link-arg=--compress-relocations
# The first build takes minutes, so Cargo shows its progress; later ones are quiet. The module is built
# in parallel with others, where two progress bars would overwrite each other.
QUIET = $(if $(wildcard $(1)),--quiet)
# Make's job server would limit Cargo to the two jobs of `make -j2`; by itself it uses all processors.
CARGO := env -u MAKEFLAGS cargo
WASM_CARGO = RUSTFLAGS='$(WASM_RUSTFLAGS)' $(CARGO) rustc --locked --quiet --lib --crate-type cdylib --release --target wasm32-wasip1
WASM_OUT := target/wasm32-wasip1/release

# Without optimisation these compile in half the time, and they run for seconds.
TOOLS := target/tools/bin
CARGO_DENY := cargo-deny@0.20.2
CARGO_CYCLONEDX := cargo-cyclonedx@0.5.9

# Python tools, in their own environment.
PYTHON := target/tools/python

PLAYGROUND := crates/playground
# Its version must be that of the crate that the module was built with.
WASM_BINDGEN_VERSION = $(shell grep -A1 '^name = "wasm-bindgen"$$' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')

.PHONY: help build picture run runner wasm32-wasip1 wasm32-unknown-unknown test unit-tests e2e-tests registry-tests fuzz-check playground playground-tests bench growth lint deny advisories fmt clean host command
.PHONY: size-test push scaffold charts reproducible bare-machine-test distribution-tests release-dry-run binaries wheel tools shell-lint FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build policy.wasm and annotated-policy.wasm
	@$(if $(wildcard $(POLICY_RUNNER)),,echo 'The first build compiles the policy, and beside it Wasmtime to run it: about three minutes on two cores.' >&2)
	@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j2) annotated-policy.wasm

run: build runner ## judge an example: make run EXAMPLE=02-docker-hub-refused
	@test -d examples/$(EXAMPLE) || { echo "no such example: $(EXAMPLE), there are: $$(ls examples | tr '\n' ' ')" >&2; exit 2; }
	@$(KWCTL) run --request-path examples/$(EXAMPLE)/request.json --settings-path examples/$(EXAMPLE)/settings.yaml annotated-policy.wasm \
	  | $(POLICY_RUNNER) show --request-path examples/$(EXAMPLE)/request.json --settings-path examples/$(EXAMPLE)/settings.yaml

test: ## run all tests; with STRICT=1, a missing tool is a failure
	@bash tests/run.sh

unit-tests: policy.wasm ## run the tests of the engine, of the host and of the command
	POLICY_WASM='$(CURDIR)/policy.wasm' cargo test --locked --workspace --all-targets
	cargo test --locked --workspace --doc

e2e-tests: build host command accept-all.wasm ## run the built module as Kubewarden would
	KWCTL='$(KWCTL)' bats $(filter-out $(REGISTRY_TESTS) $(DISTRIBUTION_TESTS),$(wildcard e2e-tests/*.bats))

REGISTRY_TESTS := e2e-tests/images.bats e2e-tests/registry.bats e2e-tests/publish.bats e2e-tests/install.bats
registry-tests: build host command ## push to, pull from and query a real registry on loopback
	KWCTL='$(REGISTRY_KWCTL)' bats $(REGISTRY_TESTS)

DISTRIBUTION_TESTS := e2e-tests/distribution.bats
fuzz-check: ## compile the fuzz targets
	cargo check --locked --manifest-path fuzz/Cargo.toml

WEB_MODULE := target/wasm32-unknown-unknown/web/rollout_guard_playground.wasm
SMALLER_WEB := target/smaller-playground.wasm
playground: $(PLAYGROUND)/node_modules | wasm32-unknown-unknown ## build the documentation and the playground into dist/site
	@wasm-bindgen --version | grep -qxF 'wasm-bindgen $(WASM_BINDGEN_VERSION)' || { echo 'error: wasm-bindgen $(WASM_BINDGEN_VERSION) is missing: make tools' >&2; exit 2; }
	RUSTFLAGS='$(REMAP) $(SIMD)' cargo rustc --locked --lib --crate-type cdylib --profile web --target wasm32-unknown-unknown -p rollout-guard-playground
	@if command -v wasm-opt >/dev/null; then $(WASM_OPT) $(WEB_MODULE) -o $(SMALLER_WEB); else cp $(WEB_MODULE) $(SMALLER_WEB); fi
	wasm-bindgen --target web --no-typescript --remove-name-section --remove-producers-section --out-name engine \
	  --out-dir target/playground $(SMALLER_WEB)
	mdbook build
	rm -rf dist/site && mkdir -p dist && cp -r target/book dist/site
	node $(PLAYGROUND)/build.mjs target/playground dist/site/playground
	node $(PLAYGROUND)/check-site.mjs dist/site docs

picture: playground-tests ## renew the picture of the playground in README.md
	cp target/screenshots/readme.png docs/playground.png

playground-tests: playground policy.wasm host command ## test the built page in a browser
	TRIALS='$(CURDIR)/target/trials.json' cargo test --locked --workspace --test it the_page_agrees_with_the_policy
	POLICY_HOST='$(CURDIR)/$(POLICY_HOST)' ROLLOUT_GUARD='$(CURDIR)/target/debug/rollout-guard' node --test $(PLAYGROUND)/tests/browser/*.test.mjs

# If a request is changed, the host's own work costs half as much again as everything else: a module that
# gave the same answer at no cost would reach 0.67 with mirrors.
bench: policy.wasm accept-all.wasm ## compare with a policy that accepts everything, and the command with a YAML parser
	@cargo build --locked $(call QUIET,target/release/policy-host) --profile bench -p policy-host
	@bash benches/request.sh 7 1048576 >target/request-1-MiB.json
	target/release/policy-host bench --baseline accept-all.wasm --request-path benches/deployment.json \
	  policy.wasm,name=images,settings=benches/images.yaml,at-least=0.83 \
	  policy.wasm,name=images-1-MiB,request=target/request-1-MiB.json,settings=benches/images.yaml,at-least=0.25 \
	  policy.wasm,name=mirrors,settings=benches/mirrors.yaml,at-least=0.50 \
	  policy.wasm,name=ack,settings=bundles/ack/settings.yaml,at-least=0.77 \
	  policy.wasm,name=ack-service,request=benches/service.json,settings=bundles/ack/settings.yaml,at-least=0.66 \
	  policy.wasm,name=aws-service,request=benches/service-aws.json,settings=bundles/aws/settings.yaml,at-least=0.57 \
	  policy.wasm,name=azure-service,request=benches/service-azure.json,settings=bundles/azure/settings.yaml,at-least=0.52 \
	  policy.wasm,name=gke-service,request=benches/service-gke.json,settings=bundles/gke/settings.yaml,at-least=0.51 \
	  policy.wasm,name=ingress-nginx,request=benches/ingress.json,settings=bundles/ingress-nginx/settings.yaml,at-least=0.40 \
	  policy.wasm,name=ingress-nginx-strict,request=benches/ingress.json,settings=bundles/ingress-nginx-strict/settings.yaml,at-least=0.39 \
	  policy.wasm,name=retired-images,settings=bundles/retired-images/settings.yaml,at-least=0.63 \
	  policy.wasm,name=changes,settings=benches/changes.yaml,request=benches/update.json,at-least=0.77
	target/release/policy-host bench --fuel --baseline accept-all.wasm --request-path benches/deployment.json \
	  policy.wasm,name=images,settings=benches/images.yaml
	cargo bench --locked --quiet -p rollout-guard-cli --bench check

growth: policy.wasm host ## count instructions as images, settings and objects grow
	@bash benches/growth.sh policy.wasm

lint: ## check formatting and lints
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet

deny: $(TOOLS)/cargo-deny ## check the bans, licences and sources of all dependencies
	$< --workspace --locked check --allow license-exception-not-encountered bans licenses sources
	$< --manifest-path fuzz/Cargo.toml --config deny.toml --locked check --allow license-not-encountered bans licenses sources

advisories: $(TOOLS)/cargo-deny ## check RustSec's advisories, over the network
	$< --workspace --locked check advisories

push: build host ## push module and bundles: make push REGISTRY=ghcr.io/rollout-guard
	@POLICY_HOST='$(POLICY_HOST)' KWCTL='$(REGISTRY_KWCTL)' release/push.sh '$(REGISTRY)' $(PUSH_FLAGS)

scaffold: host ## renew artifacthub-pkg.yml
	$(POLICY_HOST) scaffold artifacthub -o artifacthub-pkg.yml

charts: host ## write the Helm charts of the policy and of the bundles, into dist/charts
	@rm -rf dist/charts && mkdir -p dist/charts
	@$(POLICY_HOST) scaffold chart -o dist/charts/rollout-guard
	@for bundle in bundles/*/; do $(POLICY_HOST) scaffold chart --bundle "$$bundle" -o "dist/charts/rollout-guard-$$(basename "$$bundle")"; done

reproducible: policy.wasm ## build the module in another folder, and compare
	@bash release/reproducible.sh policy.wasm

bare-machine-test: policy.wasm ## build the module with a toolchain that lacks its target, and compare
	@tests/bare-machine.sh policy.wasm

release-dry-run: build host $(TOOLS)/cargo-cyclonedx $(PYTHON)/bin/maturin ## build dist/, and release to a registry on loopback
	@release/dry-run.sh

binaries: ## build the released commands into dist/
	@release/binaries.sh dist

wheel: $(PYTHON)/bin/maturin ## build the released Python wheel into dist/
	@release/wheel.sh dist

# The part of a release that needs no compiler, for this machine: the static command and its wheel.
RELEASED := target/released
$(RELEASED): FORCE | $(PYTHON)/bin/maturin
	@rm -rf $@
	@. release/targets.sh && release/binaries.sh $@ "$$(command_target)"
	@release/wheel.sh $@

distribution-tests: $(RELEASED) ## install the release in every way that needs no compiler
	@release/checksums.sh $(RELEASED)
	RELEASED='$(CURDIR)/$(RELEASED)' PYTHON_TOOLS='$(CURDIR)/$(PYTHON)/bin' bats $(DISTRIBUTION_TESTS)

tools: ## install missing tools that the tests need
	@scripts/tools.sh

shell-lint: $(PYTHON)/bin/maturin ## check the scripts, those of the action, and the Dockerfile
	shellcheck --external-sources .ci/run scripts/*.sh release/*.sh tests/*.sh
	$(PYTHON)/bin/python -c 'import yaml; print("\n".join(step.get("run", "") for step in yaml.safe_load(open("action.yml"))["runs"]["steps"]))' \
	  | shellcheck --shell=bash -
	$(PYTHON)/bin/hadolint release/Dockerfile

fmt: ## format the code
	cargo fmt --all

clean: ## remove build output
	cargo clean
	rm -rf policy.wasm annotated-policy.wasm accept-all.wasm dist $(PLAYGROUND)/node_modules

# Rust's library for a target other than this machine.
wasm32-wasip1 wasm32-unknown-unknown:
	@scripts/rust-target.sh $@

# One program, with the dependency features of the whole workspace, so that tests share the build.
runner:
	@$(CARGO) build --locked $(call QUIET,$(POLICY_RUNNER)) --workspace --bin policy-runner

host:
	@$(CARGO) build --locked $(call QUIET,$(POLICY_HOST)) --workspace --bin policy-host

command:
	@$(CARGO) build --locked $(call QUIET,target/debug/rollout-guard) --workspace --bin rollout-guard

$(PLAYGROUND)/node_modules: $(PLAYGROUND)/package-lock.json
	npm ci --prefix $(PLAYGROUND) --no-audit --no-fund
	@touch $@

# Cargo decides whether to rebuild.
policy.wasm: FORCE | wasm32-wasip1
	@$(if $(wildcard $@),,echo 'Compiling the policy to policy.wasm: about a minute.' >&2)
	@$(WASM_CARGO) -p rollout-guard
	@cmp -s $(WASM_OUT)/rollout_guard.wasm $@ || cp $(WASM_OUT)/rollout_guard.wasm $@

accept-all.wasm: FORCE | wasm32-wasip1
	@$(WASM_CARGO) -p accept-all
	@cmp -s $(WASM_OUT)/accept_all.wasm $@ || cp $(WASM_OUT)/accept_all.wasm $@

# Binaryen makes the module 5 % smaller. It is used if it is installed; a release needs it.
# The lowest kilobyte of memory is the far end of the stack, which nothing reaches: its depth is bounded.
WASM_OPT = wasm-opt --merge-similar-functions -Oz --converge --low-memory-unused --enable-simd --enable-bulk-memory --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int
SMALLER := target/smaller-policy.wasm
annotated-policy.wasm: policy.wasm metadata.yml USAGE.md | $(if $(filter $(POLICY_RUNNER),$(KWCTL)),runner) $(if $(filter $(POLICY_HOST),$(KWCTL)),host)
	@if command -v wasm-opt >/dev/null; then $(WASM_OPT) policy.wasm -o $(SMALLER); else cp policy.wasm $(SMALLER); fi
	@$(KWCTL) annotate --metadata-path metadata.yml --usage-path USAGE.md --output-path $@ $(SMALLER)

size-test: build ## check the size of the annotated module
	@test "$$(wc -c <annotated-policy.wasm)" -le 450000 || { wc -c annotated-policy.wasm; exit 1; }

$(PYTHON)/bin/maturin: tests/requirements.txt
	python3 -m venv --clear $(PYTHON)
	$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(TOOLS)/cargo-deny:
	cargo install --locked --quiet --debug --root target/tools $(CARGO_DENY)

$(TOOLS)/cargo-cyclonedx:
	cargo install --locked --quiet --debug --root target/tools $(CARGO_CYCLONEDX)

FORCE:
