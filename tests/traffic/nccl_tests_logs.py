"""Logs as nccl-tests prints them, column by column after its source, and what launchers do to them.

Formats of ``src/common.cu`` and ``src/util.cu`` of v1.0.0, v2.0.0, v2.9.0, v2.13 and v2.19.6.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

PRODUCT = "NVIDIA H100 80GB HBM3"
ELEMENT = {"float": 4, "half": 2, "int8": 1, "double": 8, "bfloat16": 2}


@dataclass(frozen=True)
class Program:
    """One program: its factors, and what it prints as reduction and root."""

    name: str
    factor: Callable[[int], float]
    redop: str
    root: int
    shares: bool = False  # its count is of one rank
    checks_in_place: bool = True
    algorithm: Callable[[int], float] = lambda n: 1.0


PROGRAMS = {
    program.name: program
    for program in (
        Program("all_reduce", lambda n: 2 * (n - 1) / n, "sum", -1),
        Program("all_gather", lambda n: (n - 1) / n, "none", -1, shares=True),
        Program("reduce_scatter", lambda n: (n - 1) / n, "sum", -1, shares=True),
        Program("alltoall", lambda n: (n - 1) / n, "none", -1, shares=True, checks_in_place=False),
        Program("broadcast", lambda n: 1.0, "none", 0),
        Program("reduce", lambda n: 1.0, "sum", 0),
        Program("sendrecv", lambda n: 1.0, "sum", -1, checks_in_place=False),
        Program("gather", lambda n: (n - 1) / n, "none", 0, shares=True),
        Program("scatter", lambda n: (n - 1) / n, "none", 0, shares=True),
        Program("hypercube", lambda n: 1.0, "", -1, shares=True, algorithm=lambda n: (n - 1) / n),
    )
}


@dataclass(frozen=True)
class Printed:
    """What is to be printed."""

    program: str = "all_reduce"
    hosts: Sequence[str] = ("gpu-a", "gpu-b")
    gpus: int = 8
    sizes: Sequence[int] = (1 << 20, 16 << 20, 256 << 20, 1 << 30)
    datatype: str = "float"
    busbw: Callable[[int], float] = lambda size: 40.0 * size / (size + 4e6)  # GB/s out of place
    in_place: float = 1.01  # busbw in place over that out of place
    version: str = "2.19"
    timestamps: bool = False
    per_iteration: bool = False
    host_time: bool = False
    checked: bool = True
    wrong: int = 0
    footer: bool = True
    devices: bool = True
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def ranks(self) -> int:
        return len(self.hosts) * self.gpus


def seconds(printed: Printed, size: int, in_place: bool) -> float:
    """Time of a row."""
    program = PROGRAMS[printed.program]
    busbw = printed.busbw(size) * (printed.in_place if in_place else 1.0)
    return size * program.algorithm(printed.ranks) * program.factor(printed.ranks) / (busbw * 1e9)


def _newest(value: float, width: int) -> str:
    for digits in (2, 1, 0):
        text = f"{value:{width}.{digits}f}"
        if len(text) <= width:
            return text
    return f"{value:{width}.1e}"


def _older_time(time_us: float) -> str:
    return f"{time_us:7.0f}" if time_us > 10000 else f"{time_us:7.1f}" if time_us > 100 else f"{time_us:7.2f}"


def body(printed: Printed, size: int, in_place: bool) -> str:
    """One half of a row."""
    program, n = PROGRAMS[printed.program], printed.ranks
    time_s = seconds(printed, size, in_place)
    algbw = size * program.algorithm(n) / time_s / 1e9
    busbw = algbw * program.factor(n)
    shown_s = time_s * 0.1 if printed.host_time else time_s
    checked = printed.checked and (program.checks_in_place or not in_place)
    if printed.version == "1.0":
        end = "    0e+00" if checked else "  \tN/A"
        return f"  {shown_s * 1e3:7.3f}  {algbw:5.2f}  {busbw:5.2f}{end}"
    if printed.version in ("2.0", "2.9"):
        if printed.version == "2.0" and program.name in ("all_gather", "reduce_scatter"):
            algbw = busbw  # of the versions before 2.9
        end = f"{5e-7:5.0e}" if printed.checked else f"{'N/A':>5}"
        return f"  {_older_time(shown_s * 1e6):>7}  {algbw:6.2f}  {busbw:6.2f}  {end}"
    if printed.version == "2.13":
        end = f"{printed.wrong:5g}" if checked else f"{'N/A':>5}"
        return f"  {_older_time(shown_s * 1e6):>7}  {algbw:6.2f}  {busbw:6.2f}  {end}"
    end = f"  {printed.wrong:6g}" if checked else "    N/A"
    text = f"  {_newest(shown_s * 1e6, 7):>7}  {_newest(algbw, 6):>6}  {_newest(busbw, 6):>6}{end}"
    if printed.per_iteration:
        text += "".join(f"  {_newest(shown_s * 1e6 * part, 7):>7}" for part in (0.9, 1.2, 1.1)) + f"  {3.25:7.2f}"
    return text


def row(printed: Printed, size: int) -> str:
    """A whole row."""
    program = PROGRAMS[printed.program]
    count = size // ELEMENT[printed.datatype] // (printed.ranks if program.shares else 1)
    width = 6 if printed.version in ("1.0", "2.0", "2.9") else 8
    text = f"{size:12d}  {count:12d}  {printed.datatype:>{width}}"
    if printed.version in ("1.0", "2.0", "2.9"):
        if program.redop not in ("none", ""):
            text += f"  {program.redop:>6}"
        elif program.name == "alltoall":
            text += " " * 8
        if program.root >= 0:
            text += f"  {program.root:6d}"
    else:
        text += f"  {program.redop:>6}  {program.root:6d}"
    text += body(printed, size, False)
    if printed.version != "1.0" or program.name != "broadcast":
        text += body(printed, size, True)
    return text + f"{'2026-11-28 12:00:01':>21}" if printed.timestamps else text


def _device_lines(printed: Printed) -> list[str]:
    ranks = [(host, gpu) for host in printed.hosts for gpu in range(printed.gpus)]
    if printed.version == "1.0":
        return [
            f"#   Rank {n:2d} on {host:>10} device {gpu:2d} [0x{gpu:02x}] V100" for n, (host, gpu) in enumerate(ranks)
        ]
    if printed.version in ("2.0", "2.9"):
        return [
            f"#   Rank {n:2d} Pid {4242 + n:6d} on {host:>10} device {gpu:2d} [0x{gpu:02x}] Tesla V100-SXM2-32GB"
            for n, (host, gpu) in enumerate(ranks)
        ]
    return [
        f"#  Rank {n:2d} Group {0:2d} Pid {4242 + n:6d} on {host:>10} device {gpu:2d} [0000:{gpu:02x}:00] {PRODUCT}"
        for n, (host, gpu) in enumerate(ranks)
    ]


def _header(printed: Printed) -> list[str]:
    program = PROGRAMS[printed.program]
    reduces = program.redop not in ("none", "") or program.name == "alltoall"
    extra = (["redop"] if reduces else []) + (["root"] if program.root >= 0 else [])
    if printed.version == "1.0":
        names = "".join(f"  {name.removeprefix('red'):>6}" for name in ["type", *extra])
        half = f"  {'time':>7}  {'algbw':>5}  {'busbw':>5}  {'res':>7}"
        return [f"# {'bytes':>10}  {'N':>12}{names}" + half * (1 if program.name == "broadcast" else 2)]
    if printed.version in ("2.0", "2.9"):
        names = "".join(f"  {name:>6}" for name in ["type", *extra])
        return [
            f"# {'size':>10}  {'count':>12}{names}" + f"  {'time':>7}  {'algbw':>6}  {'busbw':>6}  {'error':>5}" * 2,
            f"# {'(B)':>10}  {'(elements)':>12}{'':8}" + f"  {'(us)':>7}  {'(GB/s)':>6}  {'(GB/s)':>6}  {'':>5}" * 2,
        ]
    time = "cputime" if printed.host_time else "time"
    half = f"  {time:>7}  {'algbw':>6}  {'busbw':>6}  {'#wrong':>6}"
    if printed.per_iteration:
        half += "".join(f"  {name:>7}" for name in ("i_min", "i_max", "i_p99", "i_cv%"))
    stamp = f" {'timestamp':>19}" if printed.timestamps else " "
    return [
        f"# {'':>10}  {'':>12}  {'':>8}  {'':>6}  {'':>6}           out-of-place              in-place",
        f"# {'size':>10}  {'count':>12}  {'type':>8}  {'redop':>6}  {'root':>6}{half}{half}{stamp}",
        f"# {'(B)':>10}  {'(elements)':>12}  {'':>8}  {'':>6}  {'':>6}  {'(us)':>7}  {'(GB/s)':>6}  {'(GB/s)':>6}"
        f"  {'':>6}  {'(us)':>7}  {'(GB/s)':>6}  {'(GB/s)':>6}  {'':>6}",
    ]


def average(printed: Printed) -> float:
    """The footer's figure."""
    factors = (1.0,) if printed.version == "1.0" and printed.program == "broadcast" else (1.0, printed.in_place)
    halves = [printed.busbw(size) * factor for size in printed.sizes for factor in factors]
    return sum(halves) / len(halves)


