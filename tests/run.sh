#!/usr/bin/env bash
# Runs every test. A part whose tool is missing is left out and named at the end; with STRICT=1 it
# is a failure.
set -u
cd "$(dirname "$0")/.."
failed=()
left_out=()

run() {
  printf '\n== %s\n' "$1"
  make --no-print-directory "$2" || failed+=("$1")
}

# part, target, then pairs of a tool and what installs it
run_if() {
  local part=$1 target=$2
  shift 2
  local missing=()
  while (($#)); do
    command -v "$1" >/dev/null 2>&1 || missing+=("$1: $2")
    shift 2
  done
  if ((${#missing[@]})); then
    left_out+=("$part" "${missing[@]/#/    needs }")
  else
    run "$part" "$target"
  fi
}

run 'engine, host and command' unit-tests
run_if 'end to end, on the built module' e2e-tests bats 'apt-get install bats' jq 'apt-get install jq'
run_if 'the size of the module' size-test wasm-opt 'apt-get install binaryen'
run_if 'a real registry' registry-tests bats 'apt-get install bats' jq 'apt-get install jq' \
  curl 'apt-get install curl' docker-registry 'apt-get install docker-registry' htpasswd 'apt-get install apache2-utils'
run 'the module from another folder' reproducible
run_if 'fuzz targets compile' fuzz-check c++ 'apt-get install g++'
run_if 'the playground in a browser' playground-tests chromium 'apt-get install chromium' \
  node 'apt-get install nodejs' npm 'apt-get install npm' wasm-bindgen '.ci/playground-tools' mdbook '.ci/playground-tools'

if ((${#left_out[@]})); then
  printf '\nLeft out:\n'
  printf '  %s\n' "${left_out[@]}"
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
