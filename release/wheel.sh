#!/usr/bin/env bash
# Builds Python wheels with the released command, for the given targets, by default for this machine: release/wheel.sh FOLDER [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=release/targets.sh
. release/targets.sh
folder=${1:?where to write to}
shift
(($#)) || set -- "$(command_target)"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

for target in "$@"; do
  cargo_for "$target"
  case $target in
    # It is static, so that it runs with either C library. maturin would look for musl alone.
    *-musl) platforms=(manylinux2014 musllinux_1_1) ;;
    *) platforms=(pypi) ;;
  esac
  target/tools/python/bin/maturin build --quiet --locked --profile dist --target "$target" \
    --manifest-path crates/cli/Cargo.toml --auditwheel skip --compatibility "${platforms[@]}" --out "$folder"
done
