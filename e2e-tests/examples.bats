#!/usr/bin/env bats
# The built and annotated module gives each example the answer that stands beside it.

setup() {
  cd "$BATS_TEST_DIRNAME/.." || exit 1
}

judge() {
  "$KWCTL" run --request-path "$1/request.json" --settings-path "$1/settings.yaml" annotated-policy.wasm
}

@test "every example gets its expected answer" {
  count=0
  for example in examples/*/; do
    echo "$example"
    diff <(judge "$example" | jq -S .) <(jq -S . "$example/expected.json")
    count=$((count + 1))
  done
  [ "$count" -ge 13 ]
}

@test "a refusal says where, what and what to write instead" {
  run judge examples/01-trusted-registries
  [ "$status" -eq 0 ]
  [ "$(jq -r .allowed <<<"$output")" = false ]
  [ "$(jq -r .status.code <<<"$output")" = 403 ]
  jq -re .status.message <<<"$output" | grep -F '[registry-not-allowed]'
}

@test "a mutation is a patch of images and pull secrets, and nothing else" {
  run judge examples/10-mirrors
  [ "$status" -eq 0 ]
  [ "$(jq -r .allowed <<<"$output")" = true ]
  [ "$(jq -r .patchType <<<"$output")" = JSONPatch ]
  [ "$(jq -r '.patch | @base64d | fromjson | map(.op + " " + .path) | sort | join(",")' <<<"$output")" = \
    'add /spec/imagePullSecrets,replace /spec/containers/0/image,replace /spec/containers/1/image,replace /spec/initContainers/0/image' ]
}

@test "make run shows a patch as text" {
  run make --no-print-directory run EXAMPLE=12-workloads-rewritten
  [ "$status" -eq 0 ]
  [[ "$output" == *'- spec.template.spec.containers[0].image: `redis:7.2-alpine` becomes `example.azurecr.io/redis:7.2-alpine-final`'* ]]
}

@test "a deletion passes" {
  request=$(jq '.request | .operation = "DELETE" | .oldObject = .object | del(.object)' examples/01-trusted-registries/request.json)
  run "$KWCTL" run --request-path <(echo "$request") --settings-path examples/01-trusted-registries/settings.yaml annotated-policy.wasm
  [ "$status" -eq 0 ]
  [ "$(jq -r .allowed <<<"$output")" = true ]
}

@test "settings that cannot be meant are refused with every mistake and its path" {
  run "$KWCTL" run --request-path examples/01-trusted-registries/request.json \
    --settings-json '{"images":{"alow":["nginx"],"reject":["nginx:"]}}' annotated-policy.wasm
  [ "$status" -eq 1 ]
  [[ "$output" == *'images.alow: unknown key, did you mean `allow`?'* ]]
  [[ "$output" == *'images.reject[0]: `nginx:`: tag: empty tag after `:`'* ]]
}

@test "settings without a rule are refused" {
  run "$KWCTL" run --request-path examples/01-trusted-registries/request.json --settings-json '{}' annotated-policy.wasm
  [ "$status" -eq 1 ]
  [[ "$output" == *'no rule'* ]]
}

@test "make run tells the story of an example" {
  diff <(make --no-print-directory run EXAMPLE=01-trusted-registries) e2e-tests/run-01.txt
}

@test "make run names the examples when there is no such one" {
  run make --no-print-directory run EXAMPLE=nope
  [ "$status" -ne 0 ]
  [[ "$output" == *'no such example: nope, there are: 01-trusted-registries'* ]]
}
