"""A file of steps: small, shared, and honest about damage."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gvstore.errors import Conflict
from gvstore.machine import ApplicationBuilder
from gvstore.machine.persister import CorruptPersister, NotInitialized, PersistedStateData, PersisterFault
from gvstore.machine.persister_async import AsyncDevNullPersister, AsyncInMemoryPersister, AsyncSQLitePersister
from gvstore.machine.persister_hook import PersisterHook, taken
from gvstore.machine.persister_memory import MemoryPersister
from gvstore.machine.persister_sqlite import SQLitePersister, SQLLitePersister
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.serde import FIELD_SERDES
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateValueError
from gvstore.objects.placeholder import Opaque
from tests.machine.act import Act
from tests.machine.counting import count
from tests.transcript import ROOT


def made(path: Path, **given: Any) -> SQLitePersister:
    """Returns an initialized persister."""
    persister = SQLitePersister(path, **given)
    persister.initialize()
    return persister


def loaded(persister: SQLitePersister, app_id: str, sequence_id: int | None = None, lineage: int | None = None) -> PersistedStateData:
    """Returns a step that is there."""
    found = persister.load("p", app_id, sequence_id, lineage=lineage)
    assert found is not None
    return found


def counting(persister: SQLitePersister, first: int, last: int, who: str) -> None:
    """Saves steps of application "app"."""
    for at in range(first, last + 1):
        persister.save("p", "app", at, "act", State({"n": at, "who": who}), "completed")


def text(seed: int) -> str:
    """Returns 400 characters that no other text is like."""
    return "".join(random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz     .", k=400))


def chat(path: Path, messages: int) -> int:
    """Returns the bytes of the files after a chat, each message in the history and in `prompt`."""
    state: State[Any] = State({"history": [], "prompt": ""})
    with made(path) as persister:
        for at in range(messages):
            state = state.update(prompt=text(at)).append(history={"role": "user", "content": text(at)})
            persister.save("p", "chat", at, "say", state, "completed")
    return sum(each.stat().st_size for each in path.parent.iterdir())


def test_a_chat_costs_what_is_said(tmp_path: Path) -> None:
    """400 messages of 400 characters, each kept twice: 0.46 MB, and as much again for as many more."""
    sizes = []
    for messages in (200, 400):
        folder = tmp_path / str(messages)
        folder.mkdir()
        sizes.append(chat(folder / "chat.db", messages))

    assert sizes[1] <= 480_000
    assert sizes[1] <= 2.1 * sizes[0]


def test_what_is_said_in_a_step_is_written_once(tmp_path: Path) -> None:
    """A result, an input that stands in the changed state is told by where; so it is read back, whole or as a part of an item."""
    message = {"role": "user", "content": text(0)}
    with made(tmp_path / "a.db") as persister:
        state: State[Any] = State({"prompt": text(0), "history": [message], "two": [text(1), text(2)], "last": message})
        said = {"whole": [message], "item": message, "text": text(0), "second": text(2), "other": text(3)}
        persister.save("p", "app", 0, "act", state, "completed", inputs=said, result=said)
        found = loaded(persister, "app")

        assert said == found["inputs"] == found["result"]
    rows = sqlite3.connect(tmp_path / "a.db")
    (given,) = rows.execute("SELECT inputs FROM machine_steps").fetchone()
    assert text(3) in given and text(0) not in given and text(2) not in given
    with rows:
        rows.execute("UPDATE machine_steps_changes SET data = '[]'")
    rows.close()
    with made(tmp_path / "a.db") as persister, pytest.raises(CorruptPersister, match="refers to what is not there"):
        persister.load("p", "app")


def test_a_field_with_a_serializer_of_its_own_is_written_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, also where it is a list that grew; the serializer is given the keywords."""
    monkeypatch.setitem(FIELD_SERDES, "words", (lambda value, sep: sep.join(value), lambda data, sep: data.split(sep)))
    with made(tmp_path / "a.db", serde_kwargs={"sep": "-"}) as persister:
        state: State[Any] = State({"words": ["a"], "others": ["a"]})
        for at in range(2):
            persister.save("p", "app", at, "act", state, "completed")
            state = state.append(words="b", others="b")

        assert [["a"], ["a", "b"]] == [loaded(persister, "app", at)["state"]["words"] for at in range(2)]
    rows = sqlite3.connect(tmp_path / "a.db")
    assert [(0, '"a-b"'), (1, '["b"]')] == sorted(rows.execute("SELECT grows, data FROM machine_steps_changes WHERE sequence_id = 1"))
    rows.close()


