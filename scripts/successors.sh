#!/usr/bin/env bash
# Checks that the settings for retired images send nobody to an image that is itself retired:
#   scripts/successors.sh [SETTINGS] [PROGRAM]
# Every successor, so each `mirror` and each `use` that is an image, is judged by the settings themselves. One that is refused is a
# mistake. One that is warned about must stand below a comment `# Frozen as well`.
set -euo pipefail
settings=${1:-bundles/retired-images/settings.yaml}
program=${2:-rollout-guard}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

successors=$(sed -nE 's/^ *- \{.*[{ ](mirror|use): ([^" ,}]+).*/\2/p' "$settings" | sort -u)
# The mirrors below the comment, up to the next one.
frozen=$(awk '/^ *#/ { frozen = /# Frozen as well/ } frozen && match($0, / mirror: [^ ,}]+/) { print substr($0, RSTART + 9, RLENGTH - 9) }' "$settings")
[ -n "$successors" ] || { echo "no successors in $settings" >&2; exit 1; }

printf 'apiVersion: v1\nkind: Pod\nmetadata: { name: successors }\nspec:\n  containers:\n' >"$folder/pod.yaml"
count=0
while read -r successor; do
  # A host or a project stands for any image below it.
  count=$((count + 1))
  echo "    - { name: c$count, image: \"$successor/any:1\" }"
  [[ $successor != */* ]] || echo "    - { name: d$count, image: \"$successor:1\" }"
done <<<"$successors" >>"$folder/pod.yaml"

status=0
"$program" check --format json --settings "$settings" "$folder/pod.yaml" >"$folder/report.json" || status=$?
[ "$status" -le 1 ] || exit "$status"
wrong=0
while IFS=$'\t' read -r severity value message; do
  image=${value%:1}
  if [ "$severity" = warning ] && grep -qxF -e "$image" -e "${image%/any}" <<<"$frozen"; then
    continue
  fi
  echo "$message" >&2
  wrong=1
done < <(jq -r '.findings[] | [.severity, .value, .message] | @tsv' "$folder/report.json")
[ "$wrong" = 0 ] || { echo "error: these successors are themselves retired" >&2; exit 1; }
echo "$count successors, none is retired"
