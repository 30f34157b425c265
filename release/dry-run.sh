#!/usr/bin/env bash
# What a release is made of, in dist/, and a release to a registry on loopback: all that release.yml
# does but for signatures and GitHub.
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

# For people without a compiler: the command of this machine, the wheel and the plugin of kubectl. Other
# machines build theirs.
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
# kwctl would ask a registry on loopback by HTTPS.
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
# The container image of this machine. The release's has all architectures, and so another digest.
release/images.sh dist "$registry/rollout-guard" cli --tls-verify=false

# The digests are those that any registry gives to what was made of this commit.
sed "s|^$registry/||" "$scratch/pushed" >dist/digests.txt

release/checksums.sh dist
ls -l dist