def test_a_process_goes_on_where_another_ended(tmp_path: Path) -> None:
    """What did not change since is not written again, though the state is another object."""
    with made(tmp_path / "a.db") as first:
        first.save("p", "app", 0, "act", State({"long": "x" * 1000, "items": [1, 2]}), "completed")
    with made(tmp_path / "a.db") as second:
        state = loaded(second, "app")["state"].append(items=3)
        second.save("p", "app", 1, "act", state, "completed")

        assert [0, 1] == [each.sequence_id for each in second.history("p", "app")]
        assert {"long": "x" * 1000, "items": [1, 2, 3]} == loaded(second, "app")["state"]
    rows = sqlite3.connect(tmp_path / "a.db")
    written = rows.execute("SELECT grows, data FROM machine_steps_changes WHERE sequence_id = 1").fetchall()
    rows.close()
    assert [(1, "[3]")] == written


def test_two_that_go_on_from_one_step_have_a_lineage_each(tmp_path: Path) -> None:
    """Whoever comes second begins one; neither's history has a step of the other's."""
    with made(tmp_path / "a.db") as one, made(tmp_path / "a.db") as two:
        counting(one, 0, 2, "one")
        assert 2 == loaded(two, "app")["sequence_id"]
        counting(one, 3, 4, "one")
        counting(two, 3, 3, "two")
        counting(one, 5, 6, "one")
        counting(two, 4, 4, "two")

        assert [(1, 0, 6), (2, 3, 4)] == [(each.number, each.first, each.last) for each in one.lineages("p", "app")]
        assert ["one"] * 3 + ["two"] * 2 == [loaded(one, "app", at)["state"]["who"] for at in range(5)]
        assert [(1, 2), (2, 3), (2, 4)] == [(each.lineage, each.sequence_id) for each in one.history("p", "app")][2:]
        assert ["one"] * 7 == [loaded(two, "app", at, 1)["state"]["who"] for at in range(7)]


def test_lineages_in_lineages_stay_readable(tmp_path: Path) -> None:
    """100 rewinds, each from the one before."""
    with made(tmp_path / "a.db") as persister:
        persister.save("p", "app", 0, "act", State({"first": True, "n": 0}), "completed")
        for at in range(100):
            persister.save("p", "app", at + 1, "act", State({"first": True, "n": -1}), "completed")
            persister.save("p", "app", at + 1, "act", State({"first": True, "n": at + 1}), "completed")

        assert list(range(101)) == [loaded(persister, "app", at)["state"]["n"] for at in range(101)]
        assert 101 == len(persister.history("p", "app"))
        assert loaded(persister, "app")["state"]["first"]


def test_threads_share_a_persister(tmp_path: Path) -> None:
    """Each saves an application of its own."""
    with made(tmp_path / "a.db") as persister:

        def work(app_id: str) -> None:
            for at in range(20):
                persister.save("p", app_id, at, "act", State({"n": at}), "completed")

        threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert ["a", "b", "c"] == sorted(persister.list_app_ids("p"))
        assert [20] * 3 == [len(persister.history("p", name)) for name in ("a", "b", "c")]


WRITER = """
import sys
from gvstore.machine.persister_sqlite import SQLitePersister
from gvstore.machine.serde import FIELD_SERDES
from gvstore.machine.state import State
persister = SQLitePersister(sys.argv[1])
persister.initialize()
state = State({"items": []})
for at in range(100_000):
    state = state.append(items=at)
    persister.save("p", sys.argv[2], at, "act", state, "completed", result={"at": at})
    sys.stdout.write(f"{at}\\n")
    sys.stdout.flush()
"""


def test_what_was_kept_outlives_a_killed_process(tmp_path: Path) -> None:
    """Two write at once, each is killed by -9 in the middle; each step that `save` returned from is there, whole."""
    path = tmp_path / "a.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE, text=True) for name in ("a", "b")]
    last = []
    for each, lines in zip(writers, (30, 57), strict=True):
        assert each.stdout is not None
        for _ in range(lines):
            each.stdout.readline()
        os.kill(each.pid, signal.SIGKILL)
        each.wait()
        said = each.stdout.read().rpartition("\n")[0]  # the last line may be torn
        last.append(int(said.rpartition("\n")[2]) if said else lines - 1)
        each.stdout.close()
    with SQLitePersister(path) as persister:
        for name, acknowledged in zip(("a", "b"), last, strict=True):
            found = loaded(persister, name)
            assert acknowledged <= found["sequence_id"] <= acknowledged + 1
            assert list(range(found["sequence_id"] + 1)) == found["state"]["items"]
            assert {"at": acknowledged} == loaded(persister, name, acknowledged)["result"]


