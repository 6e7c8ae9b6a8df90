"""A stranger's program: its limits, what it is given, and that nobody of it is left.

Real programs.  Each is stopped because of what it does, never because a moment
came first: the limits it must not pass are far away.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gvstore.pipeline import supervisor
from gvstore.pipeline.sandbox import Ended, Limits, Output, run_program
from tests.transcript import ROOT

FAR = Limits(wall_s=60, cpu_s=60, memory_bytes=1 << 30, output_bytes=1 << 30, processes=1000)
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """An argument that tells a test's programs from all others."""
    return f"--mark={tmp_path}"


@pytest.fixture(autouse=True)
def nobody_is_left(mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test of this file, seen from outside: no process, no folder."""
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    yield
    assert [] == marked(mark)
    assert [] == list((tmp_path / "scratch").iterdir())


def marked(mark: str) -> list[str]:
    """Returns the command lines of living processes that hold the mark."""
    if sys.platform == "linux":
        lines = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    else:
        lines = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if mark in line]


def python(
    code: str, mark: str, *, limits: Limits = FAR, stdin: bytes = b"", env: dict[str, str] | None = None, writable: Sequence[Path] | None = ()
) -> Ended:
    """Runs a Python program, in the test's folder."""
    folder = Path(mark.partition("=")[2])
    return run_program([sys.executable, "-c", code, mark], cwd=folder, limits=limits, stdin=stdin, env=env, writable=writable)


def test_how_it_ended(mark: str) -> None:
    """Code and both streams; nobody was left."""
    ended = python("import sys; print(input()); sys.stderr.write('no\\n'); sys.exit(3)", mark, stdin=b"hello\nmore")

    assert ("exited", 3, "hello\n", "no\n", 0, 0) == (
        ended.how, ended.code, ended.stdout.text, ended.stderr.text, ended.strays, ended.left_behind,
    )  # fmt: skip
    assert not ended.works and python("", mark).works
    assert "exited with 3" == ended.told(FAR)
    assert ended.seconds > 0


def test_without_input(mark: str) -> None:
    """Nobody is asked: a program that reads gets the end."""
    assert "EOFError" in python("input()", mark).stderr.text


def test_a_signal(mark: str) -> None:
    """Told apart from an exit."""
    ended = python("import os; os.kill(os.getpid(), 11)", mark)

    assert ("signal", signal.SIGSEGV) == (ended.how, ended.code)
    assert "was ended by SIGSEGV" == ended.told(FAR)


@pytest.mark.parametrize("what", ["program", "folder", "nul"])
def test_not_started(mark: str, tmp_path: Path, what: str) -> None:
    """A value too."""
    argv = ["no-such-program"] if what == "program" else [sys.executable, "\0"] if what == "nul" else [sys.executable]
    ended = run_program(argv, cwd=tmp_path / "none" if what == "folder" else tmp_path)

    assert "not_started" == ended.how
    assert ended.error and ended.told(FAR).startswith("could not be started: ")


def test_the_environment(mark: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No secret is inherited, and no home; what is given comes along."""
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "GH_TOKEN", "PYTHONPATH", "SSH_AUTH_SOCK", "ANYTHING"):
        monkeypatch.setenv(name, "secret-value")
    monkeypatch.setenv("HOME", str(tmp_path / "secret-value"))
    code = "import json, os, tempfile; print(json.dumps([dict(os.environ), os.getcwd(), tempfile.gettempdir(), os.listdir(os.environ['HOME'])]))"
    env, cwd, temporary, home = json.loads(python(code, mark, env={"GIVEN": "1"}).stdout.text)

    assert "secret-value" not in json.dumps(env)
    assert {"PATH", "HOME", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONUTF8", "GIVEN"} <= set(env)
    assert set(env) <= {"PATH", "HOME", "TMPDIR", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "GIVEN"} | {
        name for name in env if name.startswith(("PYTHON", "__"))
    }
    assert (str(tmp_path), env["TMPDIR"], []) == (cwd, temporary, home)
    assert not Path(env["HOME"]).exists()


@linux
def test_nothing_of_ours_is_open(mark: str, tmp_path: Path) -> None:
    """Files, sockets and the terminal stay here; even those that a program may inherit."""
    with open(tmp_path / "held", "w") as held:
        os.set_inheritable(held.fileno(), True)
        ended = python("import os; print([os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')[:-1]], os.getsid(0) == os.getpid())", mark)

    assert "held" not in ended.stdout.text
    assert ended.stdout.text.endswith("True\n")


ENDLESS = {
    "cpu": ("while True: pass", Limits(cpu_s=0.2)),
    "wall": ("import time\nwhile True: time.sleep(1000)", Limits(wall_s=0.3)),
    "output": ("while True: print('x' * 1000)", Limits(output_bytes=1_000_000, kept_bytes=1000)),
    "memory": ("x = []\nwhile True: x.append(b'1' * 1_000_000)", Limits(memory_bytes=100 << 20)),
}


@pytest.mark.parametrize("how", ENDLESS)
def test_what_has_no_end_is_stopped(how: str, mark: str) -> None:
    """Each by its own limit."""
    code, limits = ENDLESS[how]
    ended = python(code, mark, limits=limits)

    assert (how, 0) == (ended.how, ended.left_behind)
    assert "was stopped" in ended.told(limits)
    if how == "cpu":
        assert "KeyboardInterrupt" in ended.stderr.text  # which tells a model where it was
    if how == "output":
        assert "bytes left out]" in ended.stdout.text
        assert len(ended.stdout.text) < 2100 < 1_000_000 < ended.stdout.size


def test_it_may_refuse_to_be_interrupted(mark: str) -> None:
    """Then it is killed all the same."""
    code = "import signal\nfor n in range(1, 65):\n  try: signal.signal(n, signal.SIG_IGN)\n  except (OSError, ValueError): pass\nwhile True: pass"

    assert "cpu" == python(code, mark, limits=Limits(cpu_s=0.2, grace_s=0.1)).how


SPAWNS = {
    "children": "import os, time\nfor i in range(200):\n  if os.fork() == 0: time.sleep(1000)\ntime.sleep(1000)",
    "sessions": "import os, time\nfor i in range(200):\n  if os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\ntime.sleep(1000)",
    "orphans": """
import os, time
for i in range(200):
  if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    time.sleep(1000)
  os.wait()
time.sleep(1000)""",
    "threads": "import threading, time\nfor i in range(200): threading.Thread(target=time.sleep, args=(1000,)).start()",
}


@pytest.mark.parametrize("way", ["children", "sessions", pytest.param("orphans", marks=linux), pytest.param("threads", marks=linux)])
def test_what_spawns_without_end_is_stopped(way: str, mark: str) -> None:
    """Children, sessions of their own, orphans, threads; these programs stop themselves after 200."""
    ended = python(SPAWNS[way], mark, limits=Limits(processes=20, threads=100))

    assert ("processes", 0) == (ended.how, ended.left_behind)
    assert "was stopped: it had more than 20 processes or 100 threads" == ended.told(Limits(processes=20, threads=100))


@linux
def test_what_it_leaves_running_ends_with_it(mark: str) -> None:
    """Also what detached itself; it is told."""
    code = SPAWNS["orphans"].replace("200", "3").replace("os.wait()\ntime.sleep(1000)", "os.wait()\nprint('over')")
    ended = python(code, mark)

    assert ("exited", 0, 3, 0) == (ended.how, ended.code, ended.strays, ended.left_behind)
    assert "over\n" == ended.stdout.text


@linux
def test_a_chain_of_daemons(mark: str) -> None:
    """Each starts the next and ends; this one stops itself after 2,000."""
    code = "import os, time\nfor i in range(2000):\n  if os.fork(): os._exit(0)\n  os.setsid()\ntime.sleep(1000)"

    assert 0 == python(code, mark).left_behind


CONFINED = """
import os, sys, tempfile
from pathlib import Path
outside, tried = Path(sys.argv[2]), {}
def attempt(name, act):
    try:
        act()
        tried[name] = True
    except OSError:
        tried[name] = False
attempt("write", lambda: (outside / "kept").write_text("evil"))
attempt("append", lambda: open(outside / "kept", "a"))
attempt("truncate", lambda: os.truncate(outside / "kept", 0))
attempt("remove", lambda: (outside / "kept").unlink())
attempt("make", lambda: (outside / "new").write_text("evil"))
attempt("folder", lambda: (outside / "folder").mkdir())
attempt("link", lambda: (outside / "link").symlink_to("/"))
attempt("take", lambda: (outside / "kept").rename("taken"))
attempt("through a link", lambda: (Path("way").symlink_to(outside), Path("way/kept").write_text("evil")))
attempt("environment", lambda: Path(f"/proc/{sys.argv[3]}/environ").read_bytes())
attempt("signal", lambda: os.kill(os.getppid(), 0))
attempt("read", lambda: (outside / "kept").read_text())
attempt("own", lambda: (Path("a").mkdir(), Path("a/b").write_text("1"), Path("a/b").rename("c"), Path("c").unlink()))
attempt("temporary", lambda: tempfile.NamedTemporaryFile().write(b"1"))
attempt("home", lambda: Path.home().joinpath(".cache").mkdir())
attempt("devices", lambda: open("/dev/null", "w").write("1"))
attempt("locks", lambda: __import__("multiprocessing").Lock())
print(sorted(name for name, worked in tried.items() if worked))
"""


@linux
def test_it_writes_in_its_folders_only(mark: str, tmp_path: Path) -> None:
    """Where the kernel has Landlock; it can do what programs do all the same."""
    for name in ("outside", "inside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").write_text("kept")
    argv = [sys.executable, "-c", CONFINED, mark, str(tmp_path / "outside"), str(os.getpid())]
    ended = run_program(argv, cwd=tmp_path / "inside", limits=FAR)
    if not ended.confined:
        pytest.skip("no Landlock")

    assert ["devices", "home", "locks", "own", "read", "temporary"] == [
        name for name in json.loads(ended.stdout.text.replace("'", '"')) if name != "signal"  # Linux 6.12
    ], ended.stderr.text
    assert {"kept": "kept"} == {path.name: path.read_text() for path in (tmp_path / "outside").iterdir()}
    wide = run_program(argv, cwd=tmp_path / "inside", limits=FAR, writable=[tmp_path / "outside"])
    assert {"write", "make", "folder"} <= set(json.loads(wide.stdout.text.replace("'", '"')))


@linux
def test_a_program_that_kills_who_watches_it(mark: str) -> None:
    """It dies with it, and so does what it had started."""
    code = "import os, time\nif os.fork() == 0: time.sleep(1000)\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(1000)\nos.kill(os.getppid(), 9)\ntime.sleep(1000)"
    ended = python(code, mark, writable=None)

    assert "lost" == ended.how
    assert "ended with the process that watched it" == ended.told(FAR)
    gone(mark)


OURS = """
import sys
from pathlib import Path
from gvstore.pipeline.sandbox import Limits, run_program
code = "import os, time\\nos.fork()\\nprint(1)\\nopen(f'up-{os.getpid()}', 'w')\\ntime.sleep(1000)"
try:
    run_program([sys.executable, "-c", code, sys.argv[1]], cwd=Path(sys.argv[2]), limits=Limits(wall_s=1000))
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_our_own_end_is_the_programs(mark: str, tmp_path: Path, how: signal.Signals) -> None:
    """By kill -9, and by Ctrl-C, which comes out as it went in."""
    ours = subprocess.Popen([sys.executable, "-c", OURS, mark, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE)
    with ours:
        while len(list(tmp_path.glob("up-*"))) < 2:
            time.sleep(0.01)
            assert ours.poll() is None
        ours.send_signal(how)
        assert (7 if how == signal.SIGINT else -9) == ours.wait()
    gone(mark)
    while list((tmp_path / "scratch").iterdir()):
        time.sleep(0.01)


def gone(mark: str) -> None:
    """Returns when nobody is left: who was killed is gone a moment later."""
    while marked(mark):
        time.sleep(0.01)


def test_several_at_once(mark: str) -> None:
    """From threads; none is taken for another."""
    found: dict[int, str] = {}

    def run(number: int) -> None:
        found[number] = python(f"print({number})", mark).stdout.text

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {number: f"{number}\n" for number in range(4)} == found


def test_a_file_has_its_size(mark: str) -> None:
    """A disk is not filled by one file."""
    ended = python("open('large', 'wb').write(bytes(2_000_000))", mark, limits=Limits(file_bytes=1_000_000))

    assert "File too large" in ended.stderr.text


def test_a_frozen_clock(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits hold; what no two runs agree in is left out."""
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:02:11Z")
    ended = python("while True: pass", mark, limits=Limits(cpu_s=0.2))

    assert ("cpu", 0, 0, 0, 0) == (ended.how, ended.seconds, ended.cpu_seconds, ended.memory_bytes, ended.processes)


def test_output_is_cut_in_its_middle() -> None:
    """Its beginning and its end stay."""
    assert "a\n[5 bytes left out]\nb" == Output("a", "b", 7, 5).text
    assert "ab" == Output("a", "b", 2).text


def test_characters_across_the_border(mark: str) -> None:
    """Are whole if nothing is left out; bytes that are no text are told as such."""
    limits = Limits(kept_bytes=3)

    assert "éééx" != python("print('ééé', end='')", mark, limits=limits).stdout.text == "ééé"
    assert "\ufffd" in python("import os; os.write(1, b'\\xff')", mark).stdout.text


def test_the_table_of_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc: the same processes, and what detached itself stays known."""
    code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()'], start_new_session=True); print(p.pid, flush=True); input(); "
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None
        below = int(child.stdout.readline())
        table = supervisor.ps_table()
        if not table:
            pytest.skip("no ps")
        if supervisor.LINUX:
            assert supervisor.proc_table()[below][:3] == table[below][:3] == (below, child.pid, below)
        monkeypatch.setattr(supervisor, "LINUX", False)
        family = supervisor.Family()
        assert {child.pid, below} <= {process.pid for process in family.look()}
        child.kill()
        child.wait()
        assert below in {process.pid for process in family.look()}
        os.kill(below, signal.SIGKILL)


def test_cpu_times_of_ps() -> None:
    """As Linux and macOS write them."""
    assert [3.0, 63.5, 3723.0, 176523.0] == [supervisor.cpu_seconds(each) for each in ("0:03", "1:03.50", "01:02:03", "2-01:02:03")]
