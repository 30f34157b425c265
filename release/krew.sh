#!/usr/bin/env bash
# Prints the manifest of the kubectl plugin for krew, of the archives of `rollout-guard` in a folder:
# release/krew.sh dist >rollout-guard.yaml
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?the folder with the archives}
version=$(release/version.sh)
cat <<EOT
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: rollout-guard
spec:
  version: v$version
  homepage: https://github.com/rollout-guard/rollout-guard
  shortDescription: Judge manifests as the rollout-guard policy would
  description: |
    Judges manifests in Git as the Kubewarden policy rollout-guard would at admission, rewrites images to their
    mirrors, and compares manifests with the live workloads and their Pods.
  caveats: |
    Settings are those of the policy: kubectl rollout-guard check --settings settings.yaml deploy/
  platforms:
EOT
for archive in "$folder"/rollout-guard-v"$version"-*.tar.gz; do
  name=$(basename "$archive" .tar.gz)
  target=${name#rollout-guard-v"$version"-}
  case $target in *-linux-*) os=linux ;; *-apple-*) os=darwin ;; esac
  case $target in x86_64-*) architecture=amd64 ;; aarch64-*) architecture=arm64 ;; esac
  # A hyphen in the file's name would make it a subcommand of \`kubectl rollout\`.
  cat <<EOT
    - selector:
        matchLabels: { os: $os, arch: $architecture }
      uri: https://github.com/rollout-guard/rollout-guard/releases/download/v$version/$name.tar.gz
      sha256: $(sha256sum "$archive" | cut -d ' ' -f 1)
      bin: kubectl-rollout_guard
      files:
        - from: $name/rollout-guard
          to: kubectl-rollout_guard
        - from: $name/LICENSE
          to: .
EOT
done
