#!/usr/bin/env bash
# Builds the commands as they are released, each with its licence in an archive: `rollout-guard` for the
# targets that are named, else for the one of this machine, and `policy-host` if nothing is named.
# release/binaries.sh FOLDER [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=release/targets.sh
. release/targets.sh
folder=${1:?where to write to}
shift
version=$(release/version.sh)
time=$(git log -1 --format=%ct)
mkdir -p "$folder"
# macOS has another tar.
tar=$(command -v gtar || command -v tar)

# command, target, built file
archive() {
  local name=$1-v$version-$2 scratch
  scratch=$(mktemp -d)
  mkdir "$scratch/$name"
  cp "$3" LICENSE "$scratch/$name/"
  "$tar" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$time" \
    -C "$scratch" -c "$name" | gzip -n >"$folder/$name.tar.gz"
  rm -rf "$scratch"
}

if ! (($#)); then
  host=$(rustc --print host-tuple)
  cargo build --locked --quiet --profile dist -p policy-host
  archive policy-host "$host" target/dist/policy-host
  set -- "$(command_target)"
fi
for target in "$@"; do
  (
    cargo_for "$target"
    cargo build --locked --quiet --profile dist --target "$target" -p rollout-guard-cli
  )
  archive rollout-guard "$target" "target/$target/dist/rollout-guard"
done
