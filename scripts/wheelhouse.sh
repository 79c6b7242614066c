#!/usr/bin/env bash
# Fetch the libraries of the image as wheels, for builds without a network. Usage: scripts/wheelhouse.sh FOLDER [3.11]
# The second word is the Python of the image's base; 3.11 is Debian 12's.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
needed=$("$python" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")')
mkdir -p "$1"
"$python" -m pip download -q --disable-pip-version-check --only-binary :all: --python-version "${2:-3.11}" \
    -d "$1" -r <(echo "$needed") 'setuptools>=77'
