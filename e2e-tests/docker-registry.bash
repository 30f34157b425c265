# Debian's `docker-registry` on loopback, for tests to load.

# A proxy knows nothing of this machine's loopback, and the credentials here are the test's own.
leave_the_user_alone() {
  export no_proxy='*' DOCKER_CONFIG=$BATS_FILE_TMPDIR/nobody
  mkdir "$DOCKER_CONFIG"
}

# Starts a registry and prints its address: start_registry NAME [HTPASSWD-FILE]
start_registry() {
  local folder=$BATS_FILE_TMPDIR/$1 address
  mkdir "$folder"
  cat >"$folder/config.yml" <<EOT
version: 0.1
log: { level: info }
storage: { filesystem: { rootdirectory: $folder/storage } }
http: { addr: "127.0.0.1:0" }
EOT
  if [ $# -gt 1 ]; then
    echo "auth: { htpasswd: { realm: test, path: $2 } }" >>"$folder/config.yml"
  fi
  docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 3>&- &
  echo $! >"$folder/pid"
  for _ in {1..100}; do
    address=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$folder/log" | grep -oE '[0-9.]+:[0-9]+') && break
    sleep 0.1
  done
  [ -n "$address" ] || { cat "$folder/log" >&2; return 1; }
  echo "$address"
}

stop_registries() {
  local pid
  for pid in "$BATS_FILE_TMPDIR"/*/pid; do
    kill "$(cat "$pid")"
  done
}
