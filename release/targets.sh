# shellcheck shell=bash
# The targets of released commands, for other scripts to load.

# The target of this machine. On Linux it is musl: the command needs no system libraries, and runs in an
# empty root.
command_target() {
  local host
  host=$(rustc --print host-tuple)
  case $host in
    *-linux-*) echo "${host%%-*}-unknown-linux-musl" ;;
    *) echo "$host" ;;
  esac
}

# Exports what Cargo needs to build for a target: cargo_for TARGET
cargo_for() {
  scripts/rust-target.sh "$1"
  # Panic messages must not contain this machine's paths.
  export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=registry --remap-path-prefix=$PWD=rollout-guard"
  case $1 in
    # The linker and the C library of the toolchain, so that every machine links for every architecture.
    *-musl)
      local name=${1^^}
      export "CARGO_TARGET_${name//-/_}_LINKER=rust-lld"
      ;;
  esac
}
