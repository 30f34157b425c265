#!/usr/bin/env bats
# What registries have of the images that would run: Debian's `docker-registry` on loopback, with a
# password and with TLS.

bats_require_minimum_version 1.5.0
load docker-registry

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  leave_the_user_alone
  REGISTRY=$(start_registry open)
  htpasswd -Bbn alice secret >"$BATS_FILE_TMPDIR/htpasswd"
  GUARDED=$(start_registry guarded "$BATS_FILE_TMPDIR/htpasswd")
  export REGISTRY GUARDED
  push "http://$REGISTRY" library/redis 7.2
  push "http://$GUARDED" team/web 1 --user alice:secret
}

teardown_file() {
  stop_registries
}

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  export DOCKER_CONFIG=$BATS_TEST_TMPDIR
}

# An image without layers: push URL REPOSITORY TAG [CURL-ARGUMENT...]
push() {
  local url="$1/v2/$2" tag=$3 location digest manifest
  shift 3
  location=$(curl -fsS "$@" -X POST -D - -o "$BATS_FILE_TMPDIR/body" "$url/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  digest=sha256:$(printf '{}' | sha256sum | cut -d ' ' -f 1)
  curl -fsS "$@" -X PUT -H 'Content-Type: application/octet-stream' --data-binary '{}' "$location&digest=$digest"
  manifest=$(jq -cn --arg digest "$digest" '{
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [],
    config: {mediaType: "application/vnd.oci.image.config.v1+json", size: 2, digest: $digest}
  }')
  curl -fsS "$@" -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "$manifest" "$url/manifests/$tag"
}

missing() {
  run --separate-stderr target/debug/policy-host images --missing "$@"
  echo "$output"
  echo "$stderr"
}

@test "what the mirrors lack is listed, and nothing else" {
  cat >"$BATS_TEST_TMPDIR/pods.yaml" <<'EOT'
apiVersion: v1
kind: Pod
metadata: { name: a }
spec:
  containers:
    - { name: a, image: "redis:7.2" }
    - { name: b, image: "redis:404" }
    - { name: c, image: "nginx" }
EOT
  echo "mirrors: [{ source: docker.io, mirror: $REGISTRY }]" >"$BATS_TEST_TMPDIR/settings.yaml"
  target/debug/rollout-guard images -s "$BATS_TEST_TMPDIR/settings.yaml" --format list "$BATS_TEST_TMPDIR/pods.yaml" >"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list" --at-once 2
  [ "$status" -eq 1 ]
  [ "$output" = "$REGISTRY/library/nginx:latest"$'\n'"$REGISTRY/library/redis:404" ]
  [[ "$stderr" == *'1 of 3 images are there, 2 missing'* ]]
  echo "$REGISTRY/library/redis:7.2 # twice" >"$BATS_TEST_TMPDIR/list"
  echo "$REGISTRY/library/redis:7.2" >>"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ "$stderr" == '1 of 1 images are there, 0 missing' ]]
}

@test "the credentials of Docker are used, and without them nothing is said to be missing" {
  echo "$GUARDED/team/web:1" >"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 3 ]
  [ -z "$output" ]
  [[ "$stderr" == *'docker login'* ]]
  jq -n --arg registry "$GUARDED" '{auths: {($registry): {auth: ("alice:secret" | @base64)}}}' >"$BATS_TEST_TMPDIR/config.json"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 0 ]
  echo "$GUARDED/team/web:2" >>"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 1 ]
  [ "$output" = "$GUARDED/team/web:2" ]
  [[ "$stderr" != *secret* ]]
}

@test "a registry that does not answer is told beside what is missing" {
  printf '%s\n' 127.0.0.1:1/a:1 "$REGISTRY/library/redis:7.2" >"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 5 ]
  [[ "$stderr" == *'cannot reach `127.0.0.1:1`'* ]]
  [[ "$stderr" == *'1 of 2 images are there, 0 missing, 1 not known'* ]]
  echo "$REGISTRY/library/redis:404" >>"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 1 ]
  printf 'a b\n' >"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *':1: `a b`'* ]]
}

@test "TLS is checked against the certificates of the system" {
  # A name of this machine other than `localhost`, which would be asked by plain HTTP.
  name=$(hostname)
  address=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }')
  [ -n "$address" ] || skip "the name of this machine has no address"
  folder=$BATS_FILE_TMPDIR/tls
  mkdir "$folder"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -addext basicConstraints=critical,CA:FALSE -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>"$folder/openssl.log"
  cat >"$folder/config.yml" <<EOT
version: 0.1
log: { level: info }
storage: { filesystem: { rootdirectory: $folder/storage } }
http: { addr: "$address:0", tls: { certificate: $folder/cert.pem, key: $folder/key.pem } }
EOT
  docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 3>&- &
  echo $! >"$folder/pid"
  for _ in {1..100}; do
    port=$(grep -oE 'listening on [0-9.]+:[0-9]+' "$folder/log" | grep -oE '[0-9]+$') && break
    sleep 0.1
  done
  [ -n "$port" ]
  push "https://$name:$port" team/web 1 --cacert "$folder/cert.pem"
  printf '%s\n' "$name:$port/team/web:1" >"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 5 ]
  export SSL_CERT_FILE=$folder/cert.pem
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 0 ]
  printf '%s\n' "$name:$port/team/web:2" >>"$BATS_TEST_TMPDIR/list"
  missing "$BATS_TEST_TMPDIR/list"
  [ "$status" -eq 1 ]
  [ "$output" = "$name:$port/team/web:2" ]
}
