#!/usr/bin/env bash
# Builds a release in dist/ and releases it to a registry on loopback: everything that release.yml does,
# except for signatures and GitHub.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=release/targets.sh
. release/targets.sh
missing=$(scripts/tools.sh --missing wasm-opt docker-registry buildah jq)
[ -z "$missing" ] || { echo "error: a release needs $missing: make tools" >&2; exit 1; }
version=$(release/version.sh)
host=target/debug/policy-host
scratch=$(mktemp -d)
rm -rf dist
mkdir dist

# On GitHub the annotated module has this name; Artifact Hub links to it.
cp annotated-policy.wasm dist/policy.wasm
for bundle in bundles/*/; do
  name=$(basename "$bundle")
  tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r,a+X --mtime=@0 \
    -C bundles -c "$name" | gzip -n >"dist/bundle-$name-v$version.tar.gz"
done
release/sbom.sh dist

# Without a compiler: the command for this machine, the wheel and the kubectl plugin. Other machines build
# their own.
target=$(command_target)
release/binaries.sh dist "$target"
release/wheel.sh dist "$target"
release/krew.sh dist >dist/rollout-guard.yaml

printf '%s\n' 'version: 0.1' 'log: { level: info }' \
  "storage: { filesystem: { rootdirectory: $scratch/storage } }" 'http: { addr: "127.0.0.1:0" }' >"$scratch/config.yml"
docker-registry serve "$scratch/config.yml" >"$scratch/log" 2>&1 &
registry_pid=$!
trap 'kill $registry_pid; rm -rf "$scratch"' EXIT
for _ in {1..100}; do
  registry=$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$scratch/log" | grep -oE '[0-9.]+:[0-9]+') && break
  sleep 0.1
done
# kwctl would use HTTPS for a registry on loopback.
KWCTL=$host release/push.sh "$registry/rollout-guard" >"$scratch/pushed"
while read -r address; do
  name=${address#"$registry"/rollout-guard/}
  name=${name%@*}
  mkdir -p "$(dirname "$scratch/pulled/$name")"
  "$host" pull -o "$scratch/pulled/$name" "$address" >&2
done <"$scratch/pushed"
cmp "$scratch/pulled/rollout-guard" dist/policy.wasm
for bundle in bundles/*/; do
  diff -r "$scratch/pulled/$bundle" "$bundle"
done
# The container image for this machine. The released image has all architectures, so its digest differs.
release/images.sh dist "$registry/rollout-guard" cli --tls-verify=false

# Every registry gives the artifacts of this commit these digests.
sed "s|^$registry/||" "$scratch/pushed" >dist/digests.txt

release/checksums.sh dist
ls -l dist