def test_a_persister_that_is_not_initialized_says_so(tmp_path: Path) -> None:
    """Asking makes no file; nor does a file without tables do."""
    persister = SQLitePersister(tmp_path / "a.db")

    assert not persister.is_initialized()
    for call in (lambda: persister.load("p", "a"), lambda: persister.list_app_ids("p"), lambda: counting(persister, 0, 0, "")):
        with pytest.raises(NotInitialized, match="Uninitialized persister: this SQLitePersister") as caught:
            call()
        assert isinstance(caught.value, RuntimeError)
    assert [] == list(tmp_path.iterdir())
    with made(tmp_path / "a.db", table_name="other"):
        assert not persister.is_initialized()
    persister.cleanup()


@pytest.mark.parametrize("content", [b"no database at all, by no means, not at all" * 9, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    """By its path; nothing is written to it."""
    (tmp_path / "a.db").write_bytes(content)
    persister = SQLitePersister(tmp_path / "a.db")
    for call in (persister.initialize, persister.is_initialized, lambda: persister.load("p", "a")):
        with pytest.raises(CorruptPersister, match=r"a\.db is damaged, or no SQLite database") as caught:
            call()
        assert 14 == caught.value.exit_code
    persister.cleanup()

    assert content == (tmp_path / "a.db").read_bytes()


@pytest.mark.parametrize(
    "damage",
    ["DELETE FROM machine_steps_changes", "DELETE FROM machine_steps_shapes", "UPDATE machine_steps_changes SET data = '[1'"],
)
def test_rows_that_are_missing_or_damaged_are_told(tmp_path: Path, damage: str) -> None:
    """Not taken for an empty state."""
    with made(tmp_path / "a.db") as persister:
        counting(persister, 0, 1, "")
    other = sqlite3.connect(tmp_path / "a.db")
    with other:
        other.execute(damage)
    other.close()
    with made(tmp_path / "a.db") as persister, pytest.raises(CorruptPersister, match="is damaged"):
        persister.load("p", "app")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TABLE machine_steps (partition_key, app_id, sequence_id, position, status, state)", "is Burr's"),
        ("CREATE TABLE machine_steps (x)", "is another program's: its columns are x"),
        ("CREATE TABLE machine_steps_format (version); INSERT INTO machine_steps_format VALUES (9)", "is of version 9"),
    ],
)
def test_tables_of_others_are_left_alone(tmp_path: Path, statement: str, what: str) -> None:
    """The error says whose they are, and what to do."""
    other = sqlite3.connect(tmp_path / "a.db")
    other.executescript(statement)
    other.close()
    persister = SQLitePersister(tmp_path / "a.db")
    for call in (persister.initialize, persister.is_initialized):
        with pytest.raises(PersisterFault, match=what) as caught:
            call()
        assert "table_name=" in caught.value.hint
    persister.cleanup()


def test_what_cannot_be_a_persister_is_refused(tmp_path: Path) -> None:
    """Names of tables, paths, modes; a folder that is not there, or stands where the file should."""
    wrong: Any
    for wrong in ("a b", "", "1a", 'x"; DROP', 3, "sqlite_x"):
        with pytest.raises(PersisterFault, match="no name of a table"):
            SQLitePersister(tmp_path / "a.db", wrong)
    for wrong in (None, "", 3):
        with pytest.raises(PersisterFault, match="db_path is the path"):
            SQLitePersister(wrong)
    wrong = "SOMETIMES"
    with pytest.raises(PersisterFault, match="synchronous is"):
        SQLitePersister(tmp_path / "a.db", synchronous=wrong)
    for path in (tmp_path / "no" / "a.db", tmp_path):
        with pytest.raises(PersisterFault, match="cannot be opened"):
            SQLitePersister(path).initialize()


def test_a_file_that_another_holds_is_a_conflict(tmp_path: Path) -> None:
    """After the timeout that was given; nothing is lost by it."""
    with made(tmp_path / "a.db", connect_kwargs={"timeout": 0.01}) as persister:
        counting(persister, 0, 0, "")
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Conflict, match="another process holds the database"):
            counting(persister, 1, 1, "")
        assert 0 == loaded(persister, "app")["sequence_id"]
        other.execute("COMMIT")
        other.close()
        counting(persister, 1, 1, "")
        assert [0, 1] == [each.sequence_id for each in persister.history("p", "app")]


