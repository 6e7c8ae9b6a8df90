"""How far work has come, as heard by who listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.odb import ObjectDatabase, progress
from gvstore.odb.collect import Moment, Roots, collect
from tests.odb.conftest import fill, fill_pack, samples

Heard = list[tuple[int, int | None]]


def stages(heard: Heard) -> list[Heard]:
    """What was told, stage by stage."""
    found: list[Heard] = []
    for told in heard:
        if told[0] == 0:
            found.append([])
        found[-1].append(told)
    return found


@pytest.mark.parametrize("work", ["check", "repack", "collect"])
def test_long_work_tells_how_far_it_is(folder: Path, work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage begins with nothing, goes on, and never beyond its end; nobody hears of it afterwards."""
    fill_pack(folder, samples(30), monkeypatch)
    fill_pack(folder, samples(60)[30:], monkeypatch)
    fill(folder, samples(90)[60:])
    heard: Heard = []
    with progress.listening(lambda done, total: heard.append((done, total))):
        if work == "collect":
            collect(folder, lambda: Roots([], []), Moment(1, 0, "boot"), grace_us=0)
        else:
            with ObjectDatabase.open(folder) as database:
                assert database.repack() if work == "repack" else not list(database.check(full=True))
    for stage in (told := stages(heard)):
        assert sorted(stage) == stage
        assert all(done <= (total or 0) for done, total in stage)
    assert any(len(stage) > 10 for stage in told)

    count = len(heard)
    with ObjectDatabase.open(folder) as database:
        list(database.check(full=True))
    assert count == len(heard)
