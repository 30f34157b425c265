#!/usr/bin/env bats
# What the module is made of.

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  host=target/debug/policy-host
}

@test "the annotated module is at most 240 kB" {
  size=$(wc -c <annotated-policy.wasm)
  echo "$size bytes"
  [ "$size" -le 240000 ]
}

@test "no regular expressions and no OCI types survive linking" {
  run grep -aqE 'regex-automata|regex-syntax|oci-spec|serde_yaml' policy.wasm
  [ "$status" -eq 1 ]
}

@test "no path of the building machine is in it" {
  run grep -aqF "$HOME" policy.wasm
  [ "$status" -eq 1 ]
}

@test "the metadata is in it once, with the rules and the protocol version" {
  [ "$(grep -ao 'io.kubewarden.metadata' annotated-policy.wasm | wc -l)" -eq 1 ]
  "$host" inspect -o json annotated-policy.wasm >"$BATS_TEST_TMPDIR/metadata.json"
  [ "$(jq -r .protocolVersion "$BATS_TEST_TMPDIR/metadata.json")" = v1 ]
  [ "$(jq -c '[.rules[] | select(.resources == ["pods/ephemeralcontainers"]) | .operations]' "$BATS_TEST_TMPDIR/metadata.json")" = '[["UPDATE"]]' ]
}

@test "the examples cost the instructions that they cost before" {
  for example in examples/*/; do
    printf '%s %s\n' "$(basename "$example")" \
      "$("$host" bench --fuel --json --request-path "$example/request.json" --settings-path "$example/settings.yaml" policy.wasm | jq '.[0].total')"
  done >"$BATS_TEST_TMPDIR/fuel.txt"
  diff e2e-tests/fuel.txt "$BATS_TEST_TMPDIR/fuel.txt"
}
