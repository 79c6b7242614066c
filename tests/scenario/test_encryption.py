"""Encryption: what a frame and a packet grow by, and that loads and times follow on the links that are encrypted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from fabric.cli.main import run as command
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.saved.result_file import open_result, save_result
from fabric.scenario.encryption_schema import Encryption
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(tmp_path: Any, encryption: dict[str, Any], **workload: Any) -> Run:
    """Four leaves of 4 hosts at 100 Gb/s, two uplinks of 200 Gb/s each: no oversubscription."""
    data = {
        "version": 1,
        "name": "small",
        "fabrics": {
            "main": {
                "topology": {
                    "kind": "leaf-spine", "leaves": 4, "spines": 2, "hosts_per_leaf": 4, "host_speed": "100G",
                    "uplink_speed": "200G",
                },
                "efficiency": 1,
                "encryption": encryption,
            }
        },
        "workloads": [{"id": "w", "kind": "permutation", "fabric": "main", "size": "1 GB", **workload}],
    }  # fmt: skip
    path = tmp_path / "small.fabric.yaml"
    path.write_text(yaml.safe_dump(data))
    return run_scenario(load_scenario(path), RouteRequest())


@pytest.mark.parametrize(
    ("keys", "added", "inner"),
    [
        ({"kind": "macsec"}, 16 + 16, 1500),
        ({"kind": "macsec", "sci": False}, 8 + 16, 1500),
        ({"kind": "macsec", "sci": False, "icv": 8}, 8 + 8, 1500),
        # 20 IP, 8 ESP, 8 IV, 16 ICV leave 1,448, a multiple of 4; 2 of them are pad length and next header.
        ({"kind": "ipsec"}, 54, 1446),
        # 20, 8, 8, 8 of UDP, 16 leave 1,440.
        ({"kind": "ipsec", "nat_traversal": True}, 62, 1438),
        # 20, 8, 16, 16 leave 1,440 = 90 blocks of 16.
        ({"kind": "ipsec", "cipher": "aes-cbc-sha256"}, 62, 1438),
        ({"kind": "ipsec", "outer": "ipv6"}, 74, 1426),
    ],
)
def test_a_frame_of_1500_bytes_grows_by_the_fields_of_the_standard(
    keys: dict[str, Any], added: int, inner: int
) -> None:
    """Efficiency: bytes on the wire in clear over those encrypted, 38 of Ethernet with both."""
    one = Encryption(mtu=1500, **keys)
    assert (one.added_bytes, one.inner_bytes) == (added, inner)
    assert one.left == pytest.approx((inner + 38) / (inner + 38 + added), abs=0)


@pytest.mark.parametrize("mtu", range(1490, 1510))
@pytest.mark.parametrize("cipher", ["aes-gcm", "aes-cbc-sha256"])
def test_no_larger_packet_fits_the_mtu(mtu: int, cipher: Any) -> None:
    """Outer size of a packet of n bytes: n + 2 padded up to the block, and what is around it."""
    vector, block = {"aes-gcm": (8, 4), "aes-cbc-sha256": (16, 16)}[cipher]

    def outer(inner: int) -> int:
        return 20 + 8 + vector + -(-(inner + 2) // block) * block + 16

    inner = Encryption(kind="ipsec", mtu=mtu, cipher=cipher).inner_bytes
    assert outer(inner) <= mtu < outer(inner + 1)


def test_load_in_clear_stays_and_utilisation_rises_on_encrypted_tiers_only(tmp_path: Any) -> None:
    """A permutation over full bisection fills the uplinks: 100 % in clear, 1,570 / 1,538 of it with MACsec."""
    clear = run(tmp_path, {"kind": "none"}).result
    tier = run(tmp_path, {"kind": "macsec", "mtu": 1500, "tiers": ["leaf-spine"]}).result
    before, after = ({one.tier: one.max for one in result.routes[0].tiers} for result in (clear, tier))
    assert after["host-leaf"] == before["host-leaf"]
    assert after["leaf-spine"] == pytest.approx(before["leaf-spine"] * 1570 / 1538)
    assert (tier.routes[0].link_gbps == clear.routes[0].link_gbps).all()


def test_with_all_links_encrypted_the_phase_takes_longer_and_no_link_is_over(tmp_path: Any) -> None:
    """1 GB at 100 Gb/s takes 80 ms; with ESP at an MTU of 1,500 1,538 / 1,484 of that."""
    clear = run(tmp_path, {"kind": "none"}).result
    all_links = run(tmp_path, {"kind": "ipsec", "mtu": 1500}).result
    assert clear.routes[0].window_s["w"] == pytest.approx(0.08)
    assert all_links.routes[0].window_s["w"] == pytest.approx(0.08 * 1538 / 1484)
    assert all_links.routes[0].max_utilisation == pytest.approx(clear.routes[0].max_utilisation)
    texts = {entry.override: entry.text for entry in all_links.assumptions}
    assert texts["fabrics.main.encryption"] == (
        "on main ipsec leaves 96.5 % of the rate of all links: 54 bytes more on a packet of 1,446"
    )


def test_a_measured_ratio_stands_instead_of_the_one_worked_out(tmp_path: Any) -> None:
    measured = run(tmp_path, {"kind": "ipsec", "efficiency": 0.5}).result
    assert measured.routes[0].window_s["w"] == pytest.approx(0.16)


def test_a_saved_result_has_what_encryption_left(tmp_path: Any) -> None:
    made = run(tmp_path, {"kind": "macsec", "mtu": 1500, "tiers": ["leaf-spine"]})
    save_result(tmp_path / "r.fabric-result", made)
    opened = open_result(tmp_path / "r.fabric-result")
    assert (opened.result.routes[0].topology.capacity_gbps == made.result.routes[0].topology.capacity_gbps).all()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "macsec"}, "mtu has to be known"),
        ({"kind": "macsec", "mtu": 300}, "below 576"),
        ({"kind": "ipsec", "mtu": 1000, "outer": "ipv6"}, "below 1280"),
        ({"kind": "macsec", "mtu": 1500, "cipher": "aes-gcm"}, "cipher says nothing of macsec"),
        ({"kind": "macsec", "mtu": 1500, "tiers": ["leaf-spin"]}, "'leaf-spin' is not a tier"),
        ({"kind": "macsec", "mtu": 1500, "tiers": []}, "nothing is encrypted"),
        ({"kind": "macsec", "mtu": 1500, "efficiency": 0.9}, "remove one of them"),
    ],
)
def test_what_cannot_be_worked_out_is_refused(tmp_path: Any, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(FabricError, match=message):
        run(tmp_path, keys)


def test_growth_plans_at_line_rate_and_refuses_an_encrypted_fabric(tmp_path: Any, capfd: Any) -> None:
    """The way out is in the message: plan without, route every stage with it."""
    text = (EXAMPLES / "quickstart.fabric.yaml").read_text()
    (tmp_path / "q.yaml").write_text(text.replace("  main:\n", "  main:\n    encryption: {kind: macsec, mtu: 1500}\n"))
    assert command(["grow", str(tmp_path / "q.yaml"), "--to", "192", "-q"]) == 3
    said = capfd.readouterr().err
    assert "FP9701" in said
    assert "fabrics.main.encryption.kind=none" in said


def test_a_failed_spine_leaves_the_others_with_what_encryption_left(tmp_path: Any) -> None:
    """Half of the uplinks: twice the load, on links of 1,538 / 1,570 of their rate."""
    made = run(tmp_path, {"kind": "macsec", "mtu": 1500, "tiers": ["leaf-spine"]})
    failed = run_scenario(made.loaded, RouteRequest(down=("spine0",)))
    before, after = ({one.tier: one.max for one in each.result.routes[0].tiers} for each in (made, failed))
    assert after["leaf-spine"] == pytest.approx(2 * before["leaf-spine"])
    assert after["host-leaf"] == before["host-leaf"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_converted_file_has_line_rates_and_read_back_with_the_encryption_gives_the_same(
    tmp_path: Any, capfd: Any, form: str
) -> None:
    """Rates less encryption would be lessened a second time: 1,484 / 1,538 of 1,484 / 1,538."""
    made = run(tmp_path, {"kind": "ipsec", "mtu": 1500})
    out = tmp_path / f"line.{form}"
    assert command(["convert", str(tmp_path / "small.fabric.yaml"), "-o", str(out)]) == 0
    assert "line rates are written" in capfd.readouterr().err
    data = yaml.safe_load((tmp_path / "small.fabric.yaml").read_text())
    data["fabrics"]["main"]["topology"] = {"kind": "file", "path": out.name, "format": form}
    (tmp_path / "again.fabric.yaml").write_text(yaml.safe_dump(data))
    again = run_scenario(load_scenario(tmp_path / "again.fabric.yaml"), RouteRequest()).result
    rates = sorted(again.routes[0].topology.capacity_gbps)
    assert rates == pytest.approx(sorted(made.result.routes[0].topology.capacity_gbps))
    assert max(rates) == pytest.approx(200 * 1484 / 1538)


@pytest.mark.parametrize("words", [["build"], ["show", "bisection"]])
def test_what_names_line_rates_names_what_encryption_leaves_of_them(
    tmp_path: Any, capfd: Any, words: list[str]
) -> None:
    run(tmp_path, {"kind": "ipsec", "mtu": 1500})
    path = str(tmp_path / "small.fabric.yaml")
    capfd.readouterr()
    assert command([*words, path, "-f", "plain"]) == 0
    assert "rates are line rates; ipsec leaves 96.5 %" in capfd.readouterr().out
    assert command([*words, path, "--json"]) == 0
    assumed = json.loads(capfd.readouterr().out)["assumptions"]
    assert any("line rates" in one["text"] and one["override"] == "fabrics.main.encryption" for one in assumed)
