#!/usr/bin/env bash
# Make .venv and install fabric into it; "dev" adds the checkers and the real programs that tests use, "bench" the peers
# that benchmarks run beside ours, as far as they can be had.
# Usage: scripts/setup.sh run|dev|bench
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

if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip install -q --disable-pip-version-check uv 2>/dev/null || true
fi

install() {
    .venv/bin/python -m uv pip install -q --python .venv/bin/python "$@" 2>/dev/null ||
        uv pip install -q --python .venv/bin/python "$@" 2>/dev/null ||
        .venv/bin/python -m pip install -q --disable-pip-version-check "$@"
}

peers() {
    .venv/bin/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))
print(*p["project"]["optional-dependencies"]["bench"], sep="\n")'
}

case "$kind" in
dev) install -e ".[dev]" ;;
bench)
    install -e .
    peers | while read -r peer; do
        install "$peer" </dev/null 2>/dev/null || echo "note: $peer cannot be installed; benchmarks go without" >&2
    done
    ;;
*) install -e . ;;
esac

# The real programs that tests prove our output with: command, package.
real_programs="dot graphviz
ovs-vswitchd openvswitch-switch
ip iproute2
ping iputils-ping
ethtool ethtool
tcpdump tcpdump
opensm opensm
ibsim ibsim-utils
ibnetdiscover infiniband-diags
vtysh frr
chromium chromium
tmux tmux
yanglint libyang2-tools
crushtool ceph-base
nfdump nfdump
lldpd lldpd
prometheus prometheus
promtool prometheus
prometheus-snmp-exporter prometheus-snmp-exporter
snmpd snmpd
slurmctld slurmctld
slurmrestd slurmrestd
scontrol slurm-client
munged munge
buildah buildah
crun crun
mmdebstrap mmdebstrap"

if [ "$kind" = dev ]; then
    missing=$(echo "$real_programs" | while read -r program package; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || echo "$package"
    done)
    # shellcheck disable=SC2086  # one word per package
    [ -z "$missing" ] || apt_install $missing ||
        echo "note: not installed, so tests that need them are skipped:" $missing >&2
fi
[ "$kind" != dev ] || scripts/faucet.sh || echo "note: faucet is not installed; its tests are skipped" >&2
if [ "$kind" = dev ]; then
    scripts/kubernetes_tools.sh || echo "note: helm and kubectl are not there; tests of the chart are skipped" >&2
    scripts/container_tools.sh || echo "note: nothing to build the image from; its tests are skipped" >&2
fi
touch ".venv/.ready-$kind"
