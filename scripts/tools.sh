#!/usr/bin/env bash
# Installs missing tools that the tests need, and prints the commands first: all tools, or the given ones
# (scripts/tools.sh node mdbook). With --missing, only prints which are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

everything='bats buildah c++ chromium curl docker-registry fish git helm htpasswd jq kubectl make mdbook node npm python3 script'
everything+=' shellcheck unshare wasm-bindgen wasm-opt zsh'

# The Debian package of a command.
package_of() {
  case $1 in
    bats | buildah | chromium | curl | docker-registry | fish | git | jq | make | npm | shellcheck | zsh) echo "$1" ;;
    c++) echo g++ ;;
    htpasswd) echo apache2-utils ;;
    script) echo bsdutils ;;
    node) echo nodejs ;;
    python3) echo python3-venv ;;
    unshare) echo util-linux ;;
    wasm-opt) echo binaryen ;;
    *) return 1 ;;
  esac
}

# Its version must be that of the crate that the module is built with.
bindgen=$(grep -A1 '^name = "wasm-bindgen"$' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')

# Cargo's arguments for a command that it installs.
crate_of() {
  case $1 in
    wasm-bindgen) echo "wasm-bindgen-cli --version $bindgen --bin wasm-bindgen --force" ;;
    mdbook) echo 'mdbook --version 0.5.4 --no-default-features --features search' ;;
    *) return 1 ;;
  esac
}

# The folder for kubectl and helm, where the tests look first.
builders=target/tools/bin

is_there() {
  case $1 in
    helm | kubectl) [ -x "$builders/$1" ] || command -v "$1" >/dev/null 2>&1 ;;
    wasm-bindgen) [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $bindgen" ] ;;
    # Debian's python3 comes without venv.
    python3) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

only_print=
if [ "${1:-}" = --missing ]; then
  only_print=1
  shift
fi
# shellcheck disable=SC2086 # words
(($#)) || set -- $everything
missing='' packages='' crates='' unpacked=''
for tool in "$@"; do
  package='' crate=''
  case $tool in
    helm | kubectl) ;;
    *)
      package=$(package_of "$tool") || crate=$(crate_of "$tool") || {
        echo "error: unknown tool \`$tool\`, there are: $everything" >&2
        exit 2
      }
      ;;
  esac
  is_there "$tool" && continue
  missing+=" $tool"
  if [ -n "$package" ]; then
    packages+=" $package"
  elif [ -z "$crate" ]; then
    unpacked+=" $tool"
  else
    crates+=${crates:+$'\n'}$crate
  fi
done
if [ -n "$only_print" ]; then
  echo "${missing# }"
  exit
fi
if [ -z "$missing" ]; then
  echo 'Nothing is missing.'
  exit
fi

as_root=
[ "$(id -u)" -eq 0 ] || as_root='sudo '
update="${as_root}apt-get update --quiet --quiet"
install="${as_root}apt-get install --quiet --quiet --yes --no-install-recommends$packages"
echo 'This will run:'
[ -z "$packages" ] || printf '  %s\n' "$update" "$install"
[ -z "$crates" ] || while read -r crate; do
  echo "  cargo install --debug --locked $crate"
done <<<"$crates"

[ -z "$unpacked" ] || echo "  scripts/builders.sh $builders$unpacked"

if [ -n "$packages" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo 'error: there is no apt-get: install these packages, or what they are called here, by hand' >&2
    exit 1
  fi
  $update
  $install
fi
[ -z "$crates" ] || while read -r crate; do
  # They run for seconds and take minutes to build, so a debug build is enough. A locked dependency may have been
  # removed from the registry.
  # shellcheck disable=SC2086 # arguments
  cargo install --quiet --debug --locked $crate </dev/null || cargo install --quiet --debug $crate </dev/null
done <<<"$crates"
# shellcheck disable=SC2086 # words
[ -z "$unpacked" ] || scripts/builders.sh "$builders" $unpacked
