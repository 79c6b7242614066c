"""What is tried: every reader by its feeds, every scenario plug-in by its example, every command by its own flags.

Nothing here names a reader or a command. What is added later is covered when it registers.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from feeding import ReaderFeeds
from mutate import VALUES, bent, hostile, mangled

from fabric.cli.main import COMMANDS, run
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError
from topologies.format_registry import FORMATS
from traffic.workload import PATTERNS, WORKLOADS

# Commands that wait for somebody else, and flags that do.
WAITING_FLAGS = {"--watch", "--follow"}
NETWORKED = {"nodes", "push", "serve"}
FEEDS_FOLDER = Path(__file__).parents[1] / "fields"
ROOT = Path(__file__).parents[2]
SCENARIO = """\
version: 1
name: small
nodes:
  - {group: gpu, count: 4, gpus: 2, nics: {main: {count: 2, speed: 100G, rail: per-gpu}}}
  - {group: osd, count: 2, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 8, host_speed: 100G, uplink_speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
  - id: j
    kind: training
    gpus: 8
    model: {layers: 4, hidden: 256, ffn_hidden: 512, heads: 4, vocab: 1000}
    batch: {global: 8, micro: 1, sequence: 128}
    parallelism: {tp: 2}
limits:
  - {metric: utilisation, fabric: main, max: 90%}
"""


@dataclass(frozen=True)
class Case:
    """One thing to try in a folder of its own; ``run`` raises AssertionError with what is wrong."""

    label: str
    run: Callable[[Path], None]


def readers() -> list[ReaderFeeds]:
    """Feeds of all readers; a test demands them of every reader."""
    modules = [importlib.import_module(path.stem) for path in sorted(FEEDS_FOLDER.glob("feeds_*.py"))]
    return [feeds for module in modules for feeds in module.READERS]


FLAT = {"kind": "jellyfish", "switches": 32, "ports": 6, "network_ports": 5, "speed": "100G"}
OBJECTIVES = ("min-max-utilisation", "max-throughput", "max-min-fair", "min-cost")
# Networks whose optima go by every compiled loop of the optimiser.
OPTIMA: list[tuple[dict[str, Any], list[str]]] = [
    *[(FLAT, ["--objective", objective]) for objective in OBJECTIVES],
    ({"kind": "fat-tree", "radix": 8, "speed": "100G"}, ["--down", "link=pod0/agg0:core0", "--gap", "1e-6"]),
]


class Cases:
    """Cases by number; the same number is the same case in every run with the same seed folder."""

    def __init__(self, seeds: Path) -> None:
        self.seeds = seeds
        self.makers: list[Callable[[random.Random], Case]] = [
            *[self._maker(self._reader, feeds) for feeds in readers()],
            *[self._maker(self._example, "topology", entry) for entry in TOPOLOGIES],
            *[self._maker(self._example, "workload", entry) for entry in WORKLOADS],
            *[self._maker(self._example, "pattern", entry) for entry in PATTERNS],
            *[self._maker(self._file, name) for name, entry in FORMATS.items() if entry.read is not None],
            *[self._maker(self._command, words, command) for words, command in commands()] * 3,
            *[self._maker(self._scenario)] * 10,
            *[self._maker(self._archive)] * 6,
        ]

    def warm(self) -> None:
        """Load what the first case would load, and compile what no run before has compiled."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for router in ("ecmp", "optimal", "ecmp-hash", "pinned", "wcmp", "spray", "valiant", "k-shortest", "ftree"):
                run(["route", str(self.seeds / "s.yaml"), "--router", router])
            run(["failures", str(self.seeds / "s.yaml"), "--router", "ecmp-hash"])
            with tempfile.TemporaryDirectory() as folder:
                for number, (topology, more) in enumerate(OPTIMA):
                    scenario = {"version": 1, "name": "s", "fabrics": {"main": {"topology": topology}}}
                    scenario["workloads"] = [{"id": "w", "kind": "permutation", "fabric": "main", "size": "1 GB"}]
                    path = Path(folder) / f"{number}.yaml"
                    path.write_text(yaml.safe_dump(scenario), encoding="utf-8")
                    run(["route", str(path), "--router", "optimal", *more])

    def of(self, number: int) -> Case:
        """Case ``number``: makers take turns."""
        rng = random.Random(number)
        return self.makers[number % len(self.makers)](rng)

    @staticmethod
    def _maker(make: Callable[..., Case], *given: Any) -> Callable[[random.Random], Case]:
        return lambda rng: make(rng, *given)

    def _reader(self, rng: random.Random, feeds: ReaderFeeds) -> Case:
        some = [feed for entry in feeds.feeds.values() for feed in (entry.without, entry.having)]
        document = rng.choice(some)

        def attempt(folder: Path) -> None:
            (folder / "files").mkdir()
            with contextlib.suppress(FabricError), only_faults_of_ours(), mangled_files(rng) as files:
                feeds.read(document, folder / "files")
            if not files:  # it takes no file: what it takes is bent instead
                (folder / "values").mkdir()
                with contextlib.suppress(FabricError), only_faults_of_ours():
                    feeds.read(hostile(document, rng), folder / "values")

        return Case(f"reader {feeds.kind} {feeds.reader}", attempt)

    def _example(self, rng: random.Random, what: str, entry: Any) -> Case:
        spec = bent({"kind": entry.name, **entry.example}, rng)
        scenario: dict[str, Any] = yaml.safe_load(SCENARIO)
        if what == "topology":
            scenario = {"version": 1, "name": "s", "fabrics": {"main": {"topology": spec}}}
            scenario["workloads"] = [{"id": "w", "kind": "uniform", "fabric": "main", "load": 0.5}]
        elif isinstance(spec, dict):
            scenario["workloads"] = [{"id": "w", "fabric": "main", **spec}]
        text = yaml.safe_dump(scenario)

        def attempt(folder: Path) -> None:
            (folder / "s.yaml").write_text(text, encoding="utf-8")
            ends_well([rng.choice(["validate", "build", "traffic", "route"]), str(folder / "s.yaml")])

        return Case(f"{what} {entry.name}", attempt)

    def _scenario(self, rng: random.Random) -> Case:
        if rng.random() < 0.5:
            data = yaml.safe_dump(bent(yaml.safe_load(SCENARIO), rng)).encode()
        else:
            data = mangled(SCENARIO.encode(), rng)

        def attempt(folder: Path) -> None:
            (folder / "s.yaml").write_bytes(data)
            ends_well([rng.choice(["validate", "route", "traffic"]), str(folder / "s.yaml")])

        return Case("scenario", attempt)

    def _file(self, rng: random.Random, name: str) -> Case:
        """A file of a format, or of another one under its name."""
        seed = rng.choice(sorted((self.seeds / "topologies").iterdir()))
        data = mangled(seed.read_bytes(), rng)
        command = rng.choice(
            [["convert", "-o", "out.json", "--to", "json", "--from", name], ["validate", "--from", name]]
        )

        def attempt(folder: Path) -> None:
            path = folder / seed.name
            path.write_bytes(data)
            words = [word if word != "out.json" else str(folder / word) for word in command]
            ends_well([words[0], str(path), *words[1:]])

        return Case(f"file {name}", attempt)

    def _archive(self, rng: random.Random) -> Case:
        seed = self.seeds / rng.choice(["s.fpr", "s.cert"])
        change = rng.randrange(3)

        def attempt(folder: Path) -> None:
            path = folder / seed.name
            if change == 0:
                path.write_bytes(mangled(seed.read_bytes(), rng))
            else:
                with zipfile.ZipFile(seed) as old, zipfile.ZipFile(path, "w") as new:
                    names = old.namelist()
                    hit = rng.choice(names)
                    for member in names:
                        data = old.read(member)
                        new.writestr(member, hostile(_as_text(data), rng) if member == hit else data)
            words = ["check-certificate", str(path)] if seed.suffix == ".cert" else ["report", str(path), "-f", "md"]
            ends_well(words)

        return Case(f"archive {seed.suffix}", attempt)

    def _command(self, rng: random.Random, words: tuple[str, ...], command: click.Command) -> Case:
        argv = [*words, *arguments(command, rng, self.seeds)]

        def attempt(folder: Path) -> None:
            ends_well([word.replace("{folder}", str(folder)) for word in argv])

        return Case(f"command {' '.join(words)}", attempt)


@contextlib.contextmanager
def mangled_files(rng: random.Random) -> Iterator[list[Path]]:
    """While files are written, one of the first few gets a fault on its way; gives what was written."""
    written: list[Path] = []
    hit = rng.choice([0, 0, 0, 1, 2])
    text, data = Path.write_text, Path.write_bytes

    def hostile_bytes(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) - 1 == hit:
            content = hostile_content(content, rng)
        return data(path, content)

    Path.write_text = lambda path, content, *_, **__: hostile_bytes(path, content.encode())  # type: ignore[method-assign]
    Path.write_bytes = hostile_bytes  # type: ignore[method-assign,assignment]
    try:
        yield written
    finally:
        Path.write_text, Path.write_bytes = text, data  # type: ignore[method-assign]


def hostile_content(content: bytes, rng: random.Random) -> bytes:
    """The content of a file with faults: bent where it is JSON, mangled as bytes otherwise."""
    text = _as_text(content)
    changed = hostile(text, rng)
    return changed if isinstance(changed, bytes) else str(changed).encode()


@contextlib.contextmanager
def only_faults_of_ours() -> Iterator[None]:
    """Let pass what the feeds' own code raises for values that it was not written for."""
    try:
        yield
    except FabricError:
        raise
    except Exception as error:
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        inside = [name for name in files if name.startswith(str(ROOT))]
        if not inside or "/tests/" in inside[-1].removeprefix(str(ROOT)):
            return
        raise


def _as_text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def ends_well(argv: list[str]) -> None:
    """Run a command line: its exit code is a documented one and no bug of ours."""
    code = run(argv)
    assert code in (0, 1, 2, 3, 4, 5, 6), f"exit code {code} of {argv}"


def commands() -> list[tuple[tuple[str, ...], click.Command]]:
    """All commands and the verbs below them."""

    def below(words: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        if isinstance(command, click.Group):
            for name, verb in command.commands.items():
                yield from below((*words, name), verb)
        else:
            yield words, command

    return [found for name in sorted(COMMANDS) if name not in NETWORKED for found in below((name,), COMMANDS[name])]


def arguments(command: click.Command, rng: random.Random, seeds: Path) -> list[str]:
    """Arguments and flags that a command declares, with values that fit or do not."""
    argv: list[str] = []
    options = [param for param in command.params if isinstance(param, click.Option)]
    for param in command.params:
        if isinstance(param, click.Argument):
            count = rng.choice([1, 1, 1, 2]) if param.nargs == -1 else param.nargs
            argv += [_value(param, rng, seeds) for _ in range(count)]
    for option in rng.sample(options, min(len(options), rng.choice([0, 1, 2, 3]))):
        if WAITING_FLAGS & set(option.opts):
            continue
        argv.append(rng.choice(option.opts))
        if not (option.is_flag or option.count):
            argv.append(_value(option, rng, seeds))
    if not any(word in argv for word in ("-o", "--output")) and rng.random() < 0.8:
        argv += ["-o", "{folder}/out"]
    return argv


def _value(param: click.Parameter, rng: random.Random, seeds: Path) -> str:
    name = (param.name or "").lower()
    if rng.random() < 0.12:
        return str(rng.choice(VALUES))[:200].replace("\x00", "")
    if name in ("output", "save", "certificate", "timings", "into"):
        return "{folder}/" + rng.choice(["a", "b.csv", "c.fpr", "no/such"])
    choices = getattr(param.type, "choices", None) or (param.type.names() if hasattr(param.type, "names") else None)
    if choices:
        return str(rng.choice(list(choices)))
    if isinstance(param.type, click.types.IntParamType | click.types.FloatParamType):
        return str(rng.choice([0, 1, 2, 3, -1, 10**6, 0.5]))
    pool = [str(path) for path in sorted(seeds.rglob("*")) if path.suffix and path.parent.name != "switches"]
    likely = [str(seeds / "s.yaml")] * len(pool)
    words = ["main", "shuffle", "leaf0", "spine0", "leaf0->spine0", "all", "worst", "utilisation", "utilisation > 0.5",
             "fabrics.main.routing.router=ecmp", "seed=3", "1 GB", "100G", "4", "all-reduce"]  # fmt: skip
    is_file = isinstance(param, click.Argument) or isinstance(param.type, click.Path)
    return rng.choice([*likely, *pool] if is_file else words)
