"""Every reader declares its fields, and does with each what it declares."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from feeding import Outcome, ReaderFeeds
from generate.reading import declarations

from topologies.errors import FabricError
from topologies.format_registry import FORMATS
from topologies.reading.fields import Field
from traffic.workload import DEMAND_FORMATS, PLACEMENTS

ALL = {(declared.kind, declared.reader): declared for declared in declarations()}
FEEDS: dict[tuple[str, str], ReaderFeeds] = {
    (feeds.kind, feeds.reader): feeds
    for path in sorted(Path(__file__).parent.glob("feeds_*.py"))
    for feeds in importlib.import_module(path.stem).READERS
}


def wanted() -> set[tuple[str, str]]:
    """Readers there are, by their registries, and those that are named by a key of their own."""
    return {
        *(("topology format", entry.name) for entry in FORMATS.values() if entry.read is not None),
        *(("demand format", name) for name in DEMAND_FORMATS.names()),
        *(("placement", entry.name) for entry in PLACEMENTS if "path" in entry.model.model_fields),
        ("model", "hf-config"),
        ("model", "megatron"),
        ("storage", "osd tree"),
        ("storage", "pools"),
        ("storage", "crush rules"),
        ("storage", "hdfs topology"),
        ("device type", "netbox"),
        ("measured run", "nccl-tests"),
    }


def test_every_reader_declares_its_fields() -> None:
    assert wanted() - set(ALL) == set()


@pytest.mark.parametrize("key", ALL, ids="-".join)
def test_every_declared_field_has_a_feed(key: tuple[str, str]) -> None:
    declared, feeds = ALL[key], FEEDS[key]
    assert {field.name for field in declared} == set(feeds.feeds)
    assert declared.unknown == "harmless" or feeds.unknown is not None


@pytest.mark.parametrize("key", ALL, ids="-".join)
def test_every_field_does_what_is_declared(key: tuple[str, str], tmp_path: Path) -> None:
    """Every field is tried, also after one that does not; what was read without one is read once."""
    without: dict[int, Outcome] = {}
    wrong = []
    for number, field in enumerate(ALL[key]):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            check_field(FEEDS[key], field, folder, without)
        except (Exception, pytest.fail.Exception) as error:
            wrong.append(f"{field.name}: {type(error).__name__}: {error}")
    assert not wrong, "\n\n".join(wrong)


def check_field(reader: ReaderFeeds, field: Field, folder: Path, without: dict[int, Outcome]) -> None:
    """Read with and without a field; ``without`` has what was read before, by the identity of the document."""
    feed = reader.feeds[field.name]
    plain = name_of(field)
    before = without.get(id(feed.without))
    if before is None:
        before = without[id(feed.without)] = read(reader, feed.without, folder / "without")
    if field.treatment == "refused" or feed.raises:
        with pytest.raises(FabricError) as refusal:
            read(reader, feed.having, folder / "having")
        assert plain in str(refusal.value)
        if field.accept:
            read(reader, feed.accepted, folder / "accepted")
        return
    after = read(reader, feed.having, folder / "having")
    fresh = [text for text in after.said if text not in before.said]
    if field.treatment == "modelled":
        assert after.answer != before.answer
    else:
        assert after.answer == before.answer
    if field.treatment == "reported":
        assert any(plain in text for text in fresh), f"{plain} is not in {fresh}"
    if field.treatment == "harmless":
        assert fresh == []


@pytest.mark.parametrize("key", FEEDS, ids="-".join)
def test_unknown_field_is_never_silent(key: tuple[str, str], tmp_path: Path) -> None:
    reader, unknown = FEEDS[key], ALL[key].unknown
    if unknown == "harmless":
        return
    feed = reader.unknown
    assert feed is not None
    before = read(reader, feed.without, tmp_path / "without")
    if unknown == "refused":
        with pytest.raises(FabricError, match=reader.unknown_name):
            read(reader, feed.having, tmp_path / "having")
        return
    after = read(reader, feed.having, tmp_path / "having")
    assert after.answer == before.answer
    assert any(reader.unknown_name in text for text in after.said)


def read(reader: ReaderFeeds, document: object, folder: Path) -> Outcome:
    folder.mkdir()
    return reader.read(document, folder)


def name_of(field: Field) -> str:
    """The part of a field's name that a message repeats."""
    return field.name.removesuffix("*")
