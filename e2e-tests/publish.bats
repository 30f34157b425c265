#!/usr/bin/env bats
# From the built module to a registry and back: Debian's `docker-registry`, with and without users.

load docker-registry

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  leave_the_user_alone
  REGISTRY=$(start_registry open)
  htpasswd -Bbc "$BATS_FILE_TMPDIR/htpasswd" alice secret
  GUARDED=$(start_registry guarded "$BATS_FILE_TMPDIR/htpasswd")
  VERSION=$(release/version.sh)
  export REGISTRY GUARDED VERSION
}

teardown_file() {
  stop_registries
}

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  host=target/debug/policy-host
}

manifest() {
  curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/$1/manifests/$2"
}

# The credentials of one user in a Docker configuration of its own.
log_in() {
  export DOCKER_CONFIG=$BATS_TEST_TMPDIR/docker
  mkdir -p "$DOCKER_CONFIG"
  jq -n --arg registry "$GUARDED" --arg auth "$(printf %s "$1" | base64)" \
    '{auths: {($registry): {auth: $auth}}}' >"$DOCKER_CONFIG/config.json"
}

# What a command that fails leaves: a line, a code, and no file.
fails() {
  local code=$1 said=$2
  shift 2
  run "$@"
  echo "$output"
  [ "$status" -eq "$code" ]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" == "error: "*"$said"* ]]
  [ -z "$(find "$BATS_TEST_TMPDIR" -name '*pulled*')" ]
}

@test "a module that is pushed is pulled as it was, shows its metadata and judges as before" {
  "$host" push annotated-policy.wasm "registry://$REGISTRY/guard:v$VERSION" | tee "$BATS_TEST_TMPDIR/pushed"
  mkdir "$BATS_TEST_TMPDIR/new"
  "$host" pull -o "$BATS_TEST_TMPDIR/new/policy.wasm" "$REGISTRY/guard:v$VERSION" | tee "$BATS_TEST_TMPDIR/pulled"
  diff <(sed 's/.*: //' "$BATS_TEST_TMPDIR/pushed") <(sed 's/.*: //' "$BATS_TEST_TMPDIR/pulled")
  cmp annotated-policy.wasm "$BATS_TEST_TMPDIR/new/policy.wasm"
  [ "$(ls -A "$BATS_TEST_TMPDIR/new")" = policy.wasm ]
  # What was said is what the registry has.
  [ "$(sed 's/.*@sha256://' "$BATS_TEST_TMPDIR/pushed")" = "$(manifest guard "v$VERSION" | sha256sum | cut -d ' ' -f 1)" ]

  "$host" inspect -o json "$BATS_TEST_TMPDIR/new/policy.wasm" >"$BATS_TEST_TMPDIR/metadata.json"
  [ "$(jq -r '.annotations["io.kubewarden.policy.version"]' "$BATS_TEST_TMPDIR/metadata.json")" = "$VERSION" ]
  [ "$(jq -c '.rules | length' "$BATS_TEST_TMPDIR/metadata.json")" -eq 5 ]
  for example in 01-trusted-registries 10-mirrors; do
    "$KWCTL" run --request-path "examples/$example/request.json" --settings-path "examples/$example/settings.yaml" \
      "$BATS_TEST_TMPDIR/new/policy.wasm" >"$BATS_TEST_TMPDIR/answer.json"
    diff <(jq -S . "$BATS_TEST_TMPDIR/answer.json") <(jq -S . "examples/$example/expected.json")
  done
}

