"""Random sequences of commands, given to gv and to git: the same files, the same history, the same refusals."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gvstore.repo import Repository
from tests.cli.twin import Git, Ours, State
from tests.conftest import AUTHOR, CommandLine

STEPS = 30
SEQUENCES = 12
PATHS = ("a", "b.txt", "d/x", "d/y", "d/e/z", "f")
BRANCHES = ("main", "one", "two", "deep/three")
TAGS = ("v1", "v2")
LINES = tuple(f"line {n}\n" for n in range(8))


@dataclass(frozen=True)
class Command:
    """What is typed into each; None for what only changes files, as `edit` does in both work trees."""

    gv: tuple[str, ...] = ()
    git: tuple[tuple[str, ...], ...] = ()
    edit: Callable[[Path], None] | None = None
    told: str = ""

    def __str__(self) -> str:
        return self.told or f"gv {' '.join(self.gv)}   |   {'; '.join('git ' + ' '.join(each) for each in self.git)}"


@dataclass(frozen=True)
class Difference:
    """Where gv does otherwise on purpose; docs/git.md tells why.

    `words` begin the command, `said` is in what the side says that `refuses`, and `instead` brings git to where gv is.
    """

    words: tuple[str, ...]
    refuses: str
    said: str
    instead: Callable[[Git, Command, str], bool]

    def explains(self, command: Command, refuses: str, said: str) -> bool:
        """Returns whether this is why only one of the two refused."""
        return command.gv[0] in self.words and self.refuses == refuses and self.said in said


def _delete_anyway(git: Git, command: Command, said: str) -> bool:
    return git("branch", "-D", *command.gv[2:])[0]


def _make_room(git: Git, command: Command, said: str) -> bool:
    """Deletes the untracked files that git names, and tries again."""
    for line in said.splitlines():
        if line.startswith("\t"):
            (git.root / line.strip()).unlink()
    return git.all(command.git)[0]


DELIBERATE = (
    # A branch may go if another one leads to its commits; git asks for HEAD alone.
    Difference(("branch",), "git", "not fully merged", _delete_anyway),
    # A file that no commit of HEAD's has may be overwritten by what it holds already.
    Difference(("checkout", "switch"), "git", "untracked working tree files would be overwritten", _make_room),
)


def both(*words: str) -> Command:
    """Returns a command that is spelled alike."""
    return Command(words, (words,))


def editing(chance: random.Random) -> Command:
    """Returns a change of the work tree: a file written, edited in one line, deleted, moved, made a program or a symlink."""
    kind = chance.choice(["write", "line", "line", "line", "delete", "move", "mode", "link", "folder"])
    path, other = chance.sample(PATHS, 2)
    at, word = chance.randrange(len(LINES)), f"word {chance.randrange(4)}\n"

    def edit(root: Path) -> None:
        file, to = root / path, root / other
        plain = file.is_file() and not file.is_symlink()
        free = not (to.exists() or to.is_symlink())
        if kind in ("write", "line") and not file.exists() and not file.is_symlink():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(LINES))
        elif kind == "write" and plain:
            file.write_text(word)
        elif kind == "line" and plain:
            lines = file.read_text().splitlines(keepends=True)
            file.write_text("".join([*lines[:at], word, *lines[at + 1 :]]))
        elif kind == "delete" and (plain or file.is_symlink()):
            file.unlink()
        elif kind == "move" and plain and free:
            to.parent.mkdir(parents=True, exist_ok=True)
            file.rename(to)
        elif kind == "mode" and plain:
            file.chmod(0o755 if file.stat().st_mode & 0o100 == 0 else 0o644)
        elif kind == "link" and not file.exists() and not file.is_symlink():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.symlink_to(other)

    return Command(edit=edit, told=f"{kind} {path} ({other}, line {at}, {word.strip()})")


def rev(chance: random.Random) -> str:
    """Returns a rev, which may name nothing."""
    name = chance.choice(["HEAD", "HEAD", *BRANCHES, *TAGS])
    return name + chance.choice(["", "", "~1", "^", "~2", "^2"])


def committing(chance: random.Random) -> Command:
    message = f"change {chance.randrange(1000)}"
    if chance.random() < 0.1:
        return Command(
            ("commit", "--allow-empty", "-m", message), (("add", "-A"), ("commit", "--allow-empty", "-m", message))
        )
    return Command(("commit", "-m", message), (("add", "-A"), ("commit", "-m", message)))


def branching(chance: random.Random) -> Command:
    name, other = chance.choice(BRANCHES), chance.choice(BRANCHES)
    kind = chance.choice(["make", "make", "make", "at", "delete", "force", "move"])
    if kind == "make":
        return both("branch", name)
    if kind == "at":
        return both("branch", name, rev(chance))
    if kind == "delete":
        return both("branch", "-d", name)
    return both("branch", "-D", name) if kind == "force" else both("branch", "-m", name, other)


def going(chance: random.Random) -> Command:
    kind = chance.choice(["branch", "branch", "branch", "make", "detach", "rev"])
    name = chance.choice(BRANCHES)
    if kind == "branch":
        return both("checkout", name)
    if kind == "make":
        return both("checkout", "-b", name)
    return both("checkout", "--detach", name) if kind == "detach" else both("checkout", rev(chance))


def tagging(chance: random.Random) -> Command:
    name = chance.choice(TAGS)
    kind = chance.choice(["light", "annotated", "delete", "force"])
    if kind == "light":
        return both("tag", name, rev(chance))
    if kind == "delete":
        return both("tag", "-d", name)
    return both("tag", "-f", name, rev(chance)) if kind == "force" else both("tag", "-a", "-m", "why", name)


def switching(chance: random.Random) -> Command:
    name = chance.choice(BRANCHES)
    kind = chance.choice(["branch", "branch", "make", "detach", "force", "discard"])
    if kind in ("branch", "discard"):
        return both("switch", *(["-f"] if kind == "discard" else []), name)
    if kind == "make":
        return both("switch", "-c", name, rev(chance))
    return both("switch", "-d", rev(chance)) if kind == "detach" else both("switch", "-C", name)


def resetting(chance: random.Random) -> Command:
    at = rev(chance)
    if chance.random() < 0.5:
        return both("reset", "--hard", at)
    return Command(("reset", at), (("reset", "-q", at),))  # no index is left behind: as git has it without `--soft`


def restoring(chance: random.Random) -> Command:
    path = chance.choice([*PATHS, "d", "."])
    source = () if chance.random() < 0.5 else ("--source", rev(chance))
    return Command(("restore", *source, path), (("restore", "-SW", *(source or ("--source", "HEAD")), path),))


def any_command(chance: random.Random) -> Command:
    kinds = [editing] * 10 + [committing] * 7 + [branching] * 3 + [going] * 4 + [tagging] * 2
    kinds += [switching] * 3 + [resetting] * 2 + [restoring] * 2
    return chance.choice(kinds)(chance)


@pytest.fixture(scope="session")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without commits, to be copied."""
    path = tmp_path_factory.mktemp("unused") / "work"
    Repository.init(path, author=AUTHOR, now=0, branch="main").close()
    return path


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Git]:
    git = Git(tmp_path / "git")
    yield git
    git.close()


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_as_git_does(gv: CommandLine, git: Git, unused: Path, tmp_path: Path, seed: int) -> None:
    """After each command files, branches, tags, HEAD and history are alike; what one refuses, the other does too."""
    chance = random.Random(seed)
    ours = Ours(gv, tmp_path / "ours", unused)
    done: list[str] = []
    for _ in range(STEPS):
        command = any_command(chance)
        done.append(str(command))
        if command.edit is not None:
            for root in (git.root, ours.root):
                command.edit(root)
            continue
        undoing = chance.random() < 0.15
        before, kept = ours.state() if undoing else None, git.keep() if undoing else git.root
        theirs, told = git.all(command.git)
        mine, said = ours(*command.gv)
        history = "\n".join([*done, f"git said {told}", f"gv said {said}"])
        if theirs != mine:
            refuses, text = ("git", told) if mine else ("gv", said)
            known = [each for each in DELIBERATE if each.explains(command, refuses, text)]
            theirs = mine if known and known[0].instead(git, command, told) else theirs
        assert theirs == mine, history
        after = ours.state()
        alike(git.state(), after, history)
        if before is not None and before != after:
            alike(before, taken_back(ours, history), f"{history}\nundone")
            if chance.random() < 0.5:
                assert ours("redo")[0], history
                alike(after, ours.state(), f"{history}\nundone, redone")
            else:
                done.append("gv undo")
                git.put_back(kept)


def taken_back(ours: Ours, history: str) -> State:
    """Returns what is there after `gv undo`."""
    ok, said = ours("undo")
    assert ok, f"{history}\nundo said {said}"
    return ours.state()


def alike(expected: State, found: State, history: str) -> None:
    """Passes if two states are the same."""
    for part in State.__dataclass_fields__:
        assert getattr(expected, part) == getattr(found, part), f"{part}\n{history}"
