#!/usr/bin/env bats
# Suites through the built module: it says the same as the command.

setup() {
  cd "$BATS_TEST_DIRNAME/.."
  cat >"$BATS_TEST_TMPDIR/suite.yaml" <<'EOF'
settings:
  registries: { allow: [registry.example.com] }
  mirrors: [{ source: docker.io/library, mirror: registry.example.com/hub, checkExists: true }]
cases:
  - name: an image is pulled from its mirror
    manifest: &pod { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: redis }] } }
    expect: { images: [registry.example.com/hub/redis] }
  - name: the mirror does not have it
    manifest: *pod
    missing: [registry.example.com/hub/redis]
    expect: { violations: [registry-not-allowed], warnings: [mirror-missing] }
EOF
}

@test "the module and the command agree on a suite, registries included" {
  run target/debug/rollout-guard test --module annotated-policy.wasm --host "$KWCTL" "$BATS_TEST_TMPDIR/suite.yaml"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"2 cases in 1 suite: all passed"* ]]
}

@test "another module is found out" {
  run target/debug/rollout-guard test --module accept-all.wasm --host "$KWCTL" "$BATS_TEST_TMPDIR/suite.yaml"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"the module differs: accepted true, here false"* ]]
}