def text_log(printed: Printed) -> str:
    """The whole output of one run."""
    least, most = min(printed.sizes), max(printed.sizes)
    lines = [f"{name} set by environment to {value}" for name, value in printed.settings.items()]
    if printed.version == "2.19":
        lines.append("# nccl-tests version 2.19.6 nccl-headers=22807 nccl-library=22807")
        lines.append(f"# Collective test starting: {printed.program}_perf")
    begin = "" if printed.version == "1.0" else "# "
    agg = " agg iters: 1 validation: 1 graph: 0 unalign: 0" if printed.version == "2.19" else " validation: 1 "
    lines.append(
        f"{begin}nThread 1 nGpus 1 minBytes {least} maxBytes {most} step: 2(factor) warmup iters: 5 iters: 20{agg}"
    )
    if printed.devices:
        lines += ["#", "# Using devices", *_device_lines(printed)]
    lines += ["#", *_header(printed), *(row(printed, size) for size in printed.sizes)]
    if printed.footer:
        wide = 20 if printed.version == "2.19" else 0
        lines.append(f"# {'Out of bounds values':<{wide}} : {printed.wrong} {'FAILED' if printed.wrong else 'OK'}")
        lines.append(f"# {'Avg bus bandwidth':<{wide}} : {average(printed):g} ")
        lines.append("#")
        if printed.version == "2.19":
            lines.append(f"# Collective test concluded: {printed.program}_perf")
    return "\n".join(lines) + "\n"


