"""The script and the page of the folder ``hosts/``."""

from __future__ import annotations

APPLY = """\
#!/bin/sh
# Give this machine the addresses, routes and neighbours of an endpoint of the export:
#   apply.sh HOST [ethN=INTERFACE ...]     HOST as in interfaces.csv; eth1 and on are its NICs there
# As root, again whenever the export changes. A machine with several endpoints runs it once for each.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
[ "$#" -gt 0 ] || { echo "usage: apply.sh HOST [ethN=INTERFACE ...]" >&2; exit 2; }
host=$1
shift
stem=$(awk -F, -v host="$host" 'NR > 1 && ($1 == host || $2 == host) { print $2; exit }' "$here/interfaces.csv")
[ -n "$stem" ] && [ -f "$here/$stem.ip" ] || { echo "apply.sh: no host $host in $here/interfaces.csv" >&2; exit 2; }
first='' second=''
for pair in "$@"; do
    nic=${pair%%=*} real=${pair#*=}
    case $nic=$real in
    eth*[!0-9]*=* | *=*[!A-Za-z0-9_.:-]* | *= | [!e]*) echo "apply.sh: $pair is not ethN=INTERFACE" >&2; exit 2 ;;
    esac
    first="$first;s/ dev $nic\\\\( \\\\|\\$\\\\)/ dev @$nic@\\\\1/"
    second="$second;s/@$nic@/$real/"
done
renamed() { sed -e "$first" | sed -e "$second"; }
[ ! -f "$here/$stem.sysctl" ] || sysctl -q -p "$here/$stem.sysctl"
table=$(sed -n 's/.* table \\([0-9]*\\) .*/\\1/p' "$here/$stem.ip" | head -n 1)
addresses=$(sed -n 's/^address replace \\([^ /]*\\).*/\\1/p' "$here/$stem.ip" | sort -u)
# Most NICs take another MAC address while they are down only; nexthop objects want a NIC that is up.
renamed <"$here/$stem.links" | sed -n 's/^link set dev \\([^ ]*\\) address /\\1 /p' | while read -r nic mac; do
    [ "$(cat "/sys/class/net/$nic/address")" != "$mac" ] || continue
    ip link set dev "$nic" down
    ip link set dev "$nic" address "$mac"
done
renamed <"$here/$stem.links" | sed -n 's/^link set dev \\([^ ]*\\) up$/\\1/p' | while read -r nic; do
    ip link set dev "$nic" up
    # A next hop whose cable is cut is left out only where its own NIC says so.
    for family in 4 6; do
        echo 1 2>/dev/null >"/proc/sys/net/ipv$family/conf/$nic/ignore_routes_with_linkdown" || true
    done
    tries=0
    until [ "$(cat "/sys/class/net/$nic/carrier" 2>/dev/null)" = 1 ] || [ "$tries" -ge 50 ]; do
        sleep 0.2
        tries=$((tries + 1))
    done
done
[ ! -f "$here/$stem.nexthops" ] || renamed <"$here/$stem.nexthops" | ip -6 -batch -
renamed <"$here/$stem.ip" | ip -batch -
for nic in $(sed -n 's/^link set dev \\([^ ]*\\) up$/\\1/p' "$here/$stem.links"); do
    [ -f "$here/$nic.neighbours" ] || continue
    own=$(for address in $addresses; do printf '%s\\n' "neighbour replace $address "; done)
    renamed <"$here/$nic.neighbours" | { grep -vF -- "$own" || true; } | ip -batch -
done
[ -n "$table" ] || exit 0
for address in $addresses; do
    family=-4
    case $address in *:*) family=-6 ;; esac
    ip "$family" rule del from "$address" table "$table" 2>/dev/null || true
    ip "$family" rule add from "$address" table "$table" priority 1000
done
"""

NEIGHBOURS = """\
Switches with flow tables send packets by their IP address and leave frames as they are. They carry no ARP and no
neighbour discovery, and nobody answers for the gateway. So every endpoint has

* the MAC address of `interfaces.csv` on all its NICs: another would drop what comes in,
* its address, and routes over its NICs to the addresses of the fabric,
* a permanent neighbour for every endpoint, from `ethN.neighbours`, on each NIC.

When an endpoint is added or moves, apply the files again on all."""

GATEWAY = """\
Routers answer ARP and neighbour discovery for the gateway's address on every port that a host is cabled to. So every
endpoint has its address on all its NICs, and routes over the gateway to the addresses of the fabric; MAC addresses stay
as they are."""

README = """\
# Hosts

What the endpoints of this export need so that they reach each other. On each machine, as root:

```sh
sh hosts/apply.sh HOST eth1=enp1s0 eth2=enp2s0
```

`interfaces.csv` lists every endpoint with its NICs, `eth1` and on in the order of cabling, and the switch and port that
each is cabled to. Without the names of interfaces `apply.sh` takes them to be called that. A machine with several
endpoints, such as one per rail, runs it once for each, `eth1=` its NIC. The same again changes nothing.

{how}

Of one endpoint, in the order of `apply.sh`: `NAME.links`, its NICs, and `NAME.ip`, its addresses and routes, for
`ip -batch`; between them `NAME.nexthops`, of some with several NICs, for `ip -6 -batch`. Routes stand in the main table
and in a table of the endpoint's own, which a rule chooses for packets from its addresses. `NAME.sysctl`, of endpoints
with several NICs, sets the hash that chooses between them, with a seed of their own, and lets answers come in by
another NIC. Nothing of it survives a reboot.
"""
