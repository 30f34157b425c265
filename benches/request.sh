#!/usr/bin/env bash
# Prints a request to create a Deployment with so many images, and about so many bytes beside them:
#   benches/request.sh 7 1048576
set -euo pipefail
cat <<'JSON'
{
  "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
  "kind": { "group": "apps", "version": "v1", "kind": "Deployment" },
  "resource": { "group": "apps", "version": "v1", "resource": "deployments" },
  "operation": "CREATE",
  "name": "shop",
  "namespace": "shop",
  "userInfo": { "username": "jane@example.com" },
  "object": { "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "template": { "spec": { "containers": [
JSON
for ((index = 0; index < $1; index++)); do
  printf '{"name":"c%d","image":"registry.example.com/shop/service-%02d:1.%d.0"},\n' "$index" "$index" "$index"
done
printf '{"name":"env","env":['
# 50 bytes each.
if (($2 >= 50)); then
  seq -s ',' -f '{"name":"VARIABLE_%06.0f","value":"0123456789abc"}' "$(($2 / 50))"
fi
echo ']}]}}}}}'
