#!/usr/bin/env bats
# The commands of docs/install.md that need no cluster: each block `sh run`, against a registry on
# loopback in place of the ones that the page names.

load docker-registry

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  leave_the_user_alone
  REGISTRY=$(start_registry registry)
  export REGISTRY
  KWCTL=target/debug/policy-host release/push.sh "$REGISTRY/rollout-guard" >"$BATS_FILE_TMPDIR/pushed"
  mkdir "$BATS_FILE_TMPDIR/blocks"
  awk -v folder="$BATS_FILE_TMPDIR/blocks" '
    /^```/ { inside = 0 }
    inside { print >(folder "/" number ".sh") }
    /^```sh run$/ { inside = 1; number++ }' docs/install.md
  sed -i "s|ghcr\.io/rollout-guard|$REGISTRY/rollout-guard|g; s|registry\.example\.com|$REGISTRY/inside|g" "$BATS_FILE_TMPDIR"/blocks/*
}

teardown_file() {
  stop_registries
}

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  PATH=$PWD/target/debug:$PATH
}

# A block in a folder of its own.
run_block() {
  local folder=$BATS_TEST_TMPDIR/$1
  mkdir "$folder"
  ln -s "$PWD/examples" "$folder/examples"
  (cd "$folder" && bash -euo pipefail "$BATS_FILE_TMPDIR/blocks/$1.sh")
}

@test "every block runs" {
  count=$(find "$BATS_FILE_TMPDIR/blocks" -type f | wc -l)
  [ "$count" -ge 5 ]
  for ((number = 1; number <= count; number++)); do
    run_block "$number"
  done
}

@test "what goes into another registry keeps its digest" {
  block=$(grep -l "push policy.wasm registry://$REGISTRY/inside" "$BATS_FILE_TMPDIR"/blocks/*)
  run_block "$(basename "$block" .sh)" >"$BATS_TEST_TMPDIR/said"
  digest() {
    grep -oE "$1@sha256:[0-9a-f]{64}" "$BATS_TEST_TMPDIR/said" | cut -d @ -f 2
  }
  [ "$(digest "$REGISTRY/rollout-guard/rollout-guard")" = "$(digest "$REGISTRY/inside/policies/rollout-guard")" ]
  [ -n "$(digest "$REGISTRY/inside/policies/rollout-guard")" ]
}
