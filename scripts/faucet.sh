#!/usr/bin/env bash
# Install Faucet, whose check_faucet_config tests prove the dialect faucet with, into a venv of its own (.venv/faucet):
# it pins older versions of libraries that ours need newer.
set -euo pipefail
cd "$(dirname "$0")/.."
home=.venv/faucet
[ ! -x "$home/bin/check_faucet_config" ] || exit 0

if .venv/bin/python -m uv --version >/dev/null 2>&1; then
    uv=(.venv/bin/python -m uv)
else
    uv=(uv)
fi
if "${uv[@]}" --version >/dev/null 2>&1; then
    "${uv[@]}" venv -q --python .venv/bin/python "$home"
    "${uv[@]}" pip install -q --python "$home/bin/python" "faucet>=1.10"
else
    .venv/bin/python -m venv "$home"
    "$home/bin/python" -m pip install -q --disable-pip-version-check "faucet>=1.10"
fi