def json_log(printed: Printed, version: int = 3) -> str:
    """The file of -J; versions differ in the spelling of the footer."""
    program, n = PROGRAMS[printed.program], printed.ranks

    def half(size: int, in_place: bool) -> dict[str, object]:
        time_s = seconds(printed, size, in_place)
        algbw = size * program.algorithm(n) / time_s / 1e9
        checked = printed.checked and (program.checks_in_place or not in_place)
        time = {"cpu_time" if printed.host_time else "time": round(time_s * 1e6 * (0.1 if printed.host_time else 1), 6)}
        wrong = float(printed.wrong) if checked else None
        return {**time, "alg_bw": round(algbw, 6), "bus_bw": round(algbw * program.factor(n), 6), "nwrong": wrong}

    results = [
        {
            "size": size,
            "count": size // ELEMENT[printed.datatype] // (n if program.shares else 1),
            "type": printed.datatype,
            "redop": program.redop,
            "root": f"{program.root:6d}",
            "out_of_place": half(size, False),
            "in_place": half(size, True),
            "actual_iterations": 20,
            "experiment_name": "",
        }
        for size in printed.sizes
    ]
    typo = version < 3
    footer, bandwidth = ("average_bus_bandwidith", "bandwidith") if typo else ("average_bus_bandwidth", "bandwidth")
    devices = [
        {
            "rank": at * printed.gpus,
            "group": 0,
            "pid": 4242 + at,
            "hostname": host,
            "device": 0,
            "device_hex": "0000:00:00",
            "device_info": PRODUCT,
        }
        for at, host in enumerate(printed.hosts)
    ]
    report = {
        "version": version,
        "start_time": "2026-11-28 12:00:00",
        "args": [f"./build/{printed.program}_perf", "-b", "1M", "-e", "1G", "-f", "2", "-g", str(printed.gpus)],
        "env": ["HOME=/root", "SECRET=x", *(f"{name}={value}" for name, value in printed.settings.items())],
        "nccl_version": 22807,
        "config": {"nthreads": 1, "ngpus": printed.gpus, "devices": devices},
        "results": results,
        "out_of_bounds": {"count": printed.wrong, "okay": "false" if printed.wrong else "true"},
        footer: {bandwidth: round(average(printed), 6), "okay": "unchecked"},
        "errors": [],
        "end_time": "2026-11-28 12:01:00",
    }
    return json.dumps(report)


