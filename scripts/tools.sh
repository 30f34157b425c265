#!/usr/bin/env bash
# Installs what the tests need, where it is missing, and says so before: everything, or the commands that
# are named (scripts/tools.sh node mdbook). With --missing it only prints which of them are.
set -euo pipefail
cd "$(dirname "$0")/.."

# Each command, and the package of Debian that it is in.
declare -A debian=(
  [bats]=bats [buildah]=buildah [c++]=g++ [chromium]=chromium [curl]=curl [docker-registry]=docker-registry
  [git]=git [htpasswd]=apache2-utils [jq]=jq [make]=make
  [node]=nodejs [npm]=npm [python3]=python3-venv [shellcheck]=shellcheck [unshare]=util-linux [wasm-opt]=binaryen
)
# Each command that Cargo installs, with the version that the project wants and the arguments.
bindgen=$(grep -A1 '^name = "wasm-bindgen"$' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')
declare -A cargo=(
  [wasm-bindgen]="wasm-bindgen-cli --version $bindgen --bin wasm-bindgen --force"
  [mdbook]='mdbook --version 0.5.4 --no-default-features --features search'
)

is_there() {
  case $1 in
    # It writes the glue for exactly the version of the crate that the module was built with.
    wasm-bindgen) [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $bindgen" ] ;;
    # Debian's python3 comes without what makes environments.
    python3) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

only_print=
if [ "${1:-}" = --missing ]; then
  only_print=1
  shift
fi
(($#)) || set -- "${!debian[@]}" "${!cargo[@]}"
missing=()
packages=()
crates=()
for tool in "$@"; do
  if is_there "$tool"; then
    continue
  fi
  missing+=("$tool")
  if [ -n "${debian[$tool]:-}" ]; then
    packages+=("${debian[$tool]}")
  elif [ -n "${cargo[$tool]:-}" ]; then
    crates+=("${cargo[$tool]}")
  else
    echo "error: unknown tool \`$tool\`, there are: ${!debian[*]} ${!cargo[*]}" >&2
    exit 2
  fi
done
if [ -n "$only_print" ]; then
  echo "${missing[*]}"
  exit
fi
if ! ((${#packages[@]} + ${#crates[@]})); then
  echo 'Nothing is missing.'
  exit
fi

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo 'This will run:'
if ((${#packages[@]})); then
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort)
  update=("${as_root[@]}" apt-get update --quiet --quiet)
  install=("${as_root[@]}" apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]}")
  printf '  %s\n' "${update[*]}" "${install[*]}"
fi
for crate in "${crates[@]}"; do
  echo "  cargo install --debug --locked $crate"
done

if ((${#packages[@]})); then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo 'error: there is no apt-get: install these packages, or what they are called here, by hand' >&2
    exit 1
  fi
  "${update[@]}"
  "${install[@]}"
fi
for crate in "${crates[@]}"; do
  read -ra arguments <<<"$crate"
  # They run for seconds and are built for minutes: a debug build does. What a tool had locked may since be
  # gone from the registry.
  cargo install --quiet --debug --locked "${arguments[@]}" || cargo install --quiet --debug "${arguments[@]}"
done
