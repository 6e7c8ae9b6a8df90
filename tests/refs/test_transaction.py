from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.objects.kind import Kind
from gvstore.objects.operation import Operation, RefChange
from gvstore.refs import BadRefName, RefClash, RefExists, RefMissing, RefMoved, Refs
from gvstore.refs.rebuild import rebuilt
from tests.refs.conftest import AUTHOR, MAIN, Objects, oid


def put(refs: Refs, name: str, n: int) -> None:
    """Lets the ref hold the n-th oid, whatever it held."""
    with refs.transaction(f"put {n}", author=AUTHOR, now=n) as transaction:
        transaction.update(name, oid(n), expected=refs.read(name))


def test_compare_and_swap(refs: Refs) -> None:
    """A change whose expectation fails changes nothing, nor do its companions."""
    put(refs, MAIN, 1)
    operations = refs.operations()
    with pytest.raises(RefMoved) as caught, refs.transaction("x", author=AUTHOR, now=2) as transaction:
        transaction.create("refs/heads/other", oid(3))
        transaction.update(MAIN, oid(2), expected=oid(7))

    assert (MAIN, oid(7).hex(), oid(1).hex(), 11) == (
        caught.value.name,
        caught.value.expected,
        caught.value.actual,
        caught.value.exit_code,
    )
    assert {MAIN: oid(1).hex()} == refs.list()
    assert operations == refs.operations()


def test_a_block_that_raises_changes_nothing(refs: Refs) -> None:
    """What was gathered is dropped."""
    with pytest.raises(KeyError), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.create(MAIN, oid(1))
        raise KeyError

    assert {} == refs.list()


def test_operation_is_written_first(refs: Refs, objects: Objects) -> None:
    """Each transaction is one Operation among the objects, linked to the one before."""
    put(refs, MAIN, 1)
    put(refs, MAIN, 2)
    second, first, init = refs.operations()

    assert Operation(first.oid, "put 2", AUTHOR, 2, (RefChange(MAIN, oid(1).hex(), oid(2).hex()),)) == Operation.get(
        objects, second.oid
    )
    assert first.oid in objects and init.oid in objects


def test_no_change_is_no_operation(refs: Refs) -> None:
    """To set a ref to what it holds, or nothing, leaves no trace."""
    put(refs, MAIN, 1)
    operations = refs.operations()
    with refs.transaction("same", author=AUTHOR, now=2) as transaction:
        transaction.update(MAIN, oid(1), expected=oid(1))

    assert operations == refs.operations()
    assert 1 == len(refs.reflog(MAIN))


@pytest.mark.parametrize(
    ("standing", "new"),
    [("a", "a/b"), ("a/b", "a"), ("main", "Main"), ("a/b", "A/B"), ("a/b/c", "A"), ("é", "e\u0301"), ("a", "A/b")],
)
def test_names_that_cannot_stand_side_by_side(refs: Refs, standing: str, new: str) -> None:
    """Names must fit on a file system that folds case."""
    put(refs, f"refs/heads/{standing}", 1)
    with pytest.raises(RefClash):
        put(refs, f"refs/heads/{new}", 2)
    with refs.transaction("rename", author=AUTHOR, now=3) as transaction:
        transaction.delete(f"refs/heads/{standing}")
        transaction.create(f"refs/heads/{new}", oid(1))

    assert {f"refs/heads/{new}": oid(1).hex()} == refs.list()


def test_names_of_one_transaction_clash(refs: Refs) -> None:
    """The rule holds among the names made at once, too."""
    for one, other in [("a", "A"), ("a", "a/b"), ("x/y", "X")]:
        with pytest.raises(RefClash), refs.transaction("x", author=AUTHOR, now=1) as transaction:
            transaction.create(f"refs/tags/{one}", oid(1))
            transaction.create(f"refs/tags/{other}", oid(1))

    assert {} == refs.list()


def test_neighbours_are_no_clash(refs: Refs) -> None:
    """Names that only begin alike stand side by side."""
    for n, name in enumerate(["a", "a-b", "a.b", "ab", "b/a", "b/a0", "b/ab"]):
        put(refs, f"refs/heads/{name}", n)

    assert 7 == len(refs.list())


def test_faults_of_the_caller(refs: Refs) -> None:
    """What exists is not made, what is not there is not deleted, what is no name or value is refused."""
    put(refs, MAIN, 1)
    with pytest.raises(RefExists), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.create(MAIN, oid(1))
    with pytest.raises(RefMissing), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.delete("refs/heads/none")
    with pytest.raises(BadRefName), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.create("refs/heads/a..b", oid(1))
    with pytest.raises(ValueError), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.create("refs/heads/a", "ABC")
    with pytest.raises(ValueError), refs.transaction("x", author=AUTHOR, now=1) as transaction:
        transaction.delete(MAIN)
        transaction.delete(MAIN)

    assert {MAIN: oid(1).hex()} == refs.list()


def test_reflog_of_head_follows_the_branch(refs: Refs) -> None:
    """HEAD@{n} is what was checked out, whatever branch that was on."""
    put(refs, MAIN, 1)
    put(refs, MAIN, 2)
    put(refs, "refs/heads/other", 3)
    with refs.transaction("checkout other", author=AUTHOR, now=4) as transaction:
        transaction.set_symbolic("HEAD", "refs/heads/other", expected="ref: " + MAIN)
    with refs.transaction("checkout --detach", author=AUTHOR, now=5) as transaction:
        transaction.update("HEAD", oid(1), expected="ref: refs/heads/other")

    assert [oid(1), oid(3), oid(2), oid(1)] == [type(oid(0)).from_hex(e.new) for e in refs.reflog("HEAD")]
    assert ["checkout --detach", "checkout other", "put 2", "put 1"] == [e.message for e in refs.reflog("HEAD")]
    assert refs.head_ref() is None and oid(1) == refs.resolve("HEAD")


