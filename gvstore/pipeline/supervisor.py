"""THE SUPERVISOR: a small process between us and a stranger's program; it holds the limits and leaves nobody behind.

Not imported: `sandbox` starts this file as a script of its own, `python -I -S`,
so it knows nothing of gvstore.  A process of its own, because

- it is the *subreaper* of the program (Linux): whatever the program starts, also
  what detaches itself into a session of its own, is its descendant, and when it
  has no child left nobody is left;
- it has one thread, so that it may fork and set limits between fork and exec;
- it lives on for a moment when gv is killed: its standard input ends then, and it
  stops the program.

It is asked by one line of JSON on standard input, which stays open as long as it
shall live, and answers with two on standard output: the program's process number,
and how it ended.

A limit on the number of processes by RLIMIT_NPROC would count all that the user
runs, elsewhere too, and does not hold for root: they are counted here instead, a
hundred times a second or so.  A whole process group is killed in one step of the
kernel, which a program that spawns without end cannot outrun, and the program runs
at a lower priority than who stops it.

Without a subreaper (macOS) a process that detaches itself, and whose parents end,
within one look at the table (0.1 s) is not seen.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import math
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # before the fork: nothing is loaded between it and exec
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
_KEPT_CAPABILITIES = {0, 1, 2, 3, 4, 10}  # of root: those over files, which Landlock bounds, and low ports
NICE = 5
PATIENCE_S = 10.0  # for killed processes to be gone
_PROC = Path("/proc")


class Process(NamedTuple):
    """One row of the system's table of processes; `memory` is bytes that are this process's own."""

    pid: int
    parent: int
    group: int
    started: str
    ended: bool
    cpu_s: float
    memory: int
    threads: int


def read_proc(pid: int) -> Process | None:
    """Returns a process as Linux tells of it, or None if it is gone."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        status = (_PROC / str(pid) / "status").read_bytes()
    except (OSError, ValueError):
        return None
    memory = 0
    for key in (b"\nRssAnon:", b"\nRssShmem:"):
        _, found, after = status.partition(key)
        memory += int(after.split(None, 1)[0]) * 1024 if found else 0
    ticks = sum(int(each) for each in stat[11:15])  # its own, and of children it has waited for
    ended = stat[0] in (b"Z", b"X")
    return Process(pid, int(stat[1]), int(stat[2]), stat[19].decode(), ended, ticks / _TICKS, memory, int(stat[17]))


def proc_children(pid: int) -> list[int]:
    """Returns the children of a process, as its threads' lists have them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    return found


def proc_table() -> dict[int, Process]:
    """Returns every process that Linux tells of."""
    found = (read_proc(int(each.name)) for each in _PROC.iterdir() if each.name.isdecimal())
    return {process.pid: process for process in found if process is not None}


def ps_table(program: str = "ps") -> dict[int, Process]:
    """Returns every process that `ps` tells of."""
    columns = ["pid=", "ppid=", "pgid=", "rss=", "state=", "time=", "lstart="]
    words = [word for column in columns for word in ("-o", column)]
    try:
        with subprocess.Popen([program, "-A", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"LC_ALL": "C"}) as asked:
            told, _ = asked.communicate(timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    table = {}
    for line in told.decode("ascii", "replace").splitlines():
        fields = line.split(None, 6)
        if len(fields) == 7 and all(each.isdecimal() for each in fields[:4]):
            pid, parent, group, kilobytes = map(int, fields[:4])
            if pid == asked.pid:
                continue
            ended = fields[4].startswith("Z")
            table[pid] = Process(pid, parent, group, fields[6], ended, cpu_seconds(fields[5]), kilobytes * 1024, 1)
    return table


def cpu_seconds(text: str) -> float:
    """Returns what `ps` means by [[dd-]hh:]mm:ss[.ff]."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)


