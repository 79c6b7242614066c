"""Names for schedulers: one to one, within the rules, the same every time; and folded ranges."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.share.schedulers.names import HOST, LABEL, NODE, SLURM, NameRules, fit_names, folded
from traffic.hostlist import expand_hosts

NAMES = st.lists(
    st.text("abAB01._-/ é=[],", min_size=1, max_size=90) | st.from_regex(r"[a-z]{1,3}/?[0-9]{1,40}", fullmatch=True),
    max_size=30,
    unique=True,
)
# Rules written a second time, from the pages of their consumers.
TAKEN = {
    "Kubernetes nodes": re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?"),
    "label values": re.compile(r"(?=.{1,63}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"),
    "Slurm": re.compile(r"(?=.{1,64}$)(?!.*\d{16}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"),
    "host lists": re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"),
}


@given(names=NAMES, rules=st.sampled_from([SLURM, NODE, LABEL, HOST]))
def test_every_name_gets_one_of_its_own_that_is_taken(names: list[str], rules: NameRules) -> None:
    written = fit_names(names, rules)
    assert list(written) == names
    assert len(set(written.values())) == len(names)
    assert all(TAKEN[rules.what].fullmatch(name) for name in written.values())
    assert all(written[name] == name for name in names if rules.fits(name))


@given(names=NAMES)
def test_the_order_of_names_changes_no_name(names: list[str]) -> None:
    assert fit_names(names, SLURM) == fit_names(sorted(names), SLURM)


@pytest.mark.parametrize(
    ("name", "rules", "written"),
    [
        ("pod0/leaf1", LABEL, "pod0-leaf1"),
        ("Leaf1", NODE, "leaf1"),
        ("n" + "7" * 15, SLURM, "n" + "7" * 15),
        ("leaf 1 (old)", SLURM, "leaf-1--old"),
    ],
)
def test_names_are_near_to_what_they_were(name: str, rules: NameRules, written: str) -> None:
    assert fit_names([name], rules) == {name: written}


def test_long_numbers_at_the_end_are_cut_with_a_hash() -> None:
    """Slurm keeps the number at the end in 64 bits; 40 digits crash it."""
    written = fit_names(["sw" + "9" * 40], SLURM)["sw" + "9" * 40]
    assert re.fullmatch(r"sw9+-[0-9a-f]{6}", written)


def test_words_that_mean_something_in_slurm_are_not_names() -> None:
    assert fit_names(["ALL", "default"], SLURM).keys() - set(fit_names(["ALL", "default"], SLURM).values()) == {
        "ALL",
        "default",
    }


@given(
    names=st.lists(
        st.builds(
            lambda stem, digits: stem + digits, st.sampled_from(["n", "r1x", "login-"]), st.text("019", max_size=4)
        ),
        unique=True,
    )
)
def test_folded_names_are_expanded_to_themselves(names: list[str]) -> None:
    assert sorted(expand_hosts(",".join(folded(names)))) == sorted(names)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["n1", "n2", "n3", "n10"], "n[1-3,10]"),
        (["n08", "n09", "n10"], "n[08-10]"),
        (["n8", "n08"], "n8,n08"),
        (["login", "n1"], "login,n1"),
    ],
)
def test_ranges_keep_leading_zeros(names: list[str], text: str) -> None:
    assert ",".join(folded(names)) == text
