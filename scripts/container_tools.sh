#!/usr/bin/env bash
# Put what tests build our image from into .venv/tools: Debian's packages, unpacked into one archive, our libraries as
# wheels for its Python, and a first build, whose layers later ones take over. Needs root, buildah, crun and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
home=.venv/tools
[ "$(id -u)" = 0 ] || { echo "not root" >&2; exit 1; }
for program in buildah crun mmdebstrap; do
    command -v "$program" >/dev/null || { echo "$program is not installed" >&2; exit 1; }
done
mkdir -p "$home/wheels"

if [ ! -f "$home/debian.tar" ]; then
    sources=() # where this machine has its packages from; without, where mmdebstrap looks by itself
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ "${#sources[@]}" != 0 ] || [ ! -s "$file" ] || sources=("$file")
    done
    mmdebstrap --quiet --variant=extract \
        --include=python3,python3-venv,base-files,coreutils,dash,debianutils,findutils,grep,libc-bin,libstdc++6,sed \
        bookworm "$home/.debian.tar" "${sources[@]}"
    mv "$home/.debian.tar" "$home/debian.tar"
fi
scripts/wheelhouse.sh "$home/wheels"
.venv/bin/python tests/real/container_lab.py
