"""Random sequences of commands, given to gv and to git: the same files, the same history, the same refusals."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gvstore.repo import Repository
from tests.cli.twin import Git, Ours, State
from tests.conftest import AUTHOR, CommandLine

STEPS = 30
SEQUENCES = 16
PATHS = ("a", "b.txt", "d/x", "d/y", "d/e/z", "f")
BRANCHES = ("main", "one", "two", "deep/three")
TAGS = ("v1", "v2")
LINES = tuple(f"line {n}\n" for n in range(8))


class Chance(random.Random):
    """What happens; `known` are the branches and tags that are there."""

    known: Sequence[str] = ()


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


def _skip(git: Git, command: Command, said: str) -> bool:
    return not git.pending() or git(command.gv[0], "--skip")[0]


def _stage(git: Git, command: Command, said: str) -> bool:
    """Stages the edited files that git names, and tries again: it does what it is told where they are as the target has them."""
    named = [line.strip() for line in said.splitlines() if line.startswith("\t")]
    return git("add", "-A", "--", *named)[0] and git.all(command.git)[0]


def _give_way(git: Git, command: Command, said: str) -> bool:
    """Takes the edits back that git names, and tries again: the files come out as they were edited to."""
    named = [line.strip() for line in said.splitlines() if line.startswith("\t")]
    return git("checkout", "-q", "HEAD", "--", *named)[0] and git.all(command.git)[0]


def _amend_anyway(git: Git, command: Command, said: str) -> bool:
    return git(*command.gv, "--allow-empty")[0]


def _nothing(git: Git, command: Command, said: str) -> bool:
    return True


DELIBERATE = (
    # A branch may go if another one leads to its commits; git asks for HEAD alone.
    Difference(("branch",), "git", "not fully merged", _delete_anyway),
    # A file that no commit of HEAD's has may be overwritten by what it holds already.
    Difference(
        ("checkout", "switch", "merge", "revert", "cherry-pick"),
        "git",
        "untracked working tree files would be overwritten",
        _make_room,
    ),
    Difference(("checkout", "switch"), "git", "local changes to the following files would be overwritten", _stage),
    Difference(("merge",), "git", "local changes to the following files would be overwritten", _give_way),
    # Amending says what a commit should have said; that it changes nothing is no reason to keep it wrong.
    Difference(("commit",), "git", "doing so would make\nit empty", _amend_anyway),
    # What changes nothing here is left out, with a word; git stops and asks.
    Difference(("cherry-pick", "revert"), "git", "is now empty", _skip),
    Difference(("cherry-pick", "revert"), "git", "to commit", _skip),
    # All of nothing is nothing to do, and no mistake.
    Difference(("restore",), "git", "pathspec '.' did not match", _nothing),
)


def both(*words: str) -> Command:
    """Returns a command that is spelled alike."""
    return Command(words, (words,))


def editing(chance: Chance) -> Command:
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


def rev(chance: Chance) -> str:
    """Returns a rev, which mostly names something."""
    name = chance.choice([*chance.known, *chance.known, *BRANCHES, *TAGS, "HEAD"])
    return name + chance.choice(["", "", "", "", "~1", "^", "~2", "^2"])


def branch(chance: Chance) -> str:
    """Returns the name of a branch, mostly of one that is there."""
    there = [each for each in chance.known if each in BRANCHES]
    return chance.choice(there) if there and chance.random() < 0.8 else chance.choice(BRANCHES)


def committing(chance: Chance) -> Command:
    message = f"change {chance.randrange(1000)}"
    if chance.random() < 0.1:
        return Command(
            ("commit", "--allow-empty", "-m", message), (("add", "-A"), ("commit", "--allow-empty", "-m", message))
        )
    return Command(("commit", "-m", message), (("add", "-A"), ("commit", "-m", message)))


def branching(chance: Chance) -> Command:
    name, other = chance.choice(BRANCHES), chance.choice(BRANCHES)
    kind = chance.choice(["make", "make", "make", "at", "delete", "force", "move"])
    if kind == "make":
        return both("branch", name)
    if kind == "at":
        return both("branch", name, rev(chance))
    if kind == "delete":
        return both("branch", "-d", name)
    return both("branch", "-D", name) if kind == "force" else both("branch", "-m", name, other)


def going(chance: Chance) -> Command:
    kind = chance.choice(["branch", "branch", "branch", "make", "detach", "rev"])
    name = branch(chance)
    if kind == "branch":
        return both("checkout", name)
    if kind == "make":
        return both("checkout", "-b", name)
    return both("checkout", "--detach", name) if kind == "detach" else both("checkout", rev(chance))


def tagging(chance: Chance) -> Command:
    name = chance.choice(TAGS)
    kind = chance.choice(["light", "annotated", "delete", "force"])
    if kind == "light":
        return both("tag", name, rev(chance))
    if kind == "delete":
        return both("tag", "-d", name)
    return both("tag", "-f", name, rev(chance)) if kind == "force" else both("tag", "-a", "-m", "why", name)


def switching(chance: Chance) -> Command:
    name = branch(chance)
    kind = chance.choice(["branch", "branch", "make", "detach", "force", "discard"])
    if kind in ("branch", "discard"):
        return both("switch", *(["-f"] if kind == "discard" else []), name)
    if kind == "make":
        return both("switch", "-c", name, rev(chance))
    return both("switch", "-d", rev(chance)) if kind == "detach" else both("switch", "-C", name)


def resetting(chance: Chance) -> Command:
    at = rev(chance)
    if chance.random() < 0.5:
        return both("reset", "--hard", at)
    return Command(("reset", at), (("reset", "-q", at),))  # no index is left behind: as git has it without `--soft`


def restoring(chance: Chance) -> Command:
    path = chance.choice([*PATHS, "d", "."])
    source = () if chance.random() < 0.5 else ("--source", rev(chance))
    return Command(("restore", *source, path), (("restore", *(source or ("--source", "HEAD")), path),))


def merging(chance: Chance) -> Command:
    form = chance.choice([(), (), (), ("--no-ff",), ("--ff-only",)])
    return both("merge", *form, rev(chance))


def picking(chance: Chance) -> Command:
    at = rev(chance)
    if chance.random() < 0.5:
        return both("cherry-pick", at)
    return Command(("revert", at), (("revert", "--no-edit", at),))


def amending(chance: Chance) -> Command:
    message = f"amended {chance.randrange(1000)}"
    return Command(("commit", "--amend", "-m", message), (("add", "-A"), ("commit", "--amend", "-m", message)))


def concluding(chance: Chance, word: str, undecided: list[str], decided: list[str]) -> Command:
    """Returns what is done about conflicts: the files are decided; then, or at once, the merge, revert or cherry-pick ends."""
    if chance.random() < 0.5:
        return both(word, "--abort")
    if decided or not undecided:
        return Command((word, "--continue"), (("add", "-A", "--", *decided), (word, "--continue")))
    kinds = [chance.choice(["write", "delete"]) for _ in undecided]

    def decide(root: Path) -> None:
        for path, kind in zip(undecided, kinds, strict=True):
            (root / path).unlink(missing_ok=True)
            if kind == "write":
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text("decided\n")

    return Command(edit=decide, told=f"decide {undecided} {kinds}")


def any_command(chance: Chance) -> Command:
    kinds = [editing] * 9 + [committing] * 7 + [branching] * 2 + [going] * 3 + [tagging]
    kinds += [switching] * 3 + [resetting] * 2 + [restoring] + [merging] * 5 + [picking] * 4 + [amending]
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
    chance = Chance(seed)
    ours = Ours(gv, tmp_path / "ours", unused)
    done: list[str] = []
    begin(git, ours, chance)
    decided: list[str] = []
    for _ in range(STEPS):
        chance.known = git.names()
        word, undecided = git.pending(), git.undecided()
        command = concluding(chance, word, undecided, decided) if word else any_command(chance)
        decided = undecided if command.edit is not None else []
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
        if before is not None and before != after and not git.pending():
            alike(before, taken_back(ours, history), f"{history}\nundone")
            if chance.random() < 0.5:
                assert ours("redo")[0], history
                alike(after, ours.state(), f"{history}\nundone, redone")
            else:
                done.append("gv undo")
                git.put_back(kept)


def begin(git: Git, ours: Ours, chance: Chance) -> None:
    """Makes a few files and two branches; now and then nothing."""
    if chance.random() < 0.15:
        return
    for root in (git.root, ours.root):
        for path in PATHS[:4]:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text("".join(LINES))
    message = ("commit", "-m", "first")
    assert git.all((("add", "-A"), message, ("branch", "one")))[0]
    assert all(ours(*each)[0] for each in (message, ("branch", "one")))


def taken_back(ours: Ours, history: str) -> State:
    """Returns what is there after `gv undo`."""
    ok, said = ours("undo")
    assert ok, f"{history}\nundo said {said}"
    return ours.state()


def alike(expected: State, found: State, history: str) -> None:
    """Passes if two states are the same."""
    for part in State.__dataclass_fields__:
        assert getattr(expected, part) == getattr(found, part), f"{part}\n{history}"


def test_what_was_decided_is_taken_back(gv: CommandLine) -> None:
    """`--abort` brings back a file that the conflict had left as it was, too, if it was edited or deleted meanwhile."""
    gv("init")
    file = gv.write("a", "one\n")
    gv("commit", "-m", "one")
    gv.write("a", "two\n")
    gv("commit", "-m", "two")
    for decide in (file.unlink, lambda: file.write_text("decided\n")):
        gv("revert", "HEAD~1", status=1)
        decide()
        gv("revert", "--abort")

        assert "two\n" == file.read_text()


def test_a_merge_of_a_tag_says_what_the_tag_says(gv: CommandLine) -> None:
    """As in git, the message of an annotated tag stands in that of the merge."""
    gv("init")
    gv.write("a", "one\n")
    gv("commit", "-m", "one")
    gv("checkout", "-b", "side")
    gv.write("a", "two\n")
    gv("commit", "-m", "two")
    gv("tag", "-a", "-m", "why", "v1")
    gv("checkout", "main")
    gv("merge", "--no-ff", "v1")

    assert "Merge tag 'v1'\n\nwhy" == gv("log", "-n", "1", "--json").jsons[0]["message"]