# Landlock (Linux 5.13; what is asked here 5.19): a process gives up rights for good, for itself and all that it starts.
# Source: linux, include/uapi/linux/landlock.h; Documentation/userspace-api/landlock.rst.
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_MAKE_AND_CHANGE = {1: 1 << 1 | 0x1FF << 4 | 1 << 13, 3: 1 << 14}  # from which version on: write, remove, make, move; truncate
_FILE_RIGHTS = 1 << 1 | 1 << 14  # those that a rule for a file may have
_SIGNALS, _SCOPES = 6, 0b11  # from which version on: neither signals nor abstract sockets reach others
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "dri", "snd", "shm")


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def confinement(writable: list[str]) -> int:
    """Returns a descriptor of rules by which only what lies in these folders can be written; -1 where there is no Landlock.

    Who obeys them cannot look into processes outside either (their environment!),
    nor, from version 6 on, send them signals.
    """
    if _LIBC is None:
        return -1
    version = _LIBC.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 2:  # the first one forbids to move files from folder to folder
        return -1
    rights = sum(mask for since, mask in _MAKE_AND_CHANGE.items() if version >= since)
    rules = _Ruleset(rights, 0, _SCOPES if version >= _SIGNALS else 0)
    size = ctypes.sizeof(rules) if version >= _SIGNALS else 8
    fd = int(_LIBC.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), 0))
    for path in (*writable, *(f"/dev/{name}" for name in _DEVICES)):
        with contextlib.suppress(OSError):
            folder = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
            allowed = rights if Path(path).is_dir() else rights & _FILE_RIGHTS
            _LIBC.syscall(_ADD, fd, 1, ctypes.byref(_Beneath(allowed, folder)), 0)
            os.close(folder)
    return fd


_TICKS = os.sysconf("SC_CLK_TCK")
LINUX = (_PROC / "self" / "stat").exists()
CHILDREN = (_PROC / "self" / "task" / str(os.getpid()) / "children").exists()


class Family:
    """All that descends from this process, the dead that nobody waited for left out."""

    def __init__(self) -> None:
        self.me = os.getpid()
        self.known: dict[int, str] = {}  # pid -> when it started: who detaches itself stays known
        self.status: dict[int, int] = {}  # pid -> how it ended, of those that we waited for
        self.reaped_s = 0.0  # CPU

    def look(self, *, whole: bool = False) -> list[Process]:
        """Returns who lives; `whole` reads the whole table, which misses nobody that was there all the while."""
        if LINUX and CHILDREN and not whole:
            found = [process for pid in self._below() if (process := read_proc(pid)) is not None]
        else:
            found = self._closure(proc_table() if LINUX else ps_table())
        living = [process for process in found if not process.ended and process.pid != self.me]
        self.known = {process.pid: process.started for process in living}
        return living

    def _below(self) -> list[int]:
        found, fresh = [], proc_children(self.me)
        while fresh:
            found += fresh
            fresh = [child for pid in fresh for child in proc_children(pid)]
        return found

    def _closure(self, table: dict[int, Process]) -> list[Process]:
        children: dict[int, list[Process]] = {}
        for process in table.values():
            children.setdefault(process.parent, []).append(process)
        kept = [table[pid] for pid, started in self.known.items() if pid in table and table[pid].started == started]
        groups = {process.group for process in kept} - {os.getpgid(0)}
        kept += [process for process in table.values() if process.group in groups]
        found: dict[int, Process] = {}
        fresh = [*children.get(self.me, []), *kept]
        while fresh:
            process = fresh.pop()
            if process.pid not in found:
                found[process.pid] = process
                fresh += children.get(process.pid, [])
        return list(found.values())

    def reap(self) -> bool:
        """Waits for the children that have ended; returns whether there are others."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            self.status[pid] = status
            self.reaped_s += usage.ru_utime + usage.ru_stime

    def kill(self) -> int:
        """Kills all and waits until nobody is left; returns how many are left all the same, stuck in the kernel."""
        deadline = time.monotonic() + PATIENCE_S
        looks = 0
        if not LINUX:
            self.freeze(deadline)
        while time.monotonic() < deadline:
            looks += 1
            living = self.look(whole=looks % 4 == 0 or not LINUX)
            signal_all(living, signal.SIGKILL)
            if not self.reap() and not living:
                return 0
            if looks > 20:
                time.sleep(0.005)
        return len(self.look(whole=True))


    def freeze(self, deadline: float) -> None:
        """Stops all: without a subreaper, who is born while its parent is killed is nobody's child."""
        stopped: set[int] = set()
        while time.monotonic() < deadline:
            fresh = [process for process in self.look() if process.pid not in stopped]
            if not fresh:
                return
            signal_all(fresh, signal.SIGSTOP)
            stopped |= {process.pid for process in fresh}


