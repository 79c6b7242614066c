"""The bill against counts by hand, published component counts, and what every bill has to obey."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fabric.bill.bill import Bill, BillRow
from fabric.bill.count import bill_of
from fabric.cables.schedule import cable_schedule
from fabric.faces.answers.bill_report import bill_record, bill_sheets
from fabric.faces.answers.workbook import workbook_bytes
from fabric.faces.views.bill import bill_table
from fabric.pipeline.network import build_network
from fabric.scenario.cost_schema import spare_count
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.catalogue import builtin
from topologies.errors import FabricError

NODES = [{"group": "gpu", "model": "hgx-h100-8", "count": 4, "nics": {"main": {"model": "cx7-400", "count": 2}}}]
SPLIT = {
    "kind": "leaf-spine",
    "leaf": {"model": "eth-64x800", "down": 3, "down_breakout": "2x400", "up": 3, "count": 2},
    "spine": {"model": "eth-64x800", "count": 3},
}


def scenario(topology: dict[str, Any], nodes: Any = (), **more: Any) -> dict[str, Any]:
    """A scenario of one fabric."""
    return {"version": 1, "name": "b", "nodes": list(nodes), "fabrics": {"main": {"topology": topology}}, **more}


def loaded(data: dict[str, Any], folder: Path, catalogue: dict[str, Any] | None = None) -> LoadedScenario:
    """A scenario from a file, with a catalogue of its own."""
    if catalogue is not None:
        (folder / "own.yaml").write_text(yaml.safe_dump(catalogue))
        data = {**data, "include": [{"catalog": "./own.yaml"}]}
    path = folder / "b.fabric.yaml"
    path.write_text(json.dumps(data))
    return load_scenario(path)


def bill(data: dict[str, Any], folder: Path, catalogue: dict[str, Any] | None = None, *, nodes: bool = False) -> Bill:
    """The bill of a scenario."""
    one = loaded(data, folder, catalogue)
    return bill_of(one, build_network(one).topologies, nodes=nodes)


def counts(found: Bill) -> dict[tuple[str, str], int]:
    """Count of every item and model."""
    return {(row.item, row.model): row.count for row in found.rows}


def by_model(found: Bill, model: str) -> BillRow:
    """The row of a model."""
    (row,) = (row for row in found.rows if row.model == model)
    return row


# ---- counted by hand -------------------------------------------------------------------------------------------------


def test_a_small_fabric_counted_by_hand_with_every_breakout(tmp_path):
    """Leaf 0 takes three hosts, leaf 1 one: 6 and 2 links of 400G, two a cage of 800G.

    3 and 1 cages: four splitters of 800G to 2 x 400G. Uplinks: 2 leaves x 3 spines at 800G over 20 m, which only
    optics reach; 800G SR8 to 50 m is the cheapest, one at each end of 6 fibres.
    """
    found = bill(scenario(SPLIT, NODES), tmp_path)
    assert counts(found) == {
        ("switch", "eth-64x800"): 5,
        ("nic", "cx7-400"): 8,
        ("cable", "dac-2x400"): 4,
        ("cable", "mpo-mmf"): 6,
        ("optic", "800g-sr8"): 12,
    }
    # US$: 5 x 70,000 + 8 x 1,700 + 4 x 260 + 6 x (45 + 20 x 1.6) + 12 x 600
    assert found.totals.cost_usd == pytest.approx(350_000 + 13_600 + 1_040 + 462 + 7_200)
    # W: 5 x 940 + 8 x 18 + 12 x 11.9; at most 5 x 2,080 + 8 x 25, the optics are in the switches' own
    assert found.totals.typical_w == pytest.approx(4_700 + 144 + 142.8)
    assert found.totals.max_w == pytest.approx(10_400 + 200)
    assert found.totals.gpus == 32


def test_an_odd_link_takes_a_cage_of_its_own(tmp_path):
    """Three NICs on one leaf: 3 links, two a cage, are 2 splitters; far away, 2 twin-port optics and 3 at NICs."""
    nodes = [{**NODES[0], "count": 1, "nics": {"main": {"model": "cx7-400", "count": 3}}}]
    near = bill(scenario(SPLIT, nodes), tmp_path)
    assert by_model(near, "dac-2x400").count == 2
    far = bill(scenario(SPLIT, nodes, costs={"run_lengths": {"host-leaf": "300 m"}}), tmp_path)
    assert (by_model(far, "osfp-2x400g").count, by_model(far, "400g-dr4").count) == (2, 3)


def test_optics_at_nics_add_to_the_largest_power_and_those_in_switches_do_not(tmp_path):
    """64 links of 400G DR4 over 300 m: 9 W at each NIC; a QM9700 of 1,720 W has 32 x 17 W in it."""
    nodes = [{**NODES[0], "count": 8, "nics": {"main": {"model": "cx7-400", "count": 8, "rail": "per-gpu"}}}]
    topology = {"kind": "single-switch", "switch": {"model": "ib-64x400"}}
    found = bill(scenario(topology, nodes, costs={"run_lengths": {"host-switch": "300 m"}}), tmp_path)
    assert by_model(found, "osfp-2x400g").count == 32
    assert by_model(found, "400g-dr4").count == 64
    assert by_model(found, "osfp-2x400g").max_power_w == pytest.approx(0.0)
    assert found.totals.max_w == pytest.approx(1_720 + 64 * 25 + 64 * 9)


def test_what_a_switch_has_no_room_for_is_added(tmp_path):
    """A model of 100 W typically and 110 W at most holds 10 W of optics; 2 links of 9 W each exceed it by 8 W."""
    own = {
        "switches": [
            {"model": "tight", "ports": 4, "speed": "400G", "typical_w": 100, "max_w": 110, "usd": 1, "source": "x"}
        ]
    }
    nodes = [{"group": "gpu", "count": 2, "gpus": 1, "nics": {"main": {"speed": "400G"}}}]
    data = scenario({"kind": "single-switch", "switch": {"model": "tight"}}, nodes)
    found = bill({**data, "costs": {"run_lengths": {"host-switch": "300 m"}}}, tmp_path, own)
    assert by_model(found, "400g-dr4").max_power_w == pytest.approx(2 * 9 + 8)
    own["switches"][0]["optics_in_max_w"] = False
    found = bill({**data, "costs": {"run_lengths": {"host-switch": "300 m"}}}, tmp_path, own)
    assert by_model(found, "400g-dr4").max_power_w == pytest.approx(4 * 9)


def test_nodes_have_their_nics_in_them_unless_the_model_says_otherwise(tmp_path):
    """4 servers of US$ 300,000; their 8 NICs cost nothing more, or 8 x 1,700."""
    with_nodes = bill(scenario(SPLIT, NODES), tmp_path, nodes=True)
    without = bill(scenario(SPLIT, NODES), tmp_path)
    nics = by_model(without, "cx7-400").cost_usd
    assert nics == 13_600
    assert with_nodes.totals.cost_usd == pytest.approx(without.totals.cost_usd - 13_600 + 1_200_000)
    row = {**builtin().nodes["hgx-h100-8"].model_dump(mode="json", exclude_none=True), "with_nics": False}
    row = {key: value for key, value in row.items() if key not in ("gpu", "scale_up")}
    apart = bill(scenario(SPLIT, NODES), tmp_path, {"nodes": [row]}, nodes=True)
    assert apart.totals.cost_usd == pytest.approx(without.totals.cost_usd + 1_200_000)


def test_licences_spares_and_a_price_of_nothing(tmp_path):
    """5 switches with licences at US$ 100; spares 10 % of 12 optics: 2; 1 switch per model; a free NIC is priced."""
    row = {**builtin().switches["eth-64x800"].model_dump(mode="json", exclude_none=True), "licence_usd": 100}
    row["speed"], row["depth"] = "800G", "0.75 m"
    costs = {"spares": {"optics": "10%", "switches": 1, "cables": "0%"}, "prices": {"cx7-400": 0}}
    found = bill(scenario(SPLIT, NODES, costs=costs), tmp_path, {"switches": [row]})
    assert [(each.model, each.count, each.cost_usd) for each in found.of("licence")] == [("eth-64x800", 5, 500)]
    assert {each.model: each.count for each in found.of("spare")} == {"eth-64x800": 1, "800g-sr8": 2}
    assert by_model(found, "cx7-400").cost_usd == 0
    assert found.totals.missing_prices == ()
    spare = next(each for each in found.of("spare") if each.model == "eth-64x800")
    assert (spare.power_w, spare.cost_usd) == (0, 70_000)


def test_carbon_of_operation_by_hand(tmp_path):
    """1 kW with PUE 1.5 for two years of 8,766 hours at 0.2 kg a kWh: 5,259.6 kg."""
    own = {"switches": [{"model": "kilo", "ports": 2, "speed": "100G", "typical_w": 1000, "usd": 1, "source": "x"}]}
    costs = {"grid_kg_per_kwh": 0.2, "pue": 1.5, "years": 2}
    data = scenario({"kind": "single-switch", "switch": {"model": "kilo"}}, costs=costs)
    found = bill(data, tmp_path, own)
    assert found.totals.operation_kg == pytest.approx(1.5 * 2 * 8766 * 0.2)
    assert found.totals.facility_w == pytest.approx(1500)
    assert [factor.source for factor in found.factors] == ["the scenario"] * 3


def test_switches_without_a_model_are_counted_and_named_as_missing(tmp_path):
    """No price is not a price of nothing."""
    found = bill(scenario({"kind": "fat-tree", "radix": 4, "speed": "400G"}), tmp_path)
    names = {row.model: row.count for row in found.of("switch")}
    assert names == {"aggregation of 4 x 400 Gb/s": 8, "core of 4 x 400 Gb/s": 4, "edge of 4 x 400 Gb/s": 8}
    assert set(names) <= set(found.totals.missing_prices)
    assert found.totals.whole_cost_usd is None


# ---- published -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "nodes", "leaves", "spines"), [(1, 31, 8, 4), (2, 63, 16, 8), (3, 95, 24, 16), (4, 127, 32, 16)]
)
def test_the_superpod_of_h100(units, nodes, leaves, spines, tmp_path):
    """NVIDIA DGX SuperPOD H100 reference architecture: switches and cables; 127 nodes have 1,016 and 1,024 cables.

    Twin-port optics fill the cages of a QM9700, two links each: half a leaf's 64 ports down and up, and what a spine
    has; four twin-port cages a node. Management links share the cages that a left-out node leaves.
    """
    topology = {"kind": "superpod", "scalable_units": units, "reserved_nodes": 1, "switch": {"model": "ib-64x400"}}
    group = {"group": "gpu", "model": "hgx-h100-8", "count": nodes}
    group["nics"] = {"main": {"model": "cx7-400-twin", "count": 8, "rail": "per-gpu"}}
    runs = {"host-leaf": "40 m", "leaf-spine": "40 m"}
    found = bill(scenario(topology, [group], costs={"run_lengths": runs}), tmp_path)
    assert counts(found) == {
        ("switch", "ib-64x400"): leaves + spines,
        ("nic", "cx7-400-twin"): nodes * 8,
        ("cable", "mpo-mmf"): nodes * 8 + leaves * 32,
        ("optic", "800g-2x400-sr"): nodes * 4 + leaves * 32 + leaves * 32 // 2,
    }


@pytest.mark.parametrize(
    ("units", "leaves", "spines", "cores", "cables"), [(4, 32, 16, 0, 1024), (16, 128, 128, 64, 4096)]
)
def test_the_superpod_of_b200_and_b300(units, leaves, spines, cores, cables, tmp_path):
    """DGX SuperPOD B200 reference architecture, table of component counts; every port of every switch is used.

    Optics are half of the ports, since a QM9700 has two in a cage.
    """
    topology = {"kind": "superpod", "scalable_units": units, "switch": {"model": "ib-64x400"}}
    tiers = {"host-leaf": "40 m", "leaf-spine": "40 m", **({"spine-core": "40 m"} if cores else {})}
    found = bill(scenario(topology, costs={"run_lengths": tiers}), tmp_path)
    switches = leaves + spines + cores
    assert by_model(found, "ib-64x400").count == switches
    assert by_model(found, "mpo-mmf").count == cables * len(tiers)
    ports = cables * (2 * len(tiers) - 1)
    assert by_model(found, "800g-2x400-sr").count == ports // 2 <= switches * 32
    assert by_model(found, "400g-sr4").count == cables


# ---- what every bill obeys -------------------------------------------------------------------------------------------

SMALL = [
    scenario(SPLIT, NODES),
    scenario({"kind": "fat-tree", "radix": 4, "speed": "100G"}),
    scenario({"kind": "dragonfly", "p": 2, "a": 4, "h": 2, "speed": "400G", "switch": {"model": "ib-64x400"}}),
    scenario(
        {"kind": "superpod", "scalable_units": 1, "nodes_per_unit": 5, "switch": {"model": "ib-64x400"}},
        costs={"spares": {"optics": "2%", "cables": "3%"}},
    ),
]


def row_dicts(section: str) -> list[dict[str, Any]]:
    """Rows of a section as a file has them."""
    text = (Path(__file__).parents[2] / "topologies" / "data" / f"{section}.yaml").read_text()
    return list(yaml.safe_load(text))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cheaper_part_never_makes_a_dearer_bill(data, tmp_path):
    """Whatever part it is, and whatever it is part of; and no order of rows matters."""
    case = data.draw(st.sampled_from(SMALL))
    before = bill(case, tmp_path)
    section = data.draw(st.sampled_from(["switches", "nics", "optics", "cables"]))
    rows = row_dicts(section)
    row = data.draw(st.sampled_from(rows))
    row["usd"] = row["usd"] * data.draw(st.sampled_from([0.0, 0.3, 0.9]))
    mixed = data.draw(st.permutations(rows))
    after = bill(case, tmp_path, {section: mixed})
    assert after.totals.cost_usd <= before.totals.cost_usd + 1e-6
    again = bill(case, tmp_path, {section: rows})
    assert [each.__dict__ for each in again.rows] == [each.__dict__ for each in after.rows]


@pytest.mark.parametrize("price", [420, 260, 90])
def test_half_a_splitter_costs_a_whole_one(price, tmp_path):
    """One link in a cage of two: a splitter of US$ 260 is dearer than fibre and optics of 80 + 60 + 60, 90 is not."""
    own = {
        "cables": [
            {"model": "f", "speed": "800G", "medium": "mmf", "length": "100 m", "usd": 80, "source": "x"},
            {"model": "s", "speed": "800G", "medium": "dac", "length": "3 m", "ends": 2, "usd": price, "source": "x"},
        ],
        "optics": [
            {"model": name, "speed": f"{400 * links}G", "links": links, "reach_m": "50 m", "medium": "mmf", "usd": 60}
            | {"source": "x"}
            for name, links in (("one", 1), ("two", 2))
        ],
    }
    gone = {"cables": "dac-2x400 aec-2x400 mpo-mmf", "optics": "400g-sr4 400g-dr4 400g-fr4 400g-dr2"}
    prices = {model: 9999 for models in gone.values() for model in models.split()}
    nodes = [{"group": "gpu", "count": 1, "gpus": 1, "nics": {"main": {"speed": "400G"}}}]
    topology = {"kind": "single-switch", "switch": {"model": "ib-64x400"}}
    found = bill(scenario(topology, nodes, costs={"prices": prices}), tmp_path, own)
    cost = sum(row.cost_usd for row in found.of("cable", "optic"))
    assert cost == min(price, 80 + 60 + 60)


@pytest.mark.parametrize("case", SMALL)
def test_rows_add_up_to_the_totals_and_agree_with_the_schedule(case, tmp_path):
    """Also as JSON; and as many cables of every model as the schedule has."""
    one = loaded(case, tmp_path)
    topologies = build_network(one).topologies
    found = bill_of(one, topologies)
    record, rows = bill_record(found), bill_table(found).records()
    for name in ("cost", "power_w", "max_power_w", "embodied_kg"):
        assert sum(row[name] or 0 for row in rows) == pytest.approx(record["totals"][name])
    assert found.totals.typical_w <= found.totals.max_w + 1e-6
    schedule = cable_schedule(one, topologies)
    scheduled: dict[str, int] = {}
    for _, model in {(cable.number, cable.model) for cable in schedule.cables}:
        scheduled[model] = scheduled.get(model, 0) + 1
    assert {row.model: row.count for row in found.of("cable")} == scheduled


def test_spares_are_rounded_up_for_every_model():
    """2 % of 100 is 2, not 3 for the last bit of 0.02 * 100."""
    assert [spare_count("2%", count) for count in (1, 50, 51, 100)] == [1, 1, 2, 2]
    assert [spare_count("7%", 100), spare_count("0.1%", 1000), spare_count("2 per model", 9)] == [7, 1, 2]


# ---- bad input, files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        ({"prices": {"eth-64x40": 1}}, "no model is called 'eth-64x40'; did you mean 'eth-64x400'"),
        ({"prices": {"eth-64x400": -1}}, "should be at least 0.0, not -1"),
        ({"spares": {"optics": "many"}}, "'many' is not a rule for spares; write a share such as 2%, or 1 per model"),
        ({"spares": {"optic": "2%"}}, "optic"),
        ({"pue": 0.8}, "should be at least 1.0, not 0.8"),
        ({"years": 0}, "should be more than 0.0, not 0"),
    ],
)
def test_costs_that_are_wrong_are_refused_with_a_way_out(costs, words, tmp_path):
    with pytest.raises(FabricError) as refused:
        loaded(scenario(SPLIT, costs=costs), tmp_path)
    assert words in str(refused.value)
    assert refused.value.problems[0].line


def test_the_workbook_reads_back_and_has_the_same_bytes_again(tmp_path):
    """Numbers are numbers, sums are formulas with their value, and text that looks like a formula is text."""
    from openpyxl import load_workbook

    own = {"nics": [{"model": "=1+1", "speed": "400G", "usd": 5, "source": "-"}]}
    nodes = [{**NODES[0], "nics": {"main": {"model": "=1+1", "count": 2}}}]
    found = bill(scenario(SPLIT, nodes), tmp_path, own)
    content = workbook_bytes(bill_sheets(found), found.notes, sums=("cost",))
    assert content == workbook_bytes(bill_sheets(found), found.notes, sums=("cost",))
    book = load_workbook(io.BytesIO(content), data_only=True)
    assert book.sheetnames == ["bill", "totals", "by part", "notes"]
    sheet = book["bill"]
    headers = [cell.value for cell in sheet[1]]
    rows = [dict(zip(headers, [cell.value for cell in line], strict=True)) for line in sheet.iter_rows(min_row=2)]
    assert [row["model"] for row in rows[:-1]] == [row.model for row in found.rows]
    assert rows[-1]["US$"] == pytest.approx(found.totals.cost_usd)
    assert (
        load_workbook(io.BytesIO(content))["bill"]
        .cell(len(rows) + 1, headers.index("US$") + 1)
        .value.startswith("=SUM(")
    )
    assert next(row for row in rows if row["model"] == "=1+1")["count"] == 8
