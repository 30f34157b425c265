#!/usr/bin/env bats
# What is released for people without a compiler, installed in each of the ways that are documented.
# RELEASED is a folder with the files of a release for this machine, PYTHON_TOOLS has pre-commit.

load docker-registry

setup_file() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
  : "${RELEASED:?}" "${PYTHON_TOOLS:?}"
  leave_the_user_alone
  # buildah wants the file to be there.
  echo '{}' >"$DOCKER_CONFIG/config.json"
  VERSION=$(release/version.sh)
  TARGET=$(. release/targets.sh && command_target)
  NAME=rollout-guard-v$VERSION-$TARGET
  REGISTRY=$(start_registry registry)
  export VERSION TARGET NAME REGISTRY
  # As GitHub serves releases.
  mkdir -p "$BATS_FILE_TMPDIR/releases/v$VERSION"
  cp "$RELEASED"/* "$BATS_FILE_TMPDIR/releases/v$VERSION/"
  python3 -u -m http.server --bind 127.0.0.1 --directory "$BATS_FILE_TMPDIR/releases" 0 \
    >"$BATS_FILE_TMPDIR/served" 2>"$BATS_FILE_TMPDIR/asked" 3>&- &
  mkdir "$BATS_FILE_TMPDIR/server"
  echo $! >"$BATS_FILE_TMPDIR/server/pid"
  for _ in {1..100}; do
    PORT=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$BATS_FILE_TMPDIR/served")
    [ -z "$PORT" ] || break
    sleep 0.1
  done
  ROLLOUT_GUARD_RELEASES=http://127.0.0.1:$PORT
  export ROLLOUT_GUARD_RELEASES
}

teardown_file() {
  # Both are a registry to it.
  stop_registries
}

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
}

# The released command in a folder, as the archive has it.
unpack() {
  tar -xzf "$RELEASED/$NAME.tar.gz" -C "$1"
}

# A folder with settings, a manifest that they refuse, and one that they accept.
manifests() {
  mkdir -p "$1/deploy"
  printf '%s\n' 'mirrors: [{ source: docker.io, mirror: ghcr.io/hub }]' 'rewrite: never' \
    'registries: { allow: [ghcr.io] }' >"$1/settings.yaml"
  manifest redis:7 >"$1/deploy/refused.yaml"
  manifest ghcr.io/org/app:1 >"$1/deploy/accepted.yaml"
}

manifest() {
  printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: { name: web }' 'spec:' '  containers:' \
    '    - name: web' "      image: $1"
}

@test "the command is at most 8 MB, and the wheel at most 4 MB" {
  unpack "$BATS_TEST_TMPDIR"
  [ "$(wc -c <"$BATS_TEST_TMPDIR/$NAME/rollout-guard")" -le 8000000 ]
  [ "$(cat "$RELEASED"/*.whl | wc -c)" -le 4000000 ]
}

@test "the archive has the command and its licence, and no path of the building machine" {
  [ "$(tar -tzf "$RELEASED/$NAME.tar.gz" | sort)" = "$(printf '%s\n' "$NAME/" "$NAME/LICENSE" "$NAME/rollout-guard")" ]
  unpack "$BATS_TEST_TMPDIR"
  run grep -aqF -e "$HOME/" -e "$PWD/" "$BATS_TEST_TMPDIR/$NAME/rollout-guard"
  [ "$status" -eq 1 ]
}

@test "the command runs where there is no other file" {
  [[ "$TARGET" == *-linux-musl ]] || skip 'only the command for Linux is static'
  unpack "$BATS_TEST_TMPDIR"
  root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  cp "$BATS_TEST_TMPDIR/$NAME/rollout-guard" "$root/"
  run unshare --map-root-user chroot "$root" /rollout-guard --version
  echo "$output"
  [ "$output" = "rollout-guard $VERSION" ]
  manifests "$root"
  run unshare --map-root-user chroot "$root" /rollout-guard check -s settings.yaml deploy
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'deploy/refused.yaml:7:14'* ]]
  run unshare --map-root-user chroot "$root" /rollout-guard check -s settings.yaml deploy/accepted.yaml
  [ "$status" -eq 0 ]
}

# The image's registry, asked for one of its parts.
ask() {
  curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/rollout-guard/cli/$1"
}

@test "the container image holds the command, which another user than root runs" {
  [[ "$TARGET" == *-linux-musl ]] || skip 'only the command for Linux is static'
  address=$(release/images.sh "$RELEASED" "$REGISTRY/rollout-guard" cli --tls-verify=false)
  echo "$address"
  digest=${address#"$REGISTRY/rollout-guard/cli@"}
  [[ "$digest" == sha256:* ]]
  ask "manifests/v$VERSION" >"$BATS_TEST_TMPDIR/index.json"
  [ "sha256:$(sha256sum <"$BATS_TEST_TMPDIR/index.json" | cut -d ' ' -f 1)" = "$digest" ]
  case $TARGET in x86_64-*) architecture=amd64 ;; aarch64-*) architecture=arm64 ;; esac
  [ "$(jq -r '.manifests[].platform | "\(.os)/\(.architecture)"' "$BATS_TEST_TMPDIR/index.json")" = "linux/$architecture" ]
  ask "manifests/$(jq -r '.manifests[0].digest' "$BATS_TEST_TMPDIR/index.json")" >"$BATS_TEST_TMPDIR/manifest.json"
  ask "blobs/$(jq -r .config.digest "$BATS_TEST_TMPDIR/manifest.json")" >"$BATS_TEST_TMPDIR/config.json"
  jq . "$BATS_TEST_TMPDIR/config.json"
  [ "$(jq -c '[.config.User, .config.Entrypoint, .config.Cmd, .config.Labels["org.opencontainers.image.version"]]' "$BATS_TEST_TMPDIR/config.json")" = \
    "[\"65532:65532\",[\"/rollout-guard\"],null,\"$VERSION\"]" ]
  root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  for layer in $(jq -r '.layers[].digest' "$BATS_TEST_TMPDIR/manifest.json"); do
    ask "blobs/$layer" | tar -xz -C "$root"
  done
  [ "$(find "$root" -mindepth 1 -printf '%P\n')" = rollout-guard ]
  run unshare --map-root-user chroot "$root" /rollout-guard --version
  [ "$output" = "rollout-guard $VERSION" ]
  # The same commit makes the same image.
  [ "$(release/images.sh "$RELEASED" "$REGISTRY/rollout-guard" cli --tls-verify=false)" = "$address" ]
}

@test "pip installs a command that judges the examples as the module does" {
  python3 -m venv "$BATS_TEST_TMPDIR/python"
  "$BATS_TEST_TMPDIR/python/bin/pip" install --quiet --no-index --find-links "$RELEASED" rollout-guard
  command=$BATS_TEST_TMPDIR/python/bin/rollout-guard
  [ "$("$command" --version)" = "rollout-guard $VERSION" ]
  judged=0
  for example in examples/*/; do
    request=$example/request.json
    # What `check` asks: may this be created?
    jq -e '.request // . | .operation == "CREATE" and (.subResource // "") == ""' "$request" >/dev/null || continue
    echo "$example"
    jq '.request // . | .object' "$request" >"$BATS_TEST_TMPDIR/object.json"
    asked=(--namespace "$(jq -r '(.request // .).namespace // "default"' "$request")" --as "$(jq -r '(.request // .).userInfo.username' "$request")")
    mapfile -t groups < <(jq -r '(.request // .).userInfo.groups[]?' "$request")
    for group in "${groups[@]}"; do
      asked+=(--as-group "$group")
    done
    run "$command" check -s "$example/settings.yaml" "${asked[@]}" "$BATS_TEST_TMPDIR/object.json"
    echo "$output"
    [ "$status" -eq "$(jq 'if .allowed then 0 else 1 end' "$example/expected.json")" ]
    judged=$((judged + 1))
  done
  [ "$judged" -ge 8 ]
}

