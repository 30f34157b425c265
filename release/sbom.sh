#!/usr/bin/env bash
# Writes SBOMs of the module and the commands, as CycloneDX from Cargo.lock, into a folder:
# release/sbom.sh dist
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?where to write to}
# The tool writes beside every package of the workspace.
trap "git ls-files --others -z -- '*.sbom.json' | xargs -0 -r rm -f" EXIT

# The same commit gives the same bytes: use its time, no random numbers, and no paths of this machine.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
# target, package folder, name
write() {
  target/tools/bin/cargo-cyclonedx cyclonedx --quiet --manifest-path "$2/Cargo.toml" --format json \
    --spec-version 1.5 --target "$1" --no-build-deps --override-filename "$3.sbom"
  sed "s|path+file://$PWD|path+file:///rollout-guard|g; s|?download_url=file://[^\"#]*||g" \
    "$2/$3.sbom.json" >"$folder/$3.cdx.json"
}
write wasm32-wasip1 . policy.wasm
write "$(rustc --print host-tuple)" crates/cli rollout-guard
write "$(rustc --print host-tuple)" crates/policy-host policy-host
