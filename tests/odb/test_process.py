"""Several processes, and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact
from tests.odb.conftest import files

CHECKOUT = Path(__file__).parents[2]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


HEAD = """
import os, signal, sys, time
from pathlib import Path
from gvstore.odb import ObjectDatabase
database = ObjectDatabase.open(Path(sys.argv[1]))
args = sys.argv[2:]
"""


def child(code: str, folder: Path, *args: object) -> subprocess.Popen[bytes]:
    """Runs Python code with `database`, a handle on `folder`, and `args`; to be used in a `with`, which waits."""
    command = [sys.executable, "-c", HEAD + code, str(folder), *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=CHECKOUT)


def run(code: str, folder: Path) -> int:
    """Runs Python code to its end; returns its status."""
    with child(code, folder) as process:
        process.communicate(timeout=60)
        return process.returncode


def in_fork(work: Callable[[], None]) -> int:
    """Runs `work` in a fork of this process; returns its status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("how", ["flush", "sync"])
def test_what_was_flushed_survives_kill_9(folder: Path, how: str) -> None:
    """No mark follows a flush, no close follows either; the next process reads all of it, and the next writer seals it."""
    code = (
        "for i in range(500):\n    database.write(b'vobject %d ' % i * (i % 7 + 1))\n"
        f"    if i % 10 == 0: database.{how}()\n"
        f"database.{how}()\nfor i in range(50): database.write(b'vlost %d' % i)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert -signal.SIGKILL == run(code, folder)
    oids = [ObjectId.of(b"vobject %d " % i * (i % 7 + 1)) for i in range(500)]

    with ObjectDatabase.open(folder, read_only=True) as database:
        assert [True] * 500 == [database.has(oid) for oid in oids]
        assert [] == list(database.check(full=True))
    with ObjectDatabase.open(folder) as database:
        assert oids == [database.write(database.read(oid)) for oid in oids]
        database.write(b"vone more")
    with ObjectDatabase.open(folder) as database:
        assert 501 == len(list(database))
        assert [] == list(database.check(full=True))


def test_killed_while_writing_loses_nothing_that_was_flushed(folder: Path) -> None:
    """A process killed at any moment: all objects it told to be flushed are there."""
    code = (
        "i = 0\nwhile True:\n    database.write(b'v%d ' % i * (i % 300 + 1))\n"
        "    if i % 7 == 0: database.flush(); os.write(1, b'%d\\n' % i)\n"
        "    if i % 31 == 0: database.sync()\n    i += 1\n"
    )
    for round_ in range(4):
        with child(code, folder) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02 * round_)
            process.kill()
            told = [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]

        with ObjectDatabase.open(folder) as database:
            last = told[-1] if told else 0
            assert all(database.has(ObjectId.of(b"v%d " % i * (i % 300 + 1))) for i in range(last + 1))
            assert [] == list(database.check())
            database.write(b"vround %d" % round_)


def test_processes_write_at_once(folder: Path) -> None:
    """Three writers and this one, overlapping in what they write: everything is there."""
    code = (
        "k = int(args[0])\nfor i in range(400):\n    with database.batch():\n"
        "        for j in range(3): database.put(b'%d' % ((i * 3 + j) * (k + 1) % 2000) * 20)\n"
        "    if i % 100 == 50: database.close()\n"
    )
    with (
        child(code, folder, 0) as first,
        child(code, folder, 1) as second,
        child(code, folder, 2) as third,
        ObjectDatabase.open(folder) as database,
    ):
        own = [database.put(b"own %d" % i) for i in range(100)]
        for writer in (first, second, third):
            assert 0 == writer.wait(timeout=60)

        for k in range(3):
            for n in range(1200):
                assert database.has(ObjectId.of(b"b" + b"%d" % (n * (k + 1) % 2000) * 20))
        assert all(database.has(oid) for oid in own)
        assert [] == list(database.check(full=True))


def test_a_reader_sees_what_another_process_flushes(folder: Path) -> None:
    """While the other goes on writing, again and again."""
    code = (
        "for i in range(5):\n    sys.stdin.readline()\n    database.write(b'vstep %d' % i)\n    database.flush()\n"
        "    os.write(1, b'done\\n')\nsys.stdin.readline()\n"
    )
    with child(code, folder) as writer, ObjectDatabase.open(folder) as database:
        assert writer.stdin is not None and writer.stdout is not None
        for i in range(5):
            assert not database.has(ObjectId.of(b"vstep %d" % i))
            writer.stdin.write(b"go on\n")
            writer.stdin.flush()
            writer.stdout.readline()
            assert b"vstep %d" % i == database.read(ObjectId.of(b"vstep %d" % i))


@needs_fork
def test_fork_while_writing(folder: Path) -> None:
    """The child has its own segment: both go on writing, nothing is lost, not even what the parent had only in memory."""
    database = ObjectDatabase.open(folder)
    before = database.write(b"vbefore the fork")

    def work() -> None:
        assert database.read(before) == b"vbefore the fork"
        for i in range(200):
            database.write(b"vchild %d" % i)
        assert database.read(ObjectId.of(b"vchild 7")) == b"vchild 7"
        database.close()

    parent = [database.write(b"vparent %d" % i) for i in range(100)]
    assert 0 == in_fork(work)
    parent += [database.write(b"vparent %d" % i) for i in range(100, 200)]

    assert all(database.read(oid) == b"vparent %d" % i for i, oid in enumerate(parent))
    assert all(database.has(ObjectId.of(b"vchild %d" % i)) for i in range(200))
    database.close()
    with ObjectDatabase.open(folder) as again:
        assert 401 == len(list(again))
        assert [] == list(again.check(full=True))


@needs_fork
def test_the_childs_copy_does_not_keep_the_parents_lock(folder: Path) -> None:
    """When the parent is dead its segment can be taken over, though a forked child lives."""
    code = (
        "database.write(b'vof the parent')\ndatabase.sync()\npid = os.fork()\n"
        "if pid == 0:\n    os.write(1, b'%d\\n' % os.getpid())\n    os.close(1)\n    time.sleep(30)\n    os._exit(0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with child(code, folder) as process:
        assert process.stdout is not None
        sleeper = int(process.stdout.readline())
    try:
        (path,) = files(folder, ".seg")
        fd = fs.open_update(path)
        assert fs.try_lock(fd)
        fs.close(fd)
    finally:
        os.kill(sleeper, signal.SIGKILL)


@needs_fork
def test_a_fork_that_only_reads_writes_nothing(folder: Path) -> None:
    """A child that ends without a word leaves the parent's segment alone."""
    with ObjectDatabase.open(folder) as database:
        oid = database.write(b"vx")
        assert 0 == in_fork(lambda: None if database.has(oid) else os._exit(3))
        assert 1 == len(files(folder, ".seg"))
        assert database.read(oid) == b"vx"


def test_a_living_writers_segment_is_left_alone(folder: Path) -> None:
    """Whoever opens next takes over dead writers' files only."""
    with ObjectDatabase.open(folder) as alive:
        alive.write(b"valive")
        alive.sync()
        (path,) = files(folder, ".seg")
        for i in range(compact.FEW + 3):
            with ObjectDatabase.open(folder) as other:
                other.write(b"vother %d" % i)
        assert path.exists()
        alive.write(b"vstill alive")
    with ObjectDatabase.open(folder) as again:
        assert again.has(ObjectId.of(b"vstill alive"))
