#!/usr/bin/env bash
# Make .venv and install fabric into it; "dev" adds the checkers and the real programs that tests use.
# Usage: scripts/setup.sh run|dev
set -euo pipefail
cd "$(dirname "$0")/.."
kind="${1:-run}"
python="${PYTHON:-python3}"

apt_install() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "fabric needs Python 3.11 or newer; set PYTHON=…" >&2
    exit 1
}

if [ ! -x .venv/bin/python ]; then
    # Debian ships venv apart from Python; a half-made folder is removed so that the next run starts anew.
    "$python" -m venv .venv 2>/dev/null || {
        rm -rf .venv
        apt_install python3-venv || true
        "$python" -m venv .venv
    }
fi

target="."
[ "$kind" = dev ] && target=".[dev]"
if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip install -q --disable-pip-version-check uv || true
fi
.venv/bin/python -m uv pip install -q --python .venv/bin/python -e "$target" 2>/dev/null ||
    .venv/bin/python -m pip install -q --disable-pip-version-check -e "$target"

if [ "$kind" = dev ] && ! command -v dot >/dev/null; then
    apt_install graphviz || echo "note: no system Graphviz; tests that compare with it are skipped" >&2
fi
touch ".venv/.ready-$kind"