# What launchers put before every line, by name.
PREFIXES: dict[str, Callable[[int], str]] = {
    "none": lambda number: "",
    "mpirun --tag-output": lambda number: "[1,0]<stdout>:",
    "mpirun --timestamp-output": lambda number: f"Sat Nov 28 12:00:{number % 60:02d} 2026[1,0]<stdout>:",
    "prrte": lambda number: "[prterun-node1-4242@1,0]<stdout>: ",
    "srun --label": lambda number: " 0: ",
    "srun of many": lambda number: "00: ",
    "kubectl logs --prefix": lambda number: "[pod/nccl-test-launcher-x7k2p/mpi-launcher] ",
    "kubectl logs --timestamps": lambda number: f"2026-11-28T12:00:{number % 60:02d}.123456789Z ",
    "containerd": lambda number: f"2026-11-28T12:00:{number % 60:02d}.123456789Z stdout F ",
    "torchrun": lambda number: "[default0]:",
    "syslog": lambda number: f"Nov 28 12:00:{number % 60:02d} gpu-a job[4242]: ",
    "colour": lambda number: "\x1b[32m\x1b[1m",
}

NOISE = (
    "gpu-a:4242:4260 [0] NCCL INFO Channel 00/16 : 0 1 2 3 4 5 6 7",
    "gpu-b:4243:4261 [3] /src/transport/net_ib.cc:123 NCCL WARN NET/IB : Got completion from peer 10.0.0.2<43211>",
    "gpu-a:4242:4242 [0] NCCL INFO NCCL_DEBUG set by environment to INFO.",
    "NCCL version 2.28.7+cuda12.9",
    "[1732795201.123456] [gpu-a:4242 :0]     ucp_context.c:1081 UCX  WARN  network device 'mlx5_0:1' is not available",
    "--------------------------------------------------------------------------",
    "WARNING: There was an error initializing an OpenFabrics device.",
    "  Local host:   gpu-a",
    "[gpu-a:04242] 15 more processes have sent help message help-mpi-btl-openib.txt / error in device init",
    "Warning: Permanently added 'nccl-test-worker-0.nccl-test-worker' (ED25519) to the list of known hosts.",
    "W1128 12:00:01.123456 140000 site-packages/torch/distributed/run.py:757] ******************",
    "",
)


def wrapped(log: str, prefix: str, *, noise: random.Random | None = None) -> str:
    """A log as a launcher passes it on; with ``noise``, lines of others in between."""
    before = PREFIXES[prefix]
    lines = []
    for number, line in enumerate(log.splitlines()):
        lines += [noise.choice(NOISE) for _ in range(noise.choice((0, 0, 1, 3)))] if noise is not None else []
        lines.append(before(number) + line + ("\x1b[0m" if prefix == "colour" else ""))
    return "\n".join(lines) + "\n"


def joined(logs: Iterable[str]) -> str:
    """Several runs in one file."""
    return "\n".join(logs)
