#!/usr/bin/env bash
# Puts a released `rollout-guard` into FOLDER/bin, checked against the release's SHA256SUMS. If the release has
# no binary for this machine, compiles it from the sources beside this script.
# scripts/install.sh VERSION FOLDER
set -euo pipefail
version=${1:?the version, such as 0.1.0} folder=${2:?the folder}
sources=$(cd "$(dirname "$0")/.." && pwd)
releases=${ROLLOUT_GUARD_RELEASES:-https://github.com/rollout-guard/rollout-guard/releases/download}

fail() {
  echo "error: $1" >&2
  exit 1
}

version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "\`$version\` is no version, write one such as \`0.1.0\`"
system=$(uname -s) machine=$(uname -m)
case $system-$machine in
  Linux-x86_64 | Linux-aarch64) target=$machine-unknown-linux-musl ;;
  Darwin-x86_64) target=x86_64-apple-darwin ;;
  Darwin-arm64) target=aarch64-apple-darwin ;;
  *) target=$machine-$system ;;
esac
name=rollout-guard-v$version-$target
file=$name.tar.gz
mkdir -p "$folder/bin"
scratch=$(mktemp -d "$folder/.install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# file; whatever stands in the folder from an earlier job is not asked for again
download() {
  local url=$releases/v$version/$1 said status=0
  [ ! -f "$folder/$1" ] || return 0
  said=$(curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --output "$scratch/$1" "$url" 2>&1) || status=$?
  [ "$status" -eq 0 ] || fail "cannot download $url: $(tail -n 1 <<<"$said" | sed -E 's/^curl: \([0-9]+\) //')"
  mv "$scratch/$1" "$folder/$1"
}

# Rename at the end, so that the program is complete or absent.
install_program() {
  chmod +x "$1"
  mv "$1" "$folder/bin/rollout-guard"
}

sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

download SHA256SUMS
expected=$(awk -v file="$file" '$2 == file || $2 == "*" file { print $1 }' "$folder/SHA256SUMS")
if [ -n "$expected" ]; then
  download "$file"
  actual=$(sum_of "$folder/$file")
  if [ "$actual" != "$expected" ]; then
    # Keep it out of the cache.
    rm -f "$folder/$file" "$folder/SHA256SUMS" "$folder/bin/rollout-guard"
    fail "$releases/v$version/$file: its SHA-256 is $actual, SHA256SUMS of the release says $expected"
  fi
  tar -xzf "$folder/$file" -C "$scratch" "$name/rollout-guard" || fail "$releases/v$version/$file: holds no $name/rollout-guard"
  install_program "$scratch/$name/rollout-guard"
  exit
fi

# Compiled by an earlier job.
if [ "$("$folder/bin/rollout-guard" --version 2>/dev/null)" = "rollout-guard $version" ]; then
  exit
fi
here=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' "$sources/Cargo.toml")
[ "$here" = "$version" ] || fail "release v$version has no $file, and the sources here are those of $here"
command -v cargo >/dev/null || fail "release v$version has no $file, and there is no cargo to compile it"
echo "release v$version has no $file: compiling it" >&2
# There, so that the toolchain is the one that the sources name.
(cd "$sources" && cargo install --locked --quiet --path crates/cli --profile dist --root "$scratch/built") ||
  fail "release v$version has no $file, and it does not compile here"
install_program "$scratch/built/bin/rollout-guard"
