#!/usr/bin/env bash
# Runs all tests. A part whose tool is missing is skipped and named at the end; with STRICT=1 it is a
# failure.
set -u
cd "$(dirname "$0")/.." || exit
failed=()
left_out=()
times=()

run() {
  local start=$SECONDS
  printf '\n== %s\n' "$1"
  make --no-print-directory "$2" || failed+=("$1")
  times+=("$(printf '%4d s  %s' $((SECONDS - start)) "$1")")
}

# part, target, then the tools that it needs
run_if() {
  local part=$1 target=$2 missing
  shift 2
  missing=$(scripts/tools.sh --missing "$@") || exit
  if [ -n "$missing" ]; then
    left_out+=("$part: needs $missing")
  else
    run "$part" "$target"
  fi
}

run 'engine, host and command' unit-tests
# These tests are part of the ones above, and skip what is missing.
missing=$(scripts/tools.sh --missing fish script zsh) || exit
[ -z "$missing" ] || left_out+=("completions and terminals: needs $missing")
missing=$(scripts/tools.sh --missing helm kubectl) || exit
[ -z "$missing" ] || left_out+=("what kustomize and Helm build: needs $missing")
run_if 'end to end, on the built module' e2e-tests bats jq
run_if 'the size of the module' size-test wasm-opt
run_if 'a real registry' registry-tests bats jq curl docker-registry htpasswd
if command -v rustup >/dev/null 2>&1; then
  run 'the module from another folder, with a toolchain that lacks its target' bare-machine-test
else
  # The targets of a distribution's Rust are its packages.
  run 'the module from another folder' reproducible
fi
run_if 'fuzz targets compile' fuzz-check c++
run_if 'the playground in a browser' playground-tests chromium node npm wasm-bindgen mdbook
run_if 'installed without a compiler' distribution-tests bats buildah curl docker-registry git jq python3 unshare
run_if 'scripts and Dockerfile' shell-lint python3 shellcheck

printf '\n'
printf '%s\n' "${times[@]}"
if ((${#left_out[@]})); then
  printf '\nLeft out:\n'
  printf '  %s\n' "${left_out[@]}"
  echo 'To install all that is missing: make tools'
  if [ "${STRICT:-0}" = 1 ]; then
    echo 'STRICT=1: nothing may be left out'
    exit 1
  fi
fi
if ((${#failed[@]})); then
  printf '\nFailed:\n'
  printf '  %s\n' "${failed[@]}"
  exit 1
fi
printf '\nAll tests passed.\n'