@test "pre-commit installs the hooks without Rust, and they judge and mend what is committed" {
  source=$BATS_TEST_TMPDIR/rollout-guard project=$BATS_TEST_TMPDIR/project
  mkdir "$source" "$project"
  cp pyproject.toml .pre-commit-hooks.yaml "$source/"
  manifests "$project"
  mkdir "$project/other"
  echo 'a: 1' >"$project/other/values.yaml"
  export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
  git -C "$source" init -q
  git -C "$source" add .
  git -C "$source" commit -qm hooks
  cat >"$project/.pre-commit-config.yaml" <<EOT
repos:
  - repo: $source
    rev: $(git -C "$source" rev-parse HEAD)
    hooks:
      - { id: rollout-guard-fix, args: [-s, settings.yaml], files: ^deploy/ }
      - { id: rollout-guard, args: [-s, settings.yaml] }
EOT
  cd "$project"
  git init -q
  git add .
  # No cargo and no rustc: the wheel is all that there is.
  export PRE_COMMIT_HOME=$BATS_TEST_TMPDIR/cache PIP_FIND_LINKS="$RELEASED ${PIP_FIND_LINKS:-}"
  mkdir "$BATS_TEST_TMPDIR/bin"
  for tool in git python3; do
    ln -s "$("$PYTHON_TOOLS/python" -c 'import shutil, sys; print(shutil.which(sys.argv[1]))' "$tool")" "$BATS_TEST_TMPDIR/bin/$tool"
  done
  hooks() {
    PATH=$PYTHON_TOOLS:$BATS_TEST_TMPDIR/bin:/usr/bin:/bin run pre-commit run --verbose "$@"
    echo "$output"
  }
  run env "PATH=$PYTHON_TOOLS:$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" bash -c 'command -v cargo rustc'
  [ "$status" -ne 0 ]
  hooks rollout-guard --all-files
  [ "$status" -eq 1 ]
  [[ "$output" == *'[registry-not-allowed]'* ]]
  # pre-commit fails a hook that changes files.
  hooks rollout-guard-fix --all-files
  [ "$status" -eq 1 ]
  grep -F 'image: ghcr.io/hub/library/redis:7' deploy/refused.yaml
  git add .
  hooks --all-files
  [ "$status" -eq 0 ]
  # A hook gets whatever file is committed, also one without manifests.
  hooks rollout-guard --files other/values.yaml
  [ "$status" -eq 0 ]
}

