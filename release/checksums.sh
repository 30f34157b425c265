#!/usr/bin/env bash
# Writes SHA256SUMS of all files into their folder: release/checksums.sh dist
set -euo pipefail
cd "$(dirname "$0")/../${1:?the folder}"
rm -f SHA256SUMS
sha256sum -- * >.SHA256SUMS
mv .SHA256SUMS SHA256SUMS
sha256sum --check --quiet SHA256SUMS
