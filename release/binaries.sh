#!/usr/bin/env bash
# Builds the commands as they are released, each with its licence in an archive in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(release/version.sh)
triple=$(rustc --print host-tuple)
cargo build --locked --profile dist -p rollout-guard-cli -p policy-host
mkdir -p dist
for command in rollout-guard policy-host; do
  name=$command-v$version-$triple
  scratch=$(mktemp -d)
  mkdir "$scratch/$name"
  cp "target/dist/$command" LICENSE "$scratch/$name/"
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
    -C "$scratch" -c "$name" | gzip -n >"dist/$name.tar.gz"
  rm -rf "$scratch"
done
