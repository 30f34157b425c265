#!/usr/bin/env bats
# The bundles, checked against themselves.

setup() {
  cd "$BATS_TEST_DIRNAME/.."
}

# What settings do, in sentences; what only a cluster decides is left out.
explained() {
  target/debug/rollout-guard settings --explain "$1" | grep '^- ' | grep -v '^- In a cluster: '
}

@test "the manifests of each bundle do what its settings say, in monitor mode" {
  local bundle policy count=0
  for bundle in bundles/*/; do
    [ "$(wc -c <"$bundle/settings.yaml")" -le 40000 ]
    explained "$bundle/settings.yaml" >"$BATS_TEST_TMPDIR/settings"
    for policy in "$bundle"policy*.yaml; do
      echo "$policy"
      grep -qx '  mode: monitor' "$policy"
      # The second of two policies has this besides: the first one has rewritten the Pods.
      sed '/^    rewrite: never$/d' "$policy" >"$BATS_TEST_TMPDIR/policy.yaml"
      explained "$BATS_TEST_TMPDIR/policy.yaml" >"$BATS_TEST_TMPDIR/policy"
      [ -s "$BATS_TEST_TMPDIR/policy" ]
      diff "$BATS_TEST_TMPDIR/settings" "$BATS_TEST_TMPDIR/policy"
      count=$((count + 1))
    done
  done
  [ "$count" -ge "$(find bundles -mindepth 1 -maxdepth 1 -type d | wc -l)" ]
}

@test "no successor of a retired image is retired" {
  run scripts/successors.sh bundles/retired-images/settings.yaml target/debug/rollout-guard
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *" successors, none is retired" ]]
}

@test "a successor that is retired is found out" {
  sed 's|mirror: docker.io/istio,|mirror: quay.io/k8scsi,|; s|# Frozen as well|# Frozen|' bundles/retired-images/settings.yaml >"$BATS_TEST_TMPDIR/settings.yaml"
  run scripts/successors.sh "$BATS_TEST_TMPDIR/settings.yaml" target/debug/rollout-guard
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'image `quay.io/k8scsi'*'is rejected'* ]]
  [[ "$output" == *'image `docker.io/bitnamilegacy'*'is advised against'* ]]
}

@test "Istio's registries are warned about until they end, and refused from then on" {
  echo '{ apiVersion: apps/v1, kind: Deployment, metadata: { name: web }, spec: { template: { spec: { containers: [{ name: web, image: "gcr.io/istio-release/pilot:1.29.1" }] } } } }' >"$BATS_TEST_TMPDIR/web.yaml"
  run target/debug/rollout-guard check --now 2026-12-31 --settings bundles/retired-images/settings.yaml "$BATS_TEST_TMPDIR/web.yaml"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *"refused from 2027-01-01"*"use \`docker.io/istio/pilot:1.29.1\`"* ]]
  run target/debug/rollout-guard check --now 2027-01-01 --settings bundles/retired-images/settings.yaml "$BATS_TEST_TMPDIR/web.yaml"
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"is rejected by \`gcr.io/istio-release\`"* ]]
}
