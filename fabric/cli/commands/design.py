"""``fabric design``: from a requirement to the fabric to buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import Answer, emit, remember_said
from fabric.cli.exit_codes import ANSWER_IS_NO, NO_ANSWER, OK
from fabric.cli.options import ANSWER, FabricCommand, RareOption, Settings
from fabric.cli.watch import watching
from fabric.faces.views.row_kinds import DESIGNS

if TYPE_CHECKING:
    from fabric.design.requirement import Requirement
    from fabric.design.result import DesignResult
    from fabric.growth.result import GrowthResult

SUMMARY = "Find the fabric to buy for a requirement, with a proof of how near the best it is."
ORDER = 5
_SCENARIO_FILES = (".yaml", ".yml")


@click.command("design", cls=FabricCommand, takes=(*ANSWER, "progress"), rows=(DESIGNS,))
@click.argument("requirement", required=False)
@click.option("--gpus", type=click.IntRange(min=1), metavar="N", help="GPUs to connect.")
@click.option("--hosts", type=click.IntRange(min=1), metavar="N", help="Hosts; default: as many as the GPUs take.")
@click.option("--gpus-per-node", type=click.IntRange(min=0), metavar="N", help="Default: the model's, or 8.")
@click.option("--node", metavar="MODEL", help="Node model of the catalogue.")
@click.option("--nic", metavar="[Nx]SPEED", help="NICs of a host, 8x400; 400G: one for every GPU.")
@click.option("--nic-ports", metavar="N,...", help="Numbers of ports that a NIC may be split into; default: 1.")
@click.option("--oversub", metavar="N:M", help="Most bandwidth down over up, or any; default: 1:1.")
@click.option("--bus-bandwidth", metavar="RATE", help="Least bus bandwidth of rings over any hosts: 350 GB/s.")
@click.option("--survive", multiple=True, metavar="FAILURE", help="any-single-spine, any-single-leaf-uplink, ...")
@click.option("--workload", type=click.Path(dir_okay=False), metavar="FILE", help="A job, or a scenario with jobs.")
@click.option("--growth", multiple=True, metavar="GPUS", help="What comes later; stages in their order.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Families to choose from; default: all.")
@click.option("--switch", "switches", multiple=True, metavar="MODEL", help="Switches to choose from; default: all.")
@click.option("--leaf", multiple=True, metavar="MODEL", help="Switches for leaves alone.")
@click.option("--spine", multiple=True, metavar="MODEL", help="Switches for all other roles.")
@click.option("--max-tiers", type=click.IntRange(1, 4), metavar="N", help="Most tiers of switches; default: 3.")
@click.option("--catalog", "catalogues", multiple=True, metavar="FILE", help="A catalogue laid over the built-in one.")
@click.option(
    "--objective", metavar="NAME,...", help="cost, power, carbon, cables, step-time; or weights: cost=1,power=20."
)
@click.option("--top", type=click.IntRange(min=1), default=4, show_default=True, help="Designs side by side.")
@click.option("--name", cls=RareOption, metavar="NAME", help="Of what is designed, and of its files.")
def command(requirement: str | None, settings: Settings, top: int, **given: Any) -> int:
    """Find the fabric that meets REQUIREMENT, a file, at the least cost; flags say the same, or change it.

    Designs of all families are counted and ranked; the best are built, checked port for port, routed with the jobs and
    failed. Their scenarios are written beside the requirement, or into -o DIR; -o FILE.yaml takes the chosen one.
    Without a file what is not said has a default, and every default is listed. '-' is standard input.

    Exit code 0; 3: bad input; 4: nothing meets the requirement, and the answer says which wishes conflict.
    """
    from fabric.design.design import design
    from fabric.design.requirement_file import load_requirement

    keys = keys_of_flags({**given, "requirement": requirement})
    if requirement is None and not {"gpus", "hosts"} & set(keys.get("require", {})):
        raise click.UsageError("name a requirement file, or say at least --gpus 512 --nic 400G")
    if requirement is None:
        keys.setdefault("name", f"design-{keys['require'].get('gpus') or keys['require'].get('hosts')}")
    try:
        loaded = load_requirement(requirement, given=keys)
        remember_said(loaded.said)
        growth = None
        with watching(settings) as report:
            if loaded.spec.require.growth:
                from fabric.growth.designed import design_growth

                designed = design_growth(loaded, top=top, progress=report)
                result, growth = designed.designs, designed.growth
            else:
                result = design(loaded, top=top, progress=report)
    except Exception as error:
        error.max_errors = settings.max_errors  # type: ignore[attr-defined]
        raise
    return _answer(loaded, result, growth, settings)


def keys_of_flags(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a requirement that flags say."""
    sizes = [_whole(size) for text in given["growth"] for size in text.split(",")]
    if given["gpus"] is None and given["hosts"] is None and given["requirement"] is None and len(sizes) > 1:
        given = {**given, "gpus": sizes.pop(0)}  # the first stage is what is designed
    require = {
        "gpus": given["gpus"], "hosts": given["hosts"], "gpus_per_node": given["gpus_per_node"], "node": given["node"],
        "nic": _nic(given["nic"], given["nic_ports"]), "oversubscription": given["oversub"],
        "bus_bandwidth": given["bus_bandwidth"], "survive": list(given["survive"]), "workload": given["workload"],
        "growth": [{"gpus": size} for size in sizes],
    }  # fmt: skip
    candidates = {
        "kinds": list(given["kinds"]), "switches": list(given["switches"]), "leaf": list(given["leaf"]),
        "spine": list(given["spine"]), "max_tiers": given["max_tiers"],
    }  # fmt: skip
    keys = {
        "name": given["name"],
        "include": [{"catalog": str(Path(file).resolve())} for file in given["catalogues"]],
        "require": _said(require),
        "candidates": _said(candidates),
        "objective": _objective(given["objective"]),
    }
    return _said(keys)


