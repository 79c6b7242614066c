"""What ``fabric place`` may choose from, and what it does not choose: broken links, domains, shared hosts, tenants."""

from __future__ import annotations

import numpy as np
import pytest
from place_cases import cluster, collective, loaded, setting_of, training

from fabric.cli.main import run
from fabric.request import RouteRequest
from fabric.share.place.alike import alike_hosts
from fabric.share.place.place import TREE, PlaceRequest, place_job
from fabric.share.place.setting import PlaceSetting, place_setting
from topologies.errors import FabricError

FOUR = cluster(collective("job", "all-reduce", 4), leaves=3, down=4)


def damaged(text: str, *, down: tuple[str, ...] = (), slow: tuple[str, ...] = ()) -> PlaceSetting:
    """The job, with nodes or links down or slow."""
    return place_setting(loaded(text), RouteRequest(down=down, slow=slow), "job")


def test_a_placement_that_can_run_is_better_than_one_that_cannot():
    """Two NICs a host; one of n0 has no cable, the other has, so that the host counts as free."""
    text = cluster(collective("job", "all-reduce", 8), leaves=2, down=4, gpus=2, up=2)
    setting = damaged(text, down=("link=n0.nic0:leaf0",))
    assert setting.free[0]
    result = place_job(setting, PlaceRequest())
    tree = next(trial for trial in result.trials if trial.name == TREE)
    assert not tree.runs
    assert result.chosen.runs
    assert "n0" not in result.hosts_of(result.chosen)
    assert result.gap is not None


def test_nothing_is_chosen_or_written_where_nothing_can_run(tmp_path, capsys):
    """Every uplink is down, and the job fits no leaf: exit code 4, no file."""
    path = tmp_path / "s.fabric.yaml"
    path.write_text(cluster(collective("job", "all-reduce", 4)))
    folder = tmp_path / "placed"
    for scheduler in ("best", "slurm"):
        words = [str(path), "--job", "job", "--scheduler", scheduler, "--down", "spine0", "--time-limit", "3"]
        assert run(["place", *words, "--write", "rankfile", "-o", str(folder)]) == 4
        said = capsys.readouterr().out
        assert "run: no path for all_reduce" in said
        assert "no placement is chosen" in said
        assert not folder.exists()


def test_a_slow_nic_is_avoided():
    """n0 and n1 hang on one leaf with n2-n3; a NIC of half the speed doubles the ring, and another leaf is whole."""
    setting = damaged(FOUR, slow=("link=n1:leaf0=50%",))
    result = place_job(setting, PlaceRequest())
    tree = next(trial for trial in result.trials if trial.name == TREE)
    assert tree.score.step_s > 1.9 * result.chosen.score.step_s
    alike = alike_hosts(setting)
    assert alike[0] == alike[2] != alike[1]


def test_a_job_goes_into_a_domain_where_one_is_free():
    """Domains of four hosts in leaves of eight; n0 is busy, so that tree order is cut by the edge of a domain."""
    text = cluster(collective("job", "all-reduce", 4), leaves=2, down=8, domain=4)
    result = place_job(setting_of(text, "job", busy="n0"), PlaceRequest())
    tree = next(trial for trial in result.trials if trial.name == TREE)
    domains = {int(host[1:]) // 4 for host in result.hosts_of(result.chosen)}
    assert len(domains) == 1
    assert result.chosen.score.step_s < 0.2 * tree.score.step_s


def test_hosts_of_another_job_are_left_where_others_are_free():
    """Both may share hosts and are written on the same four; each alone sends twice as fast."""
    share = ", placement: {exclusive: false}"
    jobs = "\n".join(collective(name, "all-reduce", 4, more=share) for name in ("job", "other"))
    setting = setting_of(cluster(jobs, leaves=2, down=4), "job")
    assert setting.free.all()
    result = place_job(setting, PlaceRequest())
    assert not set(result.hosts_of(result.chosen)) & {setting.hosts[host] for host in setting.others["other"][:, 0]}
    tree = next(trial for trial in result.trials if trial.name == TREE)
    assert result.chosen.score.step_s < 0.6 * tree.score.step_s


def test_orders_of_ranks_are_searched_where_every_host_is_its_own_group():
    """Tensor-parallel groups of two on hosts of one GPU, each the only one of its leaf."""
    text = cluster(training("job", 4, "{tp: 2, dp: 2}"), leaves=4, down=1, up=1)
    result = place_job(setting_of(text, "job"), PlaceRequest())
    assert result.estimated > 1
    assert "exchanges of hosts or ranks helped" in result.ended


TENANTS = """tenants:
  - {name: red, members: "n[0-2,9-11]"}
  - {name: blue, members: "n[3-8]"}
workloads:
"""


def test_a_job_stays_on_hosts_of_its_tenant_and_schedulers_count_no_others():
    """Blue has n3-n8 in leaves of four; a job of red is on n0-n2, and the empty leaf n8-n11 is not all blue's."""
    jobs = f"{collective('other', 'all-reduce', 3)}\n{collective('job', 'all-reduce', 4)}"
    text = cluster(jobs, leaves=3, down=4).replace("workloads:\n", TENANTS)
    setting = setting_of(text, "job")
    assert np.flatnonzero(setting.free).tolist() == [3, 4, 5, 6, 7, 8]
    result = place_job(setting, PlaceRequest())
    for trial in result.trials:
        assert set(trial.placed[:, 0].tolist()) <= set(range(3, 9))
    assert sorted(result.hosts_of(result.chosen)) == ["n4", "n5", "n6", "n7"]
    assert any("hosts of tenant blue only, 6 of 12" in note for note in result.notes)
    with pytest.raises(FabricError, match="3 of the 12 hosts of 'gpu' are free") as caught:
        setting_of(text, "job", busy="n[3-5]")
    assert "of other tenants" in caught.value.problems[0].hint


def test_a_job_that_sends_nothing_is_refused():
    """One rank."""
    with pytest.raises(FabricError, match="job has one rank") as caught:
        setting_of(cluster(training("job", 1, "{dp: 1}")), "job")
    assert caught.value.problems[0].code == "FP9721"


@pytest.mark.parametrize("flag", [("--kueue", "required"), ("--kueue-level", "leaf")])
def test_a_request_to_kueue_is_refused_where_slurm_is_asked(flag, tmp_path, capsys):
    """Exit code 2, with the way out."""
    path = tmp_path / "s.fabric.yaml"
    path.write_text(FOUR)
    assert run(["place", str(path), "--job", "job", "--scheduler", "slurm", *flag]) == 2
    assert f"{flag[0]} is Kueue's" in capsys.readouterr().err


def test_what_a_step_is_above_the_bound_is_said_by_its_parts():
    """An all-to-all over leaves with one uplink: the step is the bound, what NICs need beyond it, and full links."""
    result = place_job(setting_of(cluster(collective("job", "all-to-all", 6)), "job"), PlaceRequest())
    nics, links = result.above
    assert nics >= 0
    assert links >= 0
    assert result.bound.step_s + nics + links == pytest.approx(result.chosen.score.step_s, rel=1e-12)
