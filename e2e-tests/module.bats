#!/usr/bin/env bats
# What the module is made of.

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  host=target/debug/policy-host
}

@test "no large regular expressions and no OCI types survive linking" {
  run grep -aqE 'regex-automata|regex-syntax|/regex-[0-9]|oci-spec|serde_yaml' policy.wasm
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

# `kwctl annotate` warns of a difference. It looks for the operations in the module's data.
@test "the metadata declare the host capabilities whose names are in the module" {
  for capability in crypto/v1/is_certificate_trusted kubernetes/{can_i,get_resource,list_resources_all,list_resources_by_namespace} \
    net/v1/dns_lookup_host oci/v1/{manifest_digest,oci_manifest,verify} oci/v2/verify; do
    ! grep -aqF "${capability#*/}" policy.wasm || echo "$capability"
  done >"$BATS_TEST_TMPDIR/found"
  "$host" inspect -o json annotated-policy.wasm | jq -r '.hostCapabilities[]' | diff - "$BATS_TEST_TMPDIR/found"
}

@test "cost grows in proportion to images, entries and objects, as docs/performance.md says" {
  grep -E '^\| [a-z]+.*( [0-9.]+ \|){4}$' docs/performance.md >"$BATS_TEST_TMPDIR/said"
  make --no-print-directory growth >"$BATS_TEST_TMPDIR/counted"
  paste -d '|' "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/counted"
  # Titles are equal and figures nearly so, and 900 more cost at most ten times as much as 90 more.
  paste -d '|' "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/counted" | awk -F ' *[|] *' '
    $2 != $9 { exit 1 }
    { for (column = 3; column <= 6; column++) if ($column < $(column + 7) * 0.9 || $column > $(column + 7) * 1.1) exit 1 }
    $13 - $12 > 10.5 * ($12 - $11) { exit 1 }
    END { if (NR != 3) exit 1 }'
}

@test "the examples cost the instructions that they cost before" {
  cases=()
  for example in examples/*/; do
    cases+=("policy.wasm,name=$(basename "$example"),request=$example/request.json,settings=$example/settings.yaml")
  done
  "$host" bench --fuel --json --request-path examples/01-trusted-registries/request.json "${cases[@]}" | jq -r '.[] | "\(.name) \(.total)"' >"$BATS_TEST_TMPDIR/fuel.txt"
  diff e2e-tests/fuel.txt "$BATS_TEST_TMPDIR/fuel.txt"
}

@test "the runner and the host annotate alike" {
  for program in policy-runner policy-host; do
    "target/debug/$program" annotate --metadata-path metadata.yml --usage-path USAGE.md --output-path "$BATS_TEST_TMPDIR/$program.wasm" policy.wasm
  done
  cmp "$BATS_TEST_TMPDIR/policy-runner.wasm" "$BATS_TEST_TMPDIR/policy-host.wasm"
}

@test "the runner names the program that asks registries" {
  run target/debug/policy-runner run --request-path examples/10-mirrors/request.json \
    --settings-json '{"mirrors":[{"source":"docker.io","mirror":"127.0.0.1:1/hub","checkExists":true}]}' annotated-policy.wasm
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'policy-host run'*'asks registries'* ]]
}
