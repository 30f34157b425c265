#!/usr/bin/env bash
# What a new machine has: a toolchain without the wasm targets, which rustup does not install by itself.
# The Makefile adds them, and the module that it builds, in another folder, is the same one. Then what is
# said where nothing can be added. The toolchain is a copy of hard links, so that the user's stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
built=${1:?the module that was built here}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "$1" >&2
  exit 1
}

# rustup rewrites these files in place, so they must not be the user's.
sysroot=$(readlink -f "$(rustc --print sysroot)")
name=$(rustup show active-toolchain | cut -d ' ' -f 1)
export RUSTUP_HOME=$scratch/rustup RUSTUP_AUTO_INSTALL=0
mkdir -p "$RUSTUP_HOME/toolchains"
cp -al "$sysroot" "$RUSTUP_HOME/toolchains/$name" 2>/dev/null || {
  rm -rf "${RUSTUP_HOME:?}/toolchains/$name"
  cp -a "$sysroot" "$RUSTUP_HOME/toolchains/$name"
}
rustlib=$RUSTUP_HOME/toolchains/$name/lib/rustlib
find "$rustlib" -maxdepth 1 -type f -exec sh -c 'for file; do cp -p "$file" "$file.copy" && mv "$file.copy" "$file"; done' sh {} +
for target in wasm32-wasip1 wasm32-unknown-unknown; do
  ! [ -d "$rustlib/$target" ] || rustup --quiet target remove "$target"
  ! [ -d "$rustlib/$target" ] || fail "$target is still there"
done
untouched() {
  (cd "$sysroot/lib/rustlib" && find . -maxdepth 1 -printf '%f %s %T@\n' | sort)
}
before=$(untouched)

echo '-- where rustup cannot add a target, one line says so, and nothing is half installed'
status=0
said=$(RUSTUP_DIST_SERVER=file://$scratch/nowhere scripts/rust-target.sh wasm32-wasip1 2>&1) || status=$?
[ "$status" -eq 2 ] || fail "exit code $status: $said"
[ "$(tail -n 1 <<<"$said")" = 'error: rustup cannot add the target wasm32-wasip1; to try again: rustup target add wasm32-wasip1' ] || fail "$said"
! [ -d "$rustlib/wasm32-wasip1/lib" ] || fail 'half installed'

echo '-- what the targets need is added, and the module is the same'
release/reproducible.sh "$built"
[ -d "$rustlib/wasm32-wasip1/lib" ] || fail 'wasm32-wasip1 was not added'
make --no-print-directory wasm32-unknown-unknown
[ -d "$rustlib/wasm32-unknown-unknown/lib" ] || fail 'wasm32-unknown-unknown was not added'
# The builds wait for both.
make --no-print-directory --dry-run playground | grep -xF 'scripts/rust-target.sh wasm32-unknown-unknown' >/dev/null
make --no-print-directory --dry-run run | grep -xF 'scripts/rust-target.sh wasm32-wasip1' >/dev/null
# An existing target does not call rustup.
[ -z "$(RUSTUP_DIST_SERVER=file://$scratch/nowhere scripts/rust-target.sh wasm32-wasip1 2>&1)" ] || fail 'asked again'

echo '-- a distribution without the library, and no Rust at all'
mkdir "$scratch/bin" "$scratch/none"
for tool in bash dirname; do
  ln -s "$(command -v "$tool")" "$scratch/none/$tool"
done
# Rust of a distribution: no rustup, and the library of this machine alone.
cat >"$scratch/bin/rustc" <<EOF
#!/bin/sh
case "\$*" in
  --version) echo 'rustc 1.95.0' ;;
  *target-libdir*) echo '$scratch/usr/lib/rustlib/wasm32-wasip1/lib' ;;
  *sysroot*) echo '$scratch/usr' ;;
esac
EOF
chmod +x "$scratch/bin/rustc"
status=0
said=$(PATH=$scratch/bin:$scratch/none scripts/rust-target.sh wasm32-wasip1 2>&1) || status=$?
[ "$status" -eq 2 ] || fail "exit code $status: $said"
[[ $said == "error: the Rust in $scratch/usr has no library for wasm32-wasip1: install it (Debian: "* ]] || fail "$said"
mkdir -p "$scratch/usr/lib/rustlib/wasm32-wasip1/lib"
touch "$scratch/usr/lib/rustlib/wasm32-wasip1/lib/libcore-0.rlib"
PATH=$scratch/bin:$scratch/none scripts/rust-target.sh wasm32-wasip1
status=0
said=$(PATH=$scratch/none scripts/rust-target.sh wasm32-wasip1 2>&1) || status=$?
[ "$status:$said" = '2:error: Rust is not installed: install it with https://rustup.rs' ] || fail "$said"

[ "$before" = "$(untouched)" ] || fail "the user's toolchain was changed"
