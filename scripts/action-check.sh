#!/usr/bin/env bash
# Checks manifests for the GitHub action, whose inputs are in the environment, and returns the number of
# violations and the path of the SARIF report.
set -euo pipefail
: "${SETTINGS:?}" "${PATHS:?}" "${FORMAT:?}" "${RUNNER_TEMP:?}" "${GITHUB_OUTPUT:?}"
# Split into arguments, without expanding them. The bash of macOS takes an empty list for unset.
read -rd '' -a paths <<<"$PATHS" || true
read -rd '' -a args <<<"${ARGS:-}" || true
status=0
rollout-guard check --settings "$SETTINGS" --format "$FORMAT" ${args[@]+"${args[@]}"} -- "${paths[@]}" >"${OUTPUT:-/dev/stdout}" || status=$?
[ "$status" -ne 2 ] || exit 2

# Run once more, for code scanning and for the count. Errors have already been reported.
sarif=$(mktemp -d "$RUNNER_TEMP/rollout-guard-report.XXXXXX")/report.sarif
rollout-guard check --settings "$SETTINGS" --format sarif ${args[@]+"${args[@]}"} -- "${paths[@]}" >"$sarif" 2>/dev/null || true
# One result a line. A quotation mark within a text is escaped, so that these are keys. What is suppressed is in
# the baseline.
violations=$(grep -F '"partialFingerprints":{' "$sarif" | grep -vF '"suppressions":[' | grep -cF '"level":"error"' || true)
{
  echo "violations=$violations"
  echo "sarif=$sarif"
} >>"$GITHUB_OUTPUT"
exit "$status"
