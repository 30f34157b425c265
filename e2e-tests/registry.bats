#!/usr/bin/env bats
# Questions to a real registry, Debian's `docker-registry`, which the tests run on loopback.

load docker-registry

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  leave_the_user_alone
  REGISTRY=$(start_registry registry)
  export REGISTRY
  DIGEST=$(push library/redis 7.2)
  export DIGEST
}

teardown_file() {
  stop_registries
}

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
}

# An image without layers; prints the digest that the registry gives it.
push() {
  local url="http://$REGISTRY/v2/$1" location digest
  location=$(curl -fsS -X POST -D - -o "$BATS_FILE_TMPDIR/body" "$url/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  digest=sha256:$(printf '{}' | sha256sum | cut -d ' ' -f 1)
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary '{}' "$location&digest=$digest"
  jq -cn --arg digest "$digest" '{
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [],
    config: {mediaType: "application/vnd.oci.image.config.v1+json", size: 2, digest: $digest}
  }' >"$BATS_FILE_TMPDIR/manifest.json"
  curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
    --data-binary "@$BATS_FILE_TMPDIR/manifest.json" -D - "$url/manifests/$2" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //p'
}

@test "the host asks for a digest, and passes on the registry's words" {
  [[ "$DIGEST" == sha256:* ]]
  run cargo test --locked --quiet --workspace --test it -- --ignored --exact registry::run_asks_a_real_registry
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'1 passed'* ]]
}

# A Pod of these images, judged with a mirror that is asked first.
# usage: judge REGISTRY ON-CHECK-ERROR IMAGE...; GRANTED= takes the host capability away
judge() {
  local mirror=$1/library on_error=$2 arguments=(--allowed-host-capabilities)
  shift 2
  arguments+=(${GRANTED-oci/v1/manifest_digest})
  # kwctl asks by plain HTTP only where it is told to.
  if "$KWCTL" run --help | grep -qe --sources-path; then
    jq -n --arg registry "$REGISTRY" '{insecure_sources: [$registry]}' >"$BATS_TEST_TMPDIR/sources.yaml"
    arguments+=(--sources-path "$BATS_TEST_TMPDIR/sources.yaml")
  fi
  jq -n '{
    uid: "1", operation: "CREATE", userInfo: {username: "alice"}, namespace: "shop", name: "web",
    kind: {group: "", version: "v1", kind: "Pod"}, resource: {group: "", version: "v1", resource: "pods"},
    object: {
      apiVersion: "v1", kind: "Pod", metadata: {name: "web", namespace: "shop"},
      spec: {containers: [$ARGS.positional | to_entries[] | {name: "c\(.key)", image: .value}]}
    }
  }' --args "$@" >"$BATS_TEST_TMPDIR/request.json"
  jq -n --arg mirror "$mirror" --arg on_error "$on_error" \
    '{mirrors: [{source: "docker.io/library", mirror: $mirror, checkExists: true, onCheckError: $on_error}]}' \
    >"$BATS_TEST_TMPDIR/settings.json"
  "$KWCTL" run --request-path "$BATS_TEST_TMPDIR/request.json" --settings-path "$BATS_TEST_TMPDIR/settings.json" \
    "${arguments[@]}" -- annotated-policy.wasm >"$BATS_TEST_TMPDIR/answer.json"
  jq . "$BATS_TEST_TMPDIR/answer.json"
}

answer() {
  jq -r "$1" "$BATS_TEST_TMPDIR/answer.json"
}

# What the patch does, one line for each operation.
patched() {
  answer '(.patch // "W10=") | @base64d | fromjson[] | "\(.op) \(.path) \(.value)"'
}

@test "an image that the mirror has is pulled from there" {
  judge "$REGISTRY" keep redis:7.2
  [ "$(answer .allowed)" = true ]
  [ "$(patched)" = "replace /spec/containers/0/image $REGISTRY/library/redis:7.2" ]
}

@test "an image that the mirror does not have stays, with a warning, whatever is done on errors" {
  for on_error in keep rewrite reject; do
    judge "$REGISTRY" "$on_error" redis:404 redis:7.2 valkey:8
    [ "$(answer .allowed)" = true ]
    [ "$(patched)" = "replace /spec/containers/1/image $REGISTRY/library/redis:7.2" ]
    answer '.warnings[]' | grep -F "$REGISTRY/library/redis:404"
    answer '.warnings[]' | grep -F "$REGISTRY/library/valkey:8"
  done
}

@test "where the registry does not answer, an image is kept, rewritten or refused" {
  judge 127.0.0.1:1 keep redis:7.2
  [ "$(answer .allowed)" = true ]
  [ -z "$(patched)" ]
  answer '.warnings[]' | grep -F '127.0.0.1:1/library/redis:7.2'

  judge 127.0.0.1:1 rewrite redis:7.2
  [ "$(answer .allowed)" = true ]
  [ "$(patched)" = 'replace /spec/containers/0/image 127.0.0.1:1/library/redis:7.2' ]

  judge 127.0.0.1:1 reject redis:7.2
  [ "$(answer .allowed)" = false ]
  [ "$(answer .status.code)" = 403 ]
  [ -z "$(patched)" ]
  answer .status.message | grep -F '127.0.0.1:1/library/redis:7.2'
}

@test "a number that looks like a missing page is none" {
  # `404` stands in the address that the host's error names.
  judge 127.0.0.1:404 reject redis:7.2
  [ "$(answer .allowed)" = false ]
  judge 127.0.0.1:1 reject redis:404
  [ "$(answer .allowed)" = false ]
}

@test "without the host capability it is as if the registry did not answer" {
  GRANTED= judge "$REGISTRY" keep redis:7.2
  [ "$(answer .allowed)" = true ]
  [ -z "$(patched)" ]
  GRANTED= judge "$REGISTRY" reject redis:7.2
  [ "$(answer .allowed)" = false ]
}
