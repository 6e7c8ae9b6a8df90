"""The power fails at any moment: what was not synced is dropped, torn, or there.

The machinery is that of tests/odb/test_power.py, run for many more choices of
what is lost. A unit is a round, or `ROUND:CUT`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from gvstore.odb import ObjectDatabase
from tests.crash.kind import Failure, Kind, Outcome, shown
from tests.odb.test_power import check_cut, recorded

ROUNDS = 150


def run(unit: str, seed: int, folder: Path) -> Outcome:
    """Cuts the power at every step of a round, or at one."""
    number, *only = unit.split(":")
    store = folder / "objects"
    ObjectDatabase.init(store)
    recorder, old = recorded(store)
    outcome = Outcome()
    for cut in [int(only[0])] if only else range(len(recorder.steps) + 1):
        case = f"{number}:{cut}"
        outcome.cases += 1
        built = folder / "cut"
        try:
            check_cut(recorder, old, cut, random.Random(f"{seed} {case}"), built)
        except Exception as e:
            outcome.failures.append(Failure("power", case, shown(e)))
        shutil.rmtree(built, ignore_errors=True)
    return outcome


def units(scale: float) -> Iterable[str]:
    """Returns the rounds."""
    return map(str, range(max(1, round(ROUNDS * scale))))


POWER = Kind("power", "unsynced writes dropped, torn or kept, at every cut", units, run)
