#!/usr/bin/env bash
# Makes sure that the toolchain of this folder can compile for a target, which rustup adds where it keeps
# the toolchain and distributions have a package for: scripts/rust-target.sh wasm32-wasip1
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?the target, such as wasm32-wasip1}

fail() {
  echo "error: $1" >&2
  exit 2
}

command -v rustc >/dev/null || fail 'Rust is not installed: install it with https://rustup.rs'
# Where automatic installation is off, rustup's `rustc` fails when the toolchain is missing as a whole.
version=$(rustc --version 2>/dev/null) ||
  fail "the toolchain that rust-toolchain.toml names is not installed: run \`rustup toolchain install\`"
# The path of the target's library, whether it exists or not.
library=$(rustc --print target-libdir --target "$target" 2>/dev/null) || fail "$version does not know the target $target"
compgen -G "$library/libcore-*.rlib" >/dev/null && exit 0

sysroot=$(rustc --print sysroot)
if command -v rustup >/dev/null && [ "$(rustup which rustc 2>/dev/null)" -ef "$sysroot/bin/rustc" ]; then
  echo "Adding the Rust target $target with rustup" >&2
  rustup --quiet target add "$target" && compgen -G "$library/libcore-*.rlib" >/dev/null && exit 0
  fail "rustup cannot add the target $target; to try again: rustup target add $target"
fi
fail "the Rust in $sysroot has no library for $target: install it (Debian: libstd-rust-dev-wasm32, Fedora: rust-std-static-$target, Alpine and Arch: rust-wasm), or Rust with https://rustup.rs"