@test "the artifact is the one that kwctl makes" {
  "$host" push annotated-policy.wasm "$REGISTRY/kwctl:1"
  manifest kwctl 1 >"$BATS_TEST_TMPDIR/manifest.json"
  jq -n --arg config "sha256:$(printf '{}' | sha256sum | cut -d ' ' -f 1)" \
    --arg layer "sha256:$(sha256sum <annotated-policy.wasm | cut -d ' ' -f 1)" \
    --argjson size "$(wc -c <annotated-policy.wasm)" '{
      schemaVersion: 2,
      config: {mediaType: "application/vnd.wasm.config.v1+json", digest: $config, size: 2},
      layers: [{mediaType: "application/vnd.wasm.content.layer.v1+wasm", digest: $layer, size: $size}]
    }' >"$BATS_TEST_TMPDIR/expected.json"
  diff <(jq -S 'del(.annotations)' "$BATS_TEST_TMPDIR/manifest.json") <(jq -S . "$BATS_TEST_TMPDIR/expected.json")
  # The annotations of the metadata but for those of several lines, and where the source is in OCI's words.
  diff <(jq -S .annotations "$BATS_TEST_TMPDIR/manifest.json") \
    <("$host" inspect -o json annotated-policy.wasm | jq -S '.annotations | del(.["io.kubewarden.policy.usage"])
      | .["org.opencontainers.image.source"] = .["io.kubewarden.policy.source"]')
}

@test "what is pushed twice is the same artifact, and can be pulled by its digest" {
  first=$("$host" push -o json annotated-policy.wasm "$REGISTRY/twice:1" | jq -r .immutable_ref)
  second=$("$host" push -o json annotated-policy.wasm "$REGISTRY/twice:2" | jq -r .immutable_ref)
  [ "$first" = "$second" ]
  "$host" pull -o "$BATS_TEST_TMPDIR/policy.wasm" "registry://$first"
  cmp annotated-policy.wasm "$BATS_TEST_TMPDIR/policy.wasm"
}

@test "make push pushes module and bundles, and says where they are" {
  make --no-print-directory push REGISTRY="$REGISTRY/org" KWCTL="$host" >"$BATS_TEST_TMPDIR/pushed"
  cat "$BATS_TEST_TMPDIR/pushed"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/pushed")" -eq "$((1 + $(find bundles -mindepth 1 -maxdepth 1 -type d | wc -l)))" ]
  grep -qE "^$REGISTRY/org/rollout-guard@sha256:[0-9a-f]{64}$" "$BATS_TEST_TMPDIR/pushed"
  bundle=$(grep "^$REGISTRY/org/bundles/ack@" "$BATS_TEST_TMPDIR/pushed")
  "$host" pull -o "$BATS_TEST_TMPDIR/ack" "$bundle"
  diff -r bundles/ack "$BATS_TEST_TMPDIR/ack"
  manifest org/bundles/ack "v$VERSION" |
    jq -e '.annotations["org.opencontainers.image.revision"] | test("^v[0-9.]+@sha1:[0-9a-f]{40}$")'
}

@test "a bundle is what oras and Flux read" {
  "$host" push bundles/ack "$REGISTRY/bundles/ack:1"
  manifest bundles/ack 1 >"$BATS_TEST_TMPDIR/manifest.json"
  blob() {
    curl -fsS "http://$REGISTRY/v2/bundles/ack/blobs/$1"
  }
  # oras: every layer with a title is a file of that name.
  jq -r '.layers[] | select(.annotations) | "\(.digest) \(.annotations["org.opencontainers.image.title"])"' \
    "$BATS_TEST_TMPDIR/manifest.json" >"$BATS_TEST_TMPDIR/files"
  while read -r digest name; do
    mkdir -p "$(dirname "$BATS_TEST_TMPDIR/oras/$name")"
    blob "$digest" >"$BATS_TEST_TMPDIR/oras/$name"
  done <"$BATS_TEST_TMPDIR/files"
  diff -r bundles/ack "$BATS_TEST_TMPDIR/oras"
  # Flux: the first layer is an archive of all files.
  [ "$(jq -r '.layers[0].mediaType' "$BATS_TEST_TMPDIR/manifest.json")" = application/vnd.cncf.flux.content.v1.tar+gzip ]
  mkdir "$BATS_TEST_TMPDIR/flux"
  blob "$(jq -r '.layers[0].digest' "$BATS_TEST_TMPDIR/manifest.json")" | tar -xz -C "$BATS_TEST_TMPDIR/flux"
  diff -r bundles/ack "$BATS_TEST_TMPDIR/flux"
}

