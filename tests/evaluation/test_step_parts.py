"""The parts of a step add up to it, by MFU and by kernels, with congestion and without; nothing is counted twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.cli.main import run
from fabric.evaluation.step_time import exposed_times, phase_time_s, step_parts, with_compute
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.errors import TrafficError
from traffic.demands import Flows
from traffic.workload import ComputeTime, Phase, WorkloadTraffic

NAMES = ["tp.all_reduce", "cp.send_recv", "ep.dispatch", "pp.send_recv", "dp.all_reduce", "mine"]
SCENARIO = """\
version: 1
name: steps
nodes:
  - {{group: gpu, model: hgx-h100-8, count: 8, nics: {{net: {{speed: 400G, count: 8, rail: per-gpu}}}}}}
fabrics:
  net:
    topology:
      kind: leaf-spine
      leaf: {{count: 4, radix: 64, speed: 400G, down: 16, up: {up}}}
      spine: {{count: {up}, radix: 64, speed: 400G}}
    routing: {{router: ecmp}}
workloads:
  - id: job
    kind: training
    model: {{layers: 32, hidden: 4096, ffn_hidden: 14336, heads: 32, kv_heads: 8, vocab: 128256}}
    parallelism: {{tp: {tp}, pp: {pp}}}
    batch: {{global: 256, micro: 1, sequence: 4096}}
    optimizer_sharding: zero1
    compute: {{peak: 989 TFLOP/s, {basis}}}
"""


def phase(name: str, **keys) -> Phase:
    """A phase of which only its times matter."""
    return Phase(name, "ring", "net", 2, 1.0, 1.0, 1.0, 2, Flows.none(), **keys)


def answer(tmp_path, *, basis="mfu: 0.4", up=4, tp=8, pp=2, **request):
    """The job's times."""
    path = tmp_path / "steps.fabric.yaml"
    path.write_text(SCENARIO.format(basis=basis, up=up, tp=tp, pp=pp))
    return route(load_scenario(path), RouteRequest(**request)).jobs[0]


times = st.floats(0, 100, allow_subnormal=False)
phases = st.lists(
    st.tuples(
        st.builds(
            phase, st.sampled_from(NAMES), overlaps_compute=st.booleans(), room=st.floats(0, 1),
            least_exposed=st.floats(0, 1),
        ),
        times,
    ),
    max_size=6,
)  # fmt: skip


@settings(deadline=None)
@given(phases=phases, compute=times, bubble=st.floats(0, 2), optimizer=times)
def test_a_step_is_the_sum_of_its_parts_and_no_less_than_any_of_them(phases, compute, bubble, optimizer):
    """Compute, bubble times the useful time, optimizer, and what phases expose."""
    parts = step_parts(phases, compute, bubble=bubble, optimizer_s=optimizer)
    exposed = exposed_times(phases, compute)
    in_layers = sum(
        wait for (one, _), wait in zip(phases, exposed, strict=True) if one.dimension in ("tensor", "context", "expert")
    )
    by_hand = compute + bubble * (compute + in_layers) + optimizer + sum(exposed)
    assert parts.step_s == pytest.approx(by_hand)
    assert parts.step_s == pytest.approx(sum(parts.__dict__.values()))
    for (one, seconds), wait in zip(phases, exposed, strict=True):
        assert one.least_exposed * seconds * (1 - 1e-9) - 1e-9 <= wait <= seconds


@settings(deadline=None)
@given(phases=phases, compute=st.floats(0.1, 100), bubble=st.floats(0, 2), optimizer=times)
def test_compute_of_an_mfu_is_the_one_whose_step_it_is(phases, compute, bubble, optimizer):
    """Any step built up from a compute time, said as an MFU, gives that step back."""
    step = step_parts(phases, compute, bubble=bubble, optimizer_s=optimizer).step_s
    model = type("Figures", (), {"bubble": bubble})
    said = ComputeTime(flops_s=compute * 0.5, step_s=step, optimizer_s=optimizer)
    solved = with_compute(WorkloadTraffic("job", "training", (), model=model, compute=said), phases)
    again = step_parts(phases, solved.compute.compute_s, bubble=bubble, optimizer_s=optimizer)
    assert again.step_s == pytest.approx(step, rel=1e-9)


def test_an_mfu_that_leaves_no_time_to_compute_is_refused():
    """Half the step at peak, 0.6 s of waiting: 1 s is too short, and 45.4 % is the most."""
    said = ComputeTime(flops_s=0.5, step_s=1.0)
    workload = WorkloadTraffic("job", "training", (), compute=said)
    with pytest.raises(
        TrafficError, match=r"mfu 50\.0 % makes the step 1 s; computing at the peak takes 500 ms"
    ) as caught:
        with_compute(workload, [(phase("tp.all_reduce"), 0.6)])
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("FP4029", ("compute", "mfu"))
    assert problem.hint.startswith("mfu: 0.454 at most")


