#!/usr/bin/env bats
# The bundles, checked against themselves.

setup() {
  cd "$BATS_TEST_DIRNAME/.."
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
