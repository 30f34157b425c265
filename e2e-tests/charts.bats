#!/usr/bin/env bats
# The Helm charts: what Helm says of them, and that they render the manifests of the bundles.

setup() {
  cd "$BATS_TEST_DIRNAME/.."
  # Where `make tools` puts it.
  PATH=$PWD/target/tools/bin:$PATH
  if ! command -v helm >/dev/null; then
    [ "${STRICT-}" != 1 ] || { echo 'STRICT=1: install helm' >&2; return 1; }
    skip 'helm is not installed'
  fi
  chart=$BATS_TEST_TMPDIR/chart
}

# The objects of files as Helm reads them, in order of their names.
as_json() {
  local reader=$BATS_TEST_TMPDIR/reader file
  rm -rf "$reader" && mkdir -p "$reader/templates" "$reader/files"
  printf 'apiVersion: v2\nname: reader\nversion: 1.0.0\n' >"$reader/Chart.yaml"
  echo '{{ range $path, $_ := .Files.Glob "files/*" }}
---
json: {{ $.Files.Get $path | fromYaml | toJson | quote }}
{{ end }}' >"$reader/templates/all.yaml"
  for file in "$@"; do
    cp "$file" "$reader/files/$(basename "$file")"
  done
  helm template x "$reader" | sed -n 's/^json: //p' | jq -s 'map(fromjson) | sort_by(.metadata.name)'
}

@test "the chart of a bundle renders its manifests" {
  for bundle in bundles/*/; do
    rm -rf "$chart" "$BATS_TEST_TMPDIR"/rendered-*
    target/debug/policy-host scaffold chart --bundle "$bundle" -o "$chart"
    helm lint "$chart"
    helm template x "$chart" >"$BATS_TEST_TMPDIR/rendered.yaml"
    # Each policy in a file of its own, and all of them as Helm reads them.
    csplit --quiet --elide-empty-files --prefix "$BATS_TEST_TMPDIR/rendered-" "$BATS_TEST_TMPDIR/rendered.yaml" '/^---$/' '{*}'
    run as_json "$BATS_TEST_TMPDIR"/rendered-*
    [ "$status" -eq 0 ]
    rendered=$output
    run as_json "$bundle"policy*.yaml
    [ "$(jq length <<<"$output")" -gt 0 ]
    [ "$rendered" = "$output" ]
  done
}

@test "the chart of the policy wants a policy, and renders it" {
  target/debug/policy-host scaffold chart -o "$chart"
  helm lint "$chart"
  run helm template x "$chart"
  [ "$status" -ne 0 ]
  [[ "$output" == *'name at least one'* ]]
  echo '{"policies": {"mine": {"spec": {"mutating": false, "rules": [], "settings": {"tags": {"reject": ["on"]}}}}}}' >"$BATS_TEST_TMPDIR/values.json"
  run helm template x "$chart" --values "$BATS_TEST_TMPDIR/values.json"
  [ "$status" -eq 0 ]
  [[ "$output" == *'kind: ClusterAdmissionPolicy'* ]]
  [[ "$output" == *'module: registry://ghcr.io/rollout-guard/rollout-guard:v0.1.0'* ]]
  [[ "$output" == *'- "on"'* ]]
}