@test "krew's manifest makes a plugin that kubectl finds" {
  command -v kubectl >/dev/null || skip 'there is no kubectl'
  release/krew.sh "$RELEASED" >"$BATS_TEST_TMPDIR/rollout-guard.yaml"
  "$PYTHON_TOOLS/python" - "$BATS_TEST_TMPDIR/rollout-guard.yaml" >"$BATS_TEST_TMPDIR/plugin.json" <<'EOT'
import json, sys, yaml
print(json.dumps(yaml.safe_load(open(sys.argv[1]))))
EOT
  jq . "$BATS_TEST_TMPDIR/plugin.json"
  plugin() {
    jq -r "$1" "$BATS_TEST_TMPDIR/plugin.json"
  }
  [ "$(plugin .spec.version)" = "v$VERSION" ]
  [ "$(plugin '.spec.platforms | length')" -eq "$(ls "$RELEASED"/rollout-guard-v*.tar.gz | wc -l)" ]
  [ "$(plugin '.spec.platforms[0].uri')" = "https://github.com/rollout-guard/rollout-guard/releases/download/v$VERSION/$NAME.tar.gz" ]
  echo "$(plugin '.spec.platforms[0].sha256')  $RELEASED/$NAME.tar.gz" | sha256sum --check
  # As krew does: the files are taken out of the archive, and the program is linked under its name.
  unpack "$BATS_TEST_TMPDIR"
  mkdir "$BATS_TEST_TMPDIR/store" "$BATS_TEST_TMPDIR/bin"
  while read -r from to; do
    cp "$BATS_TEST_TMPDIR/$from" "$BATS_TEST_TMPDIR/store/$to"
  done < <(plugin '.spec.platforms[0].files[] | "\(.from) \(.to)"')
  program=$(plugin '.spec.platforms[0].bin')
  ln -s "$BATS_TEST_TMPDIR/store/$program" "$BATS_TEST_TMPDIR/bin/kubectl-$(plugin .metadata.name | tr - _)"
  manifests "$BATS_TEST_TMPDIR"
  cd "$BATS_TEST_TMPDIR"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run kubectl rollout-guard check -s settings.yaml deploy
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *'deploy/refused.yaml:7:14'* ]]
}