def test_a_state_that_cannot_be_stored_writes_nothing(tmp_path: Path) -> None:
    """The error names the field; the next step goes on as if nothing had been."""
    with made(tmp_path / "a.db") as persister:
        counting(persister, 0, 0, "a")
        with pytest.raises(StateValueError, match="state field 'lock'"):
            persister.save("p", "app", 1, "act", State({"new": 1, "lock": (each for each in "")}), "completed")
        counting(persister, 1, 1, "b")

        assert {"n": 1, "who": "b"} == loaded(persister, "app")["state"]


def test_inputs_that_cannot_be_stored_are_told_by_their_type(tmp_path: Path) -> None:
    """A generator, say, given to a step does not fail it."""
    with made(tmp_path / "a.db") as persister:
        persister.save("p", "app", 0, "act", State(), "completed", inputs={"client": (each for each in ""), "n": 1})

        assert {"client": Opaque("builtins:generator"), "n": 1} == loaded(persister, "app")["inputs"]


def test_several_tables_may_stand_in_a_file(tmp_path: Path) -> None:
    """None sees the other's steps; copies of a persister see the same."""
    with made(tmp_path / "a.db") as one, made(tmp_path / "a.db", table_name="other") as other:
        counting(one, 0, 1, "one")

        assert [] == other.list_app_ids("p")
        assert ["app"] == one.copy().list_app_ids("p")
        with SQLLitePersister.from_values(str(tmp_path / "a.db")) as same:
            assert ["app"] == same.list_app_ids("p")


def test_async_persisters_do_what_their_twins_do(tmp_path: Path) -> None:
    """In memory, in a file, nowhere; the file may be read by both."""

    async def main() -> None:
        async with await AsyncSQLitePersister.from_values(tmp_path / "a.db") as sqlite:
            for each in (sqlite, AsyncInMemoryPersister(), AsyncDevNullPersister()):
                await each.initialize()
                assert each.is_async() and await each.is_initialized()
                await asyncio.gather(*(each.save("p", f"app{n}", 0, "act", State({"n": n}), "completed") for n in range(5)))
                if not isinstance(each, AsyncDevNullPersister):
                    assert {f"app{n}" for n in range(5)} == set(await each.list_app_ids("p"))
                    found = await each.load("p", "app3")
                    assert found is not None and {"n": 3} == found["state"]
                    assert 1 == len(await each.lineages("p", "app3")) == len(await each.history("p", "app3"))
                    assert ["p"] == await each.list_partitions()

    asyncio.run(main())
    with SQLitePersister(tmp_path / "a.db") as twin:
        assert {"n": 4} == loaded(twin, "app4")["state"]


def test_the_hook_gives_each_persister_what_it_takes() -> None:
    """Burr's protocol at least; the library's own are given all."""

    class Plain(MemoryPersister):
        def save(self, **given: Any) -> None:  # type: ignore[override]
            self.given = given

    own, plain = MemoryPersister(), Plain()
    assert {"inputs", "result", "exception", "parent", "writer"} == taken(own)
    assert frozenset() == taken(plain)
    for each in (own, plain):
        hook = PersisterHook(each)
        step: dict[str, Any] = {"app_id": "app", "partition_key": "p", "sequence_id": 3, "state": State({"a": 1})}
        hook.post_application_create(parent_pointer=ParentPointer("old", "p", 2))
        hook.pre_run_step(**step, action=Act("ask"), inputs={"x": 1})
        hook.post_run_step(**step, action=Act("ask"), result=None, exception=ValueError("no"))

    assert {"partition_key", "app_id", "sequence_id", "position", "state", "status"} == set(plain.given)
    assert ("ask", "failed") == (plain.given["position"], plain.given["status"])
    found = own.load("p", "app")
    assert found is not None
    assert ({"x": 1}, "ValueError: no") == (found["inputs"], found["exception"])
    assert {"a": 1} == found["state"]
    assert [ParentPointer("old", "p", 2)] == [each.parent for each in own.lineages("p", "app")]


def test_two_applications_of_one_name_keep_apart(tmp_path: Path) -> None:
    """Two requests of one chat at once, in one process, with one persister: each has a lineage of its own."""
    with made(tmp_path / "a.db") as persister:

        def resumed() -> Any:
            builder = ApplicationBuilder[Any]().with_actions(count).with_transitions(("count", "count")).with_identifiers("app")
            builder.initialize_from(persister, default_state={"count": 0}, default_entrypoint="count")
            return builder.with_state_persister(persister).build()

        resumed().step()
        one, two = resumed(), resumed()
        for each in (one, one, two, one):
            each.step()
        found = [
            [step.sequence_id for step in persister.history(None, "app", lineage=number) if step.lineage == number] for number in (1, 2)
        ]

        assert [[0, 1, 2, 3], [1]] == found