def _said(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value."""
    return {key: value for key, value in keys.items() if value is not None and value not in ([], {}, ())}


def _whole(text: str) -> Any:
    """A number where it is one; what is none is refused where the key is read."""
    bare = text.strip().replace(",", "").replace("_", "")
    return int(bare) if bare.isdecimal() else text


def _nic(text: str | None, ports: str | None) -> Any:
    if ports is None:
        return text
    from fabric.design.requirement_keys import nic_keys

    try:
        keys = nic_keys(text) if text is not None else {}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--nic") from None
    return {**(keys if isinstance(keys, dict) else {}), "ports": [_whole(one) for one in ports.split(",")]}


def _objective(text: str | None) -> Any:
    if text is None or "=" not in text:
        return text if text is None else [part.strip() for part in text.split(",")]
    weights = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        try:
            weights[name.strip()] = float(weight)
        except ValueError:
            raise click.BadParameter(f"{part!r} is not NAME=WEIGHT", param_hint="--objective") from None
    return weights


def _answer(requirement: Requirement, result: DesignResult, growth: GrowthResult | None, settings: Settings) -> int:
    """Write the scenarios, then the answer."""
    from fabric.faces.answers.design_report import design_document, design_entry, design_record
    from fabric.faces.answers.growth_report import grown_document, grown_record
    from fabric.faces.views.design import design_table
    from fabric.growth.folder import stage_texts
    from fabric.saved.design_files import scenario_paths, write_scenarios

    folder, chosen, rest = _places(requirement, settings)
    paths = scenario_paths(requirement.name, result.designs, folder, chosen)
    texts = {paths[one.name]: one.text for one in result.designs}
    stages = _stage_paths(requirement, growth, folder)
    write_scenarios({**texts, **stage_texts(growth, stages)}, force=settings.force)
    answer = Answer(
        lambda: {**design_record(requirement, result), **grown_record(growth, stages)},
        lambda: [*design_document(requirement, result, paths), *grown_document(growth, stages)],
        lambda: design_table(result.designs, paths),
        DESIGNS,
        entry=lambda row: design_entry(result.designs[row], paths.get(result.designs[row].name)),
    )
    emit(answer, rest)
    if result.status == "INFEASIBLE":
        return NO_ANSWER
    return OK if growth is None or growth.floor_kept else ANSWER_IS_NO


def _stage_paths(requirement: Requirement, growth: GrowthResult | None, folder: Path) -> dict[int, Path]:
    """A file for every stage after the first, which is the chosen design."""
    if growth is None:
        return {}
    from fabric.growth.folder import stage_file

    return {stage.number: folder / f"{requirement.name}.{stage_file(stage)}" for stage in growth.stages}


def _places(requirement: Requirement, settings: Settings) -> tuple[Path, Path | None, Settings]:
    """The folder of the scenarios, the file of the chosen one where it is named, and what is left to the answer."""
    output = settings.output
    if output == "-":
        return requirement.directory, None, settings
    path = Path(output)
    if path.suffix.lower() in _SCENARIO_FILES:
        return path.parent, path, replace(settings, output="-")
    if path.is_dir() or not path.suffix:
        return path, None, replace(settings, output="-")
    return requirement.directory, None, settings