@test "cargo binstall is told where the files of a release are" {
  expand() {
    jq -r --arg key "$1" '.packages[] | select(.name == "rollout-guard-cli") | .metadata.binstall[$key]' "$BATS_TEST_TMPDIR/metadata.json" |
      sed "s|{ repo }|$ROLLOUT_GUARD_RELEASES|; s|{ version }|$VERSION|g; s|{ target }|$TARGET|g; s|{ bin }|rollout-guard|g; s|/releases/download||"
  }
  cargo metadata --locked --format-version 1 --no-deps >"$BATS_TEST_TMPDIR/metadata.json"
  [ "$(jq -r '.packages[] | select(.name == "rollout-guard-cli") | .repository' "$BATS_TEST_TMPDIR/metadata.json")" = https://github.com/rollout-guard/rollout-guard ]
  curl -fsS "$(expand pkg-url)" | tar -xz -C "$BATS_TEST_TMPDIR"
  [ "$("$BATS_TEST_TMPDIR/$(expand bin-dir)" --version)" = "rollout-guard $VERSION" ]
}

# The script of a step of action.yml, by its name.
step() {
  "$PYTHON_TOOLS/python" - "$1" <<'EOT'
import sys, yaml
steps = yaml.safe_load(open("action.yml"))["runs"]["steps"]
print(next(step["run"] for step in steps if step["name"] == sys.argv[1]))
EOT
}

# A job of a runner in a folder of its own, with its variables.
job() {
  runner=$BATS_TEST_TMPDIR/runner work=$BATS_TEST_TMPDIR/work
  mkdir -p "$runner" "$work"
  manifests "$work"
  GITHUB_ACTION_PATH=$PWD RUNNER_TEMP=$runner
  GITHUB_OUTPUT=$BATS_TEST_TMPDIR/output GITHUB_PATH=$BATS_TEST_TMPDIR/path
  touch "$GITHUB_OUTPUT" "$GITHUB_PATH"
  export GITHUB_ACTION_PATH RUNNER_TEMP GITHUB_OUTPUT GITHUB_PATH
  # Of this machine's own tools the system's alone, so that no cargo is there.
  system=/usr/local/bin:/usr/bin:/bin
}

# As GitHub runs a step.
run_step() {
  local script
  script=$(step "$1")
  PATH=$(paste -sd : "$GITHUB_PATH" | sed 's/.$/&:/')$BATS_TEST_TMPDIR/bin:$system \
    run bash --noprofile --norc -eo pipefail -c "cd '$work' && $script"
  echo "$output"
}

output_of() {
  sed -n "s/^$1=//p" "$GITHUB_OUTPUT"
}

@test "the action installs the released command, judges, and says how many violations there are" {
  job
  # Its own version, where none is named.
  VERSION='' run_step 'Choose the version'
  [ "$(output_of version)" = "$VERSION" ]
  VERSION=$(output_of version) run_step 'Install rollout-guard'
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(cat "$GITHUB_PATH")" = "$runner/rollout-guard/bin" ]
  export SETTINGS=settings.yaml PATHS=deploy FORMAT=github OUTPUT='' ARGS=''
  run_step 'Judge the manifests'
  [ "$status" -eq 1 ]
  [[ "$output" == *'::error file=deploy/refused.yaml,line=7,'* ]]
  [ "$(output_of violations)" = 1 ]
  [ "$(jq '.runs[0].results | length' "$(output_of sarif)")" -eq 1 ]
  : >"$GITHUB_OUTPUT"
  PATHS=deploy/accepted.yaml run_step 'Judge the manifests'
  [ "$status" -eq 0 ]
  [ "$(output_of violations)" = 0 ]
  # What a cache brings back is checked again, and nothing is asked for.
  rm -r "$runner/rollout-guard/bin"
  VERSION=$VERSION ROLLOUT_GUARD_RELEASES=http://127.0.0.1:1 run_step 'Install rollout-guard'
  [ "$status" -eq 0 ]
  [ "$("$runner/rollout-guard/bin/rollout-guard" --version)" = "rollout-guard $VERSION" ]
}

# Installing must fail with one line, and leave no command behind: refused VERSION LINE
refused() {
  VERSION=$1 run_step 'Install rollout-guard'
  [ "$status" -eq 1 ]
  [ "$output" = "error: $2" ]
  [ -z "$(find "$runner" -name 'rollout-guard' -type f -o -name '.install*')" ]
}

@test "the action says which release and which file it misses" {
  job
  refused 9.9.9 "cannot download $ROLLOUT_GUARD_RELEASES/v9.9.9/SHA256SUMS: The requested URL returned error: 404"
  # No network.
  ROLLOUT_GUARD_RELEASES=http://127.0.0.1:1
  VERSION=$VERSION run_step 'Install rollout-guard'
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 1 ]
  [[ "$output" == "error: cannot download http://127.0.0.1:1/v$VERSION/SHA256SUMS: "* ]]
  refused '1; touch made' '`1; touch made` is no version, write one such as `0.1.0`'
}

