#!/usr/bin/env bash
# Builds the module once more, in another folder and with another home of Cargo, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."
built=$PWD/${1:?the module that was built here}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/another/folder" "$scratch/cargo"
git ls-files -co --exclude-standard -z | tar --null --files-from=- -c | tar -x -C "$scratch/another/folder"
# What Cargo has fetched already, under another path.
find "${CARGO_HOME:-$HOME/.cargo}" -mindepth 1 -maxdepth 1 -exec ln -s {} "$scratch/cargo" \;
CARGO_HOME=$scratch/cargo make --no-print-directory -C "$scratch/another/folder" policy.wasm
cmp "$built" "$scratch/another/folder/policy.wasm"
echo "the same $(wc -c <"$built") bytes: sha256:$(sha256sum <"$built" | cut -d ' ' -f 1)"
