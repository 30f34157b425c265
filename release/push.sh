#!/usr/bin/env bash
# Pushes the annotated module and every bundle below a place in a registry, and prints their immutable
# addresses: release/push.sh ghcr.io/rollout-guard [ARGUMENTS OF THE HOST, SUCH AS --insecure]
# The module is pushed by kwctl where KWCTL names it, with the arguments in KWCTL_FLAGS; bundles by the host.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${1:?where to push to, as in ghcr.io/rollout-guard}
shift
version=$(release/version.sh)
host=${POLICY_HOST:-target/debug/policy-host}
kwctl=${KWCTL:-$host}

if [ "$kwctl" = "$host" ]; then
  "$host" push "$@" -o json annotated-policy.wasm "registry://$registry/rollout-guard:v$version" | jq -r .immutable_ref
else
  read -ra flags <<<"${KWCTL_FLAGS:-}"
  "$kwctl" push "${flags[@]}" -o json annotated-policy.wasm "registry://$registry/rollout-guard:v$version" | jq -r .immutable_ref
fi

# In the words that Flux shows. Nothing of it differs between two pushes of one commit.
commit=$(git rev-parse HEAD)
for bundle in bundles/*/; do
  name=$(basename "$bundle")
  "$host" push "$@" -o json \
    --annotation "org.opencontainers.image.title=rollout-guard bundle $name" \
    --annotation "org.opencontainers.image.description=$(sed -n 's/^# //p;q' "$bundle/README.md")" \
    --annotation "org.opencontainers.image.version=$version" \
    --annotation "org.opencontainers.image.revision=v$version@sha1:$commit" \
    --annotation "org.opencontainers.image.created=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" \
    --annotation 'org.opencontainers.image.source=https://github.com/rollout-guard/rollout-guard' \
    --annotation 'org.opencontainers.image.licenses=Apache-2.0' \
    "$bundle" "registry://$registry/bundles/$name:v$version" | jq -r .immutable_ref
done
