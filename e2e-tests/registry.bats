#!/usr/bin/env bats
# Questions to a real registry, Debian's `docker-registry`, which the tests run on loopback.

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  # A proxy knows nothing of this machine's loopback.
  export no_proxy='*'
  cat >"$BATS_FILE_TMPDIR/config.yml" <<EOF
version: 0.1
log: { level: info }
storage: { filesystem: { rootdirectory: $BATS_FILE_TMPDIR/storage } }
http: { addr: "127.0.0.1:0" }
EOF
  docker-registry serve "$BATS_FILE_TMPDIR/config.yml" >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- &
  echo $! >"$BATS_FILE_TMPDIR/pid"
  for _ in {1..100}; do
    REGISTRY=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$BATS_FILE_TMPDIR/log" | grep -oE '[0-9.]+:[0-9]+') && break
    sleep 0.1
  done
  [ -n "$REGISTRY" ] || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
  export REGISTRY
  DIGEST=$(push library/redis 7.2)
  export DIGEST
}

teardown_file() {
  kill "$(cat "$BATS_FILE_TMPDIR/pid")"
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
  run cargo test --locked --quiet -p policy-host --test it -- --ignored --exact registry::run_asks_a_real_registry
  echo "$output"
  [ "$status" -eq 0 ]
  [[ "$output" == *'1 passed'* ]]
}
