#!/usr/bin/env bash
# Builds container images from the released archives of `rollout-guard` in a folder, one for each
# architecture that is there, pushes them, and prints their immutable addresses.
# release/images.sh FOLDER REGISTRY cli|cli-ci [ARGUMENTS OF buildah push, SUCH AS --tls-verify=false]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?the folder with the archives} registry=${2:?where to push to, as in ghcr.io/rollout-guard} image=${3:?cli or cli-ci}
shift 3
version=$(release/version.sh)
scratch=$(mktemp -d)
# Its own storage, so that the user's images stay untouched.
storage=(--root "$scratch/storage" --runroot "$scratch/run" --storage-driver vfs)
trap 'rm -rf "$scratch"' EXIT

list=$registry/$image:v$version
buildah "${storage[@]}" manifest create "$list" >/dev/null
for pair in amd64:x86_64 arm64:aarch64; do
  architecture=${pair%:*} name=rollout-guard-v$version-${pair#*:}-unknown-linux-musl
  [ -f "$folder/$name.tar.gz" ] || continue
  mkdir -p "$scratch/context/linux/$architecture"
  tar -xzf "$folder/$name.tar.gz" -C "$scratch/context/linux/$architecture" --strip-components 1 "$name/rollout-guard"
  # The time of the commit, so that the same commit gives the same image.
  buildah "${storage[@]}" build --quiet --isolation chroot --platform "linux/$architecture" --target "$image" \
    --build-arg "TARGETARCH=$architecture" --timestamp "$(git log -1 --format=%ct)" --manifest "$list" \
    --label "org.opencontainers.image.version=$version" --file release/Dockerfile "$scratch/context" >/dev/null
done
buildah "${storage[@]}" manifest push --quiet --all "$@" --digestfile "$scratch/digest" "$list" "docker://$list" >/dev/null
echo "$registry/$image@$(cat "$scratch/digest")"