def test_reflog_outlives_its_ref(refs: Refs) -> None:
    """A deleted branch can be found again."""
    put(refs, "refs/heads/x", 1)
    with refs.transaction("branch -d x", author=AUTHOR, now=2) as transaction:
        transaction.delete("refs/heads/x", expected=oid(1))

    assert ("", oid(1).hex()) == (refs.reflog("refs/heads/x")[0].new, refs.reflog("refs/heads/x")[0].old)
    assert refs.read("refs/heads/x") is None
    assert ("HEAD", "refs/heads/x")[1:] == refs.logged()


def test_run_from_begin_to_end(refs: Refs, objects: Objects) -> None:
    """A run has its number at once, RUN speaks of it while it is recorded, its end is one operation."""
    number = refs.allocate_run(journal="1.wal", target="dice.py:roll", started_at=5, move_run=True)

    assert (1, None) == (refs.current_run(), refs.resolve("RUN"))
    assert ["1.wal"] == [row.journal for row in refs.unfinished_runs()]

    refs.finish_run(number, oid(1), status="ok", ended_at=9, author=AUTHOR, command="run dice.py:roll")
    refs.finish_run(number, oid(1), status="ok", ended_at=9, author=AUTHOR, command="recover")

    assert oid(1) == refs.resolve("RUN") == refs.resolve("refs/runs/1")
    assert () == refs.unfinished_runs()
    assert 2 == len(refs.operations())
    assert (RefChange("RUN", "", "run: 1"), RefChange("refs/runs/1", "", oid(1).hex())) == Operation.get(
        objects, refs.operations()[0].oid
    ).changes
    assert 1 == refs.run_number(oid(1)) and refs.run_number(oid(2)) is None
    with pytest.raises(RefMoved):
        refs.finish_run(number, oid(2), status="ok", ended_at=9, author=AUTHOR, command="x")
    with pytest.raises(RefMissing):
        refs.finish_run(77, oid(2), status="ok", ended_at=9, author=AUTHOR, command="x")


def test_a_run_that_is_whole_is_added_at_once(refs: Refs, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbered, stored and told by one operation; if that cannot be, no number is taken."""
    facts: dict[str, Any] = {"target": "t", "status": "rewound", "started_at": 5, "ended_at": 5, "author": AUTHOR}
    number = refs.add_run(oid(1), command="rewind run/7", move_run=True, **facts)

    assert (1, oid(1), "rewound", "") == (number, refs.resolve("RUN"), refs.runs()[0].status, refs.runs()[0].journal)
    assert (RefChange("RUN", "", "run: 1"), RefChange("refs/runs/1", "", oid(1).hex())) == Operation.get(
        objects, refs.operations()[0].oid
    ).changes

    monkeypatch.setattr(Objects, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        refs.add_run(oid(2), command="rewind run/1", **facts)
    assert [1] == [row.number for row in refs.runs()]


def test_runs_go_and_come_back(refs: Refs) -> None:
    """A removed run keeps its number and its row; putting the ref back brings it back."""
    for n in range(1, 4):
        assert n == refs.allocate_run(journal="", target="t", started_at=n)
        refs.finish_run(n, oid(n), status="ok", ended_at=n, author=AUTHOR, command="run")
    with refs.transaction("rm run/3", author=AUTHOR, now=9) as transaction:
        transaction.delete("refs/runs/3", expected=oid(3))

    assert [2, 1] == [row.number for row in refs.runs()]
    assert [3, 2] == [row.number for row in refs.runs(removed=True, limit=2)]
    assert [1] == [row.number for row in refs.runs(before=2)]
    row = refs.run(3)
    assert row is not None and row.removed and row.finished
    assert 4 == refs.allocate_run(journal="", target="t", started_at=9)
    with refs.transaction("undo", author=AUTHOR, now=10) as transaction:
        transaction.create("refs/runs/3", oid(3))
    assert [4, 3, 2, 1] == [row.number for row in refs.runs()]


def test_text_that_is_no_unicode(refs: Refs) -> None:
    """A command line may hold any bytes; what is kept of it is text."""
    with refs.transaction("commit -m \udcff", author="\udcfe", now=1) as transaction:
        transaction.create(MAIN, oid(1))

    assert ("commit -m \ufffd", "\ufffd") == (refs.operations()[0].command, refs.operations()[0].author)


BRANCHES = st.sampled_from(["refs/heads/a", "refs/heads/b", "refs/tags/c", "refs/values/d", MAIN])
STEPS = st.lists(st.dictionaries(BRANCHES, st.integers(0, 3), min_size=1, max_size=3), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_refs_are_a_dict_and_can_be_rebuilt(
    steps: list[dict[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any transactions leave what a dict would hold; the operations alone give it back."""
    objects, model = Objects(), dict[str, str]()
    path = tmp_path_factory.mktemp("refs") / "refs.db"
    Refs.create(path)
    with Refs.open(path, objects) as refs:
        for now, step in enumerate(steps):
            with refs.transaction("step", author=AUTHOR, now=now) as transaction:
                for name, n in step.items():
                    if n:
                        transaction.update(name, oid(n), expected=model.get(name))
                        model[name] = oid(n).hex()
                    elif model.pop(name, None):
                        transaction.delete(name)

        assert model == refs.list()
        assert model == rebuilt(Operation.get(objects, o) for o, data in objects.items() if data[0] == Kind.OPERATION)