def signal_all(living: list[Process], number: signal.Signals) -> None:
    """Sends a signal to these, and to their groups, at once each; our own is spared."""
    for group in {process.group for process in living} - {os.getpgid(0)}:
        with contextlib.suppress(OSError):
            os.killpg(group, number)
    for process in living:
        with contextlib.suppress(OSError):
            os.kill(process.pid, number)


class Kept:
    """The beginning and the end of what a program wrote, and how much it was."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self.head, self.tail = b"", bytearray()

    def add(self, data: bytes) -> None:
        """Keeps what belongs to the beginning, or for now to the end."""
        self.size += len(data)
        room = self.most - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > 2 * self.most:
            del self.tail[: -self.most]

    def told(self) -> dict[str, Any]:
        """Returns it as JSON may hold it."""
        tail = bytes(self.tail[-self.most :]) if self.most else b""
        return {"head": base64.b64encode(self.head).decode(), "tail": base64.b64encode(tail).decode(), "size": self.size}


class Supervisor:
    """One program, from its start to the death of the last of its kind."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked, self.limits = asked, asked["limits"]
        self.family = Family()
        self.out, self.err = Kept(self.limits["kept_bytes"]), Kept(self.limits["kept_bytes"])
        self.pipes: dict[int, Kept] = {}
        self.peak_memory = self.peak_processes = 0
        self.cpu_s = 0.0
        self.rules = -1 if asked["writable"] is None else confinement([asked["cwd"], asked["scratch"], *asked["writable"]])

    def start(self) -> int:
        """Starts the program in a session of its own; returns its process number.  Raises OSError if it cannot be."""
        data = base64.b64decode(self.asked["stdin"])
        source = os.open(os.devnull, os.O_RDONLY)
        if data:
            source = _unnamed(data, self.asked["scratch"])
        out, write_out = os.pipe()
        err, write_err = os.pipe()
        self.program = subprocess.Popen(
            self.asked["argv"], stdin=source, stdout=write_out, stderr=write_err, cwd=self.asked["cwd"],
            env=self.asked["env"], start_new_session=True, preexec_fn=self._restrict,
        )  # fmt: skip
        for fd in (source, write_out, write_err):
            os.close(fd)
        for fd, kept in ((out, self.out), (err, self.err)):
            os.set_blocking(fd, False)
            self.pipes[fd] = kept
        return self.program.pid

    def _restrict(self) -> None:
        """Limits the child, between fork and exec; these hold for each process alone and stand behind what is counted."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.nice(NICE)
        cpu = math.ceil(self.limits["cpu_s"]) + 2
        for kind, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, cpu),
            (resource.RLIMIT_FSIZE, self.limits["file_bytes"]),
            # Address space is not memory: threads, runtimes and databases reserve much and use little.
            (resource.RLIMIT_AS, max(64 << 30, 16 * self.limits["memory_bytes"])),
        ):
            with contextlib.suppress(OSError, ValueError):
                _, hard = resource.getrlimit(kind)
                most = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.setrlimit(kind, (most, most))
        with contextlib.suppress(OSError):  # if the machine's memory ends first, this is who goes
            (_PROC / "self" / "oom_score_adj").write_bytes(b"1000")
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)  # what runs as somebody else could not be killed
        for capability in set(range(64)) - _KEPT_CAPABILITIES:  # who is not root has none to lose
            _prctl(PR_CAPBSET_DROP, capability)
        if self.rules >= 0 and _LIBC is not None and _LIBC.syscall(_RESTRICT, self.rules, 0):
            raise OSError("the rules of Landlock do not hold")

    def watch(self) -> str:
        """Returns how it ended: "exited", or which limit was passed, or "abandoned" if gv is gone."""
        started = time.monotonic()
        pause = least = 0.01 if LINUX else 0.1
        while True:
            ready = select.select([0, *self.pipes], [], [], pause)[0]
            if 0 in ready and not os.read(0, 4096):
                return "abandoned"
            self.read(ready)
            if self.out.size + self.err.size > self.limits["output_bytes"]:
                return "output"
            self.family.reap()
            if self.program.pid in self.family.status:
                return "exited"
            before = time.monotonic()
            if before - started > self.limits["wall_s"]:
                return "wall"
            if passed := self.passed(self.family.look()):
                return passed
            pause = max(least, 5 * (time.monotonic() - before))  # at most a sixth of a core, however many they are

    def passed(self, living: list[Process]) -> str:
        """Returns which limit these pass together, or ""."""
        self.cpu_s = max(self.cpu_s, self.family.reaped_s + sum(process.cpu_s for process in living))
        memory = sum(process.memory for process in living)
        self.peak_memory = max(self.peak_memory, memory)
        self.peak_processes = max(self.peak_processes, len(living))
        if len(living) > self.limits["processes"] or sum(process.threads for process in living) > self.limits["threads"]:
            return "processes"
        if memory > self.limits["memory_bytes"]:
            return "memory"
        return "cpu" if self.cpu_s > self.limits["cpu_s"] else ""

    def read(self, ready: list[int]) -> bool:
        """Takes what the program has written; returns whether there was anything."""
        some = False
        for fd in ready:
            if fd not in self.pipes:
                continue
            try:
                data = os.read(fd, 1 << 16)
            except BlockingIOError:
                continue
            some = some or bool(data)
            self.pipes[fd].add(data)
            if not data:
                os.close(fd)
                del self.pipes[fd]
        return some

    def interrupt(self) -> None:
        """Lets the program tell where it was, which a Python program does on its standard error."""
        with contextlib.suppress(OSError):
            os.kill(self.program.pid, signal.SIGINT)
        deadline = time.monotonic() + self.limits["grace_s"]
        while time.monotonic() < deadline and self.program.pid not in self.family.status:
            self.read(select.select([*self.pipes], [], [], 0.01)[0])
            self.family.reap()
            if self.out.size + self.err.size > self.limits["output_bytes"]:
                return

    def finish(self, how: str) -> dict[str, Any]:
        """Leaves nobody behind; returns how it ended."""
        if how in ("wall", "cpu"):
            self.interrupt()
        strays = len(self.family.look(whole=True)) if how == "exited" else 0
        left = self.family.kill()
        while self.pipes and self.read(list(self.pipes)):
            if self.out.size + self.err.size > self.limits["output_bytes"]:
                break
        status = self.family.status.get(self.program.pid)
        code = None if status is None else os.waitstatus_to_exitcode(status)
        if how == "exited" and code == -signal.SIGXCPU:
            how = "cpu"
        self.program.returncode = 0 if code is None else code  # we waited for it ourselves
        return {
            "how": how, "code": code, "confined": self.rules >= 0, "stdout": self.out.told(), "stderr": self.err.told(), "strays": strays, "left": left,
            "cpu_s": max(self.cpu_s, self.family.reaped_s), "memory": self.peak_memory, "processes": self.peak_processes,
        }  # fmt: skip


def _unnamed(data: bytes, folder: str) -> int:
    """Returns a descriptor, at its beginning, of a file without a name that holds `data`."""
    path = Path(folder) / f"stdin-{os.getpid()}"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    path.unlink()
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _prctl(option: int, value: int) -> None:
    if _LIBC is not None:
        _LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def _ask() -> bytes:
    """Returns the line on standard input."""
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(0, 1 << 16)
        if not data:
            break
        line += data
    return bytes(line)


def _tell(answer: dict[str, Any]) -> None:
    view = memoryview(json.dumps(answer).encode() + b"\n")
    with contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(1, view) :]


def main() -> None:
    """Does what standard input asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = json.loads(_ask())
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    supervisor = Supervisor(asked)
    try:
        pid = supervisor.start()
    except (OSError, subprocess.SubprocessError, ValueError) as e:
        _tell({"pid": 0})
        _tell({"how": "not_started", "error": str(e)})
        return
    _tell({"pid": pid})
    try:
        how = supervisor.watch()
        answer = supervisor.finish(how)
    except BaseException:
        supervisor.family.kill()
        raise
    if how == "abandoned":  # nobody else removes it now
        shutil.rmtree(asked["scratch"], ignore_errors=True)
    _tell(answer)


if __name__ == "__main__":
    main()