def test_an_old_efficiency_is_an_mfu_where_it_can_be_one_and_that_is_said():
    """Else it is of kernels, which is said too."""
    said = ComputeTime(flops_s=0.4, step_s=1.0, kernels_s=1.1, key="efficiency")
    workload = WorkloadTraffic("job", "training", (), compute=said)
    fits = with_compute(workload, [(phase("dp.all_reduce"), 0.2)])
    assert fits.compute.compute_s == pytest.approx(0.8)
    assert fits.said == ("efficiency is taken as the MFU of a whole step (compute.mfu)",)
    short = with_compute(workload, [(phase("dp.all_reduce"), 0.7)])
    assert (short.compute.compute_s, short.compute.step_s) == (1.1, None)
    assert "taken as that of kernels" in short.said[0]


def test_the_slower_of_inside_and_between_decides():
    """Window 2 s twice stretched, 5 s inside; beside the slower 10 calls of 10 ms and 3 ways of 5 ms."""
    one = phase("dp", calls=10, latency_s=0.01, rounds=3, inside_s=5.0)
    assert phase_time_s(one, 2.0, stretch=2.0, way_s=0.005) == pytest.approx(5 + 0.25)
    assert phase_time_s(one, 2.0, stretch=3.0, way_s=0.005) == pytest.approx(6 + 0.25)


# ---- whole scenarios -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("basis", ["mfu: 0.4", "kernel_efficiency: 0.7", "efficiency: 0.4"])
@pytest.mark.parametrize("up", [4, 1])
def test_parts_of_a_routed_step_add_up(tmp_path, basis, up):
    """Ideal and here; congestion adds to what is exposed and to nothing else."""
    job = answer(tmp_path, basis=basis, up=up)
    assert sum(job.parts.__dict__.values()) == pytest.approx(job.step_time_s)
    assert sum(job.parts_ideal.__dict__.values()) == pytest.approx(job.step_time_ideal_s)
    assert job.parts.compute_s == job.parts_ideal.compute_s == job.compute_s
    assert job.parts.optimizer_s == job.parts_ideal.optimizer_s > 0
    assert job.step_time_s - job.step_time_ideal_s == pytest.approx(
        job.parts.exposed_s - job.parts_ideal.exposed_s, abs=1e-9
    )
    if up == 1:
        assert job.step_time_s > job.step_time_ideal_s


def test_a_published_mfu_is_that_of_the_ideal_step(tmp_path):
    """FLOPs over GPUs, peak and MFU; exposed communication is inside it, not added again."""
    job = answer(tmp_path, basis="mfu: 0.4")
    parameters = 128256 * 4096 * 2 + 32 * (2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096) + 4096
    flops = (6 * parameters + 12 * 32 * 4096 * 4096) * 256 * 4096
    assert job.step_time_ideal_s == pytest.approx(flops / (64 * 989e12 * 0.4), rel=1e-6)
    assert job.parts_ideal.exposed_tensor_s > 0
    assert job.parts_ideal.exposed_data_s > 0


def test_a_failure_changes_no_compute(tmp_path):
    """The MFU is of the fabric as planned: a dead spine makes the step longer, not the GPUs slower."""
    whole, cut = answer(tmp_path), answer(tmp_path, down=("spine0",))
    assert cut.compute_s == pytest.approx(whole.compute_s, rel=1e-6)
    assert cut.step_time_s > whole.step_time_s


def test_layouts_compare_by_every_part(tmp_path):
    """tp 4 pp 4 beside tp 8 pp 2: less exposed tensor, more bubble; kernels are wider, so that compute is less."""
    wide, deep = (answer(tmp_path, basis="kernel_efficiency: 0.7", tp=tp, pp=pp) for tp, pp in ((8, 2), (4, 4)))
    assert deep.parts.exposed_tensor_s < wide.parts.exposed_tensor_s
    assert deep.parts.bubble_s > wide.parts.bubble_s
    assert deep.parts.compute_s != pytest.approx(wide.parts.compute_s, rel=1e-3)
    assert deep.parts.exposed_pipeline_s > 0


def test_parts_stand_in_text_and_record(tmp_path, capsys):
    """A table with shares, and records whose sum is the step."""
    answer(tmp_path)
    path = str(tmp_path / "steps.fabric.yaml")
    assert run(["route", path, "--json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert sum(job["parts"].values()) == pytest.approx(job["step_time_s"])
    assert sum(job["parts_ideal"].values()) == pytest.approx(job["step_time_ideal_s"])
    for command in (["route", path], ["traffic", path]):
        assert run(command) == 0
        text = capsys.readouterr().out
        assert "exposed tensor" in text
        assert "bubble" in text
