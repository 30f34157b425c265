#!/usr/bin/env bash
# Prints the version if it is the same everywhere; with an argument (`v0.1.0`), also checks that tag.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
wrong=()

# place, version found there
expect() {
  [ "$2" = "$version" ] || wrong+=("$1: \`$2\`, expected \`$version\` as in Cargo.toml")
}

while read -r name found; do
  expect "Cargo.lock, $name" "$found"
done < <(cargo metadata --locked --format-version 1 --no-deps | jq -r '.packages[] | select(.name != "accept-all") | "\(.name) \(.version)"')
# The Python project that hooks install, and the wheel that it requires.
expect 'pyproject.toml' "$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)"
expect 'pyproject.toml, dependencies' "$(sed -n 's/^dependencies = \["rollout-guard==\(.*\)"\]$/\1/p' pyproject.toml)"
expect 'metadata.yml' "$(sed -n 's/^  io\.kubewarden\.policy\.version: //p' metadata.yml)"
expect 'metadata.yml, com.github.release.tag' "$(sed -n 's/^  com\.github\.release\.tag: v//p' metadata.yml)"
expect 'artifacthub-pkg.yml' "$(sed -n 's/^version: //p' artifacthub-pkg.yml)"
# Wherever a released module, bundle, image, action, hook, file or page is named.
while IFS=: read -r file line found; do
  found=${found##*[:@ ]v}
  expect "$file:$line" "${found##*/v}"
done < <(git grep -noE 'ghcr\.io/rollout-guard/[a-z/-]+:v[0-9][0-9A-Za-z.-]*|rollout-guard/(blob|releases/download)/v[0-9][0-9A-Za-z.-]*|(rollout-guard/rollout-guard@|rev: )v[0-9][0-9A-Za-z.-]*' -- '*.md' '*.yaml' '*.yml' ':!CHANGELOG.md' |
  sed -E 's/[.-]+$//')
if [ $# -gt 0 ]; then
  expect "the tag \`$1\`" "${1#v}"
  grep -qE "^## ${version//./\\.} - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
    wrong+=("CHANGELOG.md: no section \`## $version - YYYY-MM-DD\`")
fi
if ((${#wrong[@]})); then
  printf '%s\n' "${wrong[@]}" >&2
  exit 1
fi
echo "$version"