@test "a registry with users takes the right one" {
  log_in alice:secret
  "$host" push annotated-policy.wasm "$GUARDED/guard:1"
  "$host" pull -o "$BATS_TEST_TMPDIR/policy.wasm" "$GUARDED/guard:1"
  cmp annotated-policy.wasm "$BATS_TEST_TMPDIR/policy.wasm"
}

@test "a registry with users refuses a wrong one and none, and no password is shown" {
  log_in alice:wr0ng
  fails 3 "\`$GUARDED\` does not accept the user and password" "$host" push annotated-policy.wasm "$GUARDED/guard:1"
  [[ "$output" != *wr0ng* && "$output" != *$(printf alice:wr0ng | base64)* ]]
  fails 3 "\`$GUARDED\` does not accept the user and password" "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$GUARDED/guard:1"
  [[ "$output" != *wr0ng* && "$output" != *$(printf alice:wr0ng | base64)* ]]
  rm "$DOCKER_CONFIG/config.json"
  fails 3 'wants credentials' "$host" push annotated-policy.wasm "$GUARDED/guard:1"
  fails 3 'wants credentials' "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$GUARDED/guard:1"
}

@test "a registry that is down, and a tag that it does not have" {
  fails 5 'cannot reach `127.0.0.1:1`: Connection refused' "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" 127.0.0.1:1/guard:1
  fails 5 'cannot reach `127.0.0.1:1`: Connection refused' "$host" push annotated-policy.wasm 127.0.0.1:1/guard:1
  "$host" push annotated-policy.wasm "$REGISTRY/tags:1"
  fails 4 "\`$REGISTRY\` does not have it (manifest unknown)" "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$REGISTRY/tags:2"
  fails 4 'does not have it' "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$REGISTRY/nothing:1"
}

@test "a layer that was changed in the registry" {
  "$host" push annotated-policy.wasm "$REGISTRY/changed:1"
  digest=$(manifest changed 1 | jq -r '.layers[0].digest')
  blob=$BATS_FILE_TMPDIR/open/storage/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data
  printf X | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
  fails 1 "another digest: expected \`$digest\`" "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$REGISTRY/changed:1"
  cp annotated-policy.wasm "$blob"
}

@test "an artifact of another type" {
  # An image, as any registry is full of.
  place=$(curl -fsS -X POST -D - -o /dev/null "http://$REGISTRY/v2/image/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  digest=sha256:$(sha256sum <README.md | cut -d ' ' -f 1)
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary @README.md "$place&digest=$digest"
  jq -cn --arg digest "$digest" --argjson size "$(wc -c <README.md)" '{
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $digest, size: $size},
    layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: $digest, size: $size}]
  }' >"$BATS_TEST_TMPDIR/manifest.json"
  curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
    --data-binary "@$BATS_TEST_TMPDIR/manifest.json" "http://$REGISTRY/v2/image/manifests/1"
  fails 1 'neither a policy nor a bundle: its layer is `application/vnd.oci.image.layer.v1.tar+gzip`' \
    "$host" pull -o "$BATS_TEST_TMPDIR/pulled.wasm" "$REGISTRY/image:1"
}

# A small disk of its own for one command, with a file on it that has to stay as it was.
on_a_small_disk() {
  unshare --map-root-user --mount bash -euc '
    disk=$0
    mount -t tmpfs -o size=16k none "$disk"
    echo older >"$disk/policy.wasm"
    status=0
    "$@" || status=$?
    [ "$(ls -A "$disk")" = policy.wasm ]
    [ "$(cat "$disk/policy.wasm")" = older ]
    exit "$status"' "$@"
}

@test "a disk that is full keeps what was there, and gets no half file" {
  "$host" push annotated-policy.wasm "$REGISTRY/full:1"
  "$host" push bundles/ack "$REGISTRY/full-bundle:1"
  disk=$BATS_TEST_TMPDIR/disk
  mkdir "$disk"
  for target in policy.wasm:full:1 ack:full-bundle:1; do
    run on_a_small_disk "$disk" "$host" pull -o "$disk/${target%%:*}" "$REGISTRY/${target#*:}"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$output" = "error: cannot write \`$disk/${target%%:*}\`: the disk is full" ]
  done
}
