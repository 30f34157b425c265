#!/usr/bin/env bash
# Counts what a request costs, in millions of wasm instructions, as images, entries and objects grow:
#   benches/growth.sh policy.wasm
# Prints the rows of the table in docs/performance.md.
set -euo pipefail
policy=$1
files=$(mktemp -d)
trap 'rm -r "$files"' EXIT

# An allow list with so many entries, of which the last one matches.
settings() {
  local index
  printf 'images:\n  allow:\n'
  for ((index = 1; index < $1; index++)); do
    printf '    - registry.example.com/other/service-%d:*\n' "$index"
  done
  printf '    - registry.example.com/shop/*\n'
}

cases=()
measure() {
  bash benches/request.sh "$2" "$4" >"$files/$1.json"
  settings "$3" >"$files/$1.yaml"
  cases+=("$policy,name=$1,request=$files/$1.json,settings=$files/$1.yaml")
}
#                                         name, images, entries, bytes
for count in 1 10 100 1000; do measure "images-$count" "$count" 20 0; done
for count in 1 10 100 1000; do measure "entries-$count" 7 "$count" 0; done
for count in 1 10 100 1000; do measure "kilobytes-$count" 7 20 "${count}000"; done

target/debug/policy-host bench --fuel --request-path "$files/images-1.json" "${cases[@]}" | awk '
  BEGIN {
    title["images"] = "images, each checked against 20 entries"
    title["entries"] = "entries of `images.allow`, with 7 images"
    title["kilobytes"] = "kB of object, with 7 images and 20 entries"
  }
  split($1, name, "-") == 2 {
    gsub(",", "", $NF)
    row[name[1]] = row[name[1]] sprintf(" %.2f |", $NF / 1000000)
    if (name[2] == 1000) print "| " title[name[1]] " |" row[name[1]]
  }'