@test "the action installs nothing whose checksum differs" {
  job
  url=$ROLLOUT_GUARD_RELEASES/v7.7.7
  cp -r "$BATS_FILE_TMPDIR/releases/v$VERSION" "$BATS_FILE_TMPDIR/releases/v7.7.7"
  cd "$BATS_FILE_TMPDIR/releases/v7.7.7"
  file=rollout-guard-v7.7.7-$TARGET.tar.gz
  mv "$NAME.tar.gz" "$file"
  expected=$(sha256sum "$file" | cut -d ' ' -f 1)
  sha256sum "$file" >SHA256SUMS
  echo more >>"$file"
  actual=$(sha256sum "$file" | cut -d ' ' -f 1)
  cd "$GITHUB_ACTION_PATH"
  refused 7.7.7 "$url/$file: its SHA-256 is $actual, SHA256SUMS of the release says $expected"
  # Nor is it in the cache.
  [ -z "$(find "$runner" -type f)" ]
}

@test "the action compiles where the release has nothing for the runner" {
  job
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '%s\n' '#!/bin/sh' 'case $1 in -s) echo Plan9 ;; -m) echo mips ;; esac' >"$BATS_TEST_TMPDIR/bin/uname"
  chmod +x "$BATS_TEST_TMPDIR/bin/uname"
  file=rollout-guard-v$VERSION-mips-Plan9.tar.gz
  [ -z "$(PATH=$system command -v cargo)" ] || skip 'cargo is where the tools of the system are'
  refused "$VERSION" "release v$VERSION has no $file, and there is no cargo to compile it"
  # Only its own sources are those of the version.
  cp -r "$BATS_FILE_TMPDIR/releases/v$VERSION" "$BATS_FILE_TMPDIR/releases/v7.7.8"
  refused 7.7.8 "release v7.7.8 has no rollout-guard-v7.7.8-mips-Plan9.tar.gz, and the sources here are those of $VERSION"
  cat >"$BATS_TEST_TMPDIR/bin/cargo" <<EOT
#!/bin/bash
[ "\$PWD" = "$PWD" ] || exit 1
echo "\$*" >"$BATS_TEST_TMPDIR/compiled"
root=\${*: -1}
mkdir -p "\$root/bin"
printf '%s\n' '#!/bin/sh' 'echo rollout-guard $VERSION' >"\$root/bin/rollout-guard"
EOT
  chmod +x "$BATS_TEST_TMPDIR/bin/cargo"
  VERSION=$VERSION run_step 'Install rollout-guard'
  [ "$status" -eq 0 ]
  [ "$output" = "release v$VERSION has no $file: compiling it" ]
  [[ "$(cat "$BATS_TEST_TMPDIR/compiled")" == 'install --locked --quiet --path crates/cli --profile dist --root '* ]]
  [ "$("$runner/rollout-guard/bin/rollout-guard")" = "rollout-guard $VERSION" ]
  # Once.
  rm "$BATS_TEST_TMPDIR/compiled"
  VERSION=$VERSION run_step 'Install rollout-guard'
  [ "$status" -eq 0 ]
  [ ! -e "$BATS_TEST_TMPDIR/compiled" ]
}

@test "what is missing is installed, and said before" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  for tool in bash dirname grep sed sort id env; do
    ln -s "$(command -v "$tool")" "$BATS_TEST_TMPDIR/bin/$tool"
  done
  for tool in apt-get cargo sudo; do
    printf '%s\n' '#!/bin/bash' "echo \"$tool \$*\" >>'$BATS_TEST_TMPDIR/done'" \
      "[ $tool != sudo ] || \"\$@\"" >"$BATS_TEST_TMPDIR/bin/$tool"
    chmod +x "$BATS_TEST_TMPDIR/bin/$tool"
  done
  PATH=$BATS_TEST_TMPDIR/bin run scripts/tools.sh jq node mdbook grep2 </dev/null
  [ "$status" -eq 2 ]
  [[ "$output" == *'unknown tool `grep2`'* ]]
  [ ! -e "$BATS_TEST_TMPDIR/done" ]
  PATH=$BATS_TEST_TMPDIR/bin run scripts/tools.sh jq node mdbook
  echo "$output"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = 'This will run:' ]
  diff <(printf '%s\n' "${lines[@]:1}" | sed 's/^  //; s/^sudo //; s/ --quiet//g; s/--debug //') \
    <(grep -v ^sudo "$BATS_TEST_TMPDIR/done" | sed 's/ --quiet//g; s/--debug //')
  [ "$(PATH=$BATS_TEST_TMPDIR/bin scripts/tools.sh --missing jq grep2 2>&1 || true)" != jq ]
  [ "$(PATH=$BATS_TEST_TMPDIR/bin scripts/tools.sh --missing node jq)" = 'node jq' ]
}
