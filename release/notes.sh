#!/usr/bin/env bash
# Prints the section of CHANGELOG.md for this version.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(release/version.sh)
notes=$(awk -v version="$version" '/^## /{ inside = $2 == version; next } inside' CHANGELOG.md)
[ -n "$notes" ] || { echo "CHANGELOG.md: no section \`## $version\`" >&2; exit 1; }
echo "$notes"
