"""Cherry-pick and revert of commits."""

from __future__ import annotations

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.repo import Repository
from gvstore.repo.conclude import NothingPending, Undecided, abort
from gvstore.repo.fault import WouldOverwrite
from gvstore.repo.pending import Action, InTheMiddle, PickWords, State, read_pending
from gvstore.repo.pick import NoMainline, Picked, carry_on, pick
from tests.repo.conftest import NOW_US, seen, write
from tests.repo.merging import RECIPE, commit_at, contents, fork_line, merge

PICK, REVERT, PLAIN = Action.CHERRY_PICK, Action.REVERT, PickWords()


def do(repo: Repository, action: Action, *revs: str, words: PickWords = PLAIN, message: str = "") -> Picked:
    """Picks or reverts what revs name."""
    return pick(repo, action, [repo.resolve_commit(rev) for rev in revs], words, RECIPE, message=message)


@pytest.fixture
def lines(repo: Repository) -> Repository:
    """Three commits on `side` beside one on main; the second of them meets main's in file a."""
    write(repo, a="1\n2\n3\n", b="b\n")
    repo.commit("base")
    fork_line(repo, "side")
    write(repo, n="new\n")
    repo.commit("side 1", author="Grace", now=NOW_US - 10**9)
    write(repo, a="1\ntwo\n3\n")
    repo.commit("side 2", author="Grace")
    write(repo, b="side\n")
    repo.commit("side 3", author="Grace")
    repo.checkout("main")
    write(repo, a="1\n2 here\n3\n")
    repo.commit("main")
    return repo


def test_a_pick_makes_the_change_once_more(lines: Repository) -> None:
    """With the message, author and time of the commit; unsaved edits of other files stay."""
    head = lines.head
    write(lines, b="unsaved\n")
    done = do(lines, PICK, "side~2")

    assert (lines.head, lines.resolve_commit("side~2")) == (done.made[0][1], done.made[0][0])
    made = commit_at(lines)
    assert ((head,), "side 1", "Grace", NOW_US - 10**9) == (made.parents, made.message, made.author, made.created_at)
    assert {"a": b"1\n2 here\n3\n", "b": b"b\n", "n": b"new\n"} == contents(lines, lines.head)
    assert "unsaved\n" == (lines.path / "b").read_text()
    assert None is read_pending(lines.gv)


def test_picking_onto_the_same_parent_gives_the_same_commit(lines: Repository) -> None:
    """A commit is what it says: the same tree, parents, author, time and message."""
    oid = lines.resolve_commit("side~2")
    lines.checkout("main~1", create="here")
    assert oid == do(lines, PICK, oid.hex()).made[0][1] == lines.head


def test_a_revert_takes_a_change_back(lines: Repository) -> None:
    """Wherever the commit stands; its message says which, and a revert of that reapplies it."""
    lines.checkout("side")
    do(lines, REVERT, "side~1")
    oid = lines.resolve_commit("side~2")
    assert f'Revert "side 2"\n\nThis reverts commit {oid.hex()}.' == commit_at(lines).message
    assert {"a": b"1\n2\n3\n", "b": b"side\n", "n": b"new\n"} == contents(lines, lines.head)
    do(lines, REVERT, "HEAD")
    assert 'Reapply "side 2"' == commit_at(lines).message.partition("\n")[0]
    assert b"1\ntwo\n3\n" == contents(lines, lines.head)["a"]
    do(lines, REVERT, "HEAD", "HEAD~2", "HEAD~4")
    assert {"a": b"1\n2\n3\n", "b": b"b\n"}.items() <= contents(lines, lines.head).items()


def test_several_are_one_operation(lines: Repository) -> None:
    """Without a conflict the work tree and the branch move once."""
    count = len(lines.refs.operations())
    done = do(lines, PICK, "side~2", "side")
    assert (2, count + 1) == (len(done.made), len(lines.refs.operations()))
    assert ["side 3", "side 1"] == [entry.commit.message for entry in lines.log(limit=2)]
    assert "side\n" == (lines.path / "b").read_text()


def stopped(repo: Repository) -> tuple[Picked, ObjectId | None]:
    """Picks all three: the first is made, the second has a conflict."""
    head = repo.head
    return do(repo, PICK, "side~2", "side~1", "side"), head


def test_a_sequence_goes_on_after_a_conflict(lines: Repository) -> None:
    """The commits before it are made; --continue makes it and those after it."""
    done, head = stopped(lines)
    assert (1, lines.resolve_commit("side~1")) == (len(done.made), done.stopped_at)
    pending = lines.status().pending
    assert pending is not None and (State.WAITING, head, 1) == (pending.state, pending.started, len(pending.todo))
    with pytest.raises(Undecided):
        carry_on(lines, PICK, RECIPE)
    with pytest.raises(InTheMiddle):
        do(lines, PICK, "side")
    write(lines, a="1\nboth\n3\n")

    done = carry_on(lines, PICK, RECIPE)

    assert (2, None) == (len(done.made), done.stopped_at)
    assert ["side 3", "side 2", "side 1", "main"] == [entry.commit.message for entry in lines.log(limit=4)]
    assert "Grace" == commit_at(lines, lines.resolve_commit("HEAD~1")).author
    assert (True, None) == (lines.status().clean, lines.status().pending)
    with pytest.raises(NothingPending):
        carry_on(lines, PICK, RECIPE)


def test_a_commit_concludes_one_and_leaves_the_rest(lines: Repository) -> None:
    """`gv commit` makes the one in conflict; --continue goes on with the next."""
    stopped(lines)
    write(lines, a="1\nboth\n3\n")
    lines.commit("")
    pending = lines.status().pending
    assert ("side 2", State.BETWEEN) == (commit_at(lines).message, pending.state if pending else None)
    assert 1 == len(carry_on(lines, PICK, RECIPE).made)
    assert ("side 3", None) == (commit_at(lines).message, lines.status().pending)


def test_a_commit_can_be_skipped(lines: Repository) -> None:
    """The files are as before it, and the next one is picked."""
    stopped(lines)
    write(lines, a="edited\n")
    carry_on(lines, PICK, RECIPE, skip=True)
    assert ["side 3", "side 1", "main"] == [entry.commit.message for entry in lines.log(limit=3)]
    assert "1\n2 here\n3\n" == (lines.path / "a").read_text()
    assert (True, None) == (lines.status().clean, lines.status().pending)


def test_abort_takes_all_of_it_back(lines: Repository) -> None:
    """Commits that were made already, too; the branch is where it began, and edits elsewhere stay."""
    (lines.path / "u").write_text("untracked")
    before = seen(lines.path)
    _, head = stopped(lines)
    assert head != lines.head
    abort(lines, PICK, RECIPE)
    assert (before, head, None) == (seen(lines.path), lines.head, read_pending(lines.gv))

    stopped(lines)
    write(lines, a="1\nboth\n3\n")
    lines.commit("")
    abort(lines, PICK, RECIPE)
    assert (before, head) == (seen(lines.path), lines.head)


def test_what_changes_nothing_is_left_out(lines: Repository) -> None:
    """It is told; --allow-empty makes a commit all the same."""
    do(lines, PICK, "side~2")
    head = lines.head
    done = do(lines, PICK, "side~2")
    assert ((lines.resolve_commit("side~2"),), head) == (done.dropped, lines.head)
    assert 1 == len(do(lines, PICK, "side~2", words=PickWords(allow_empty=True)).made)


def test_merges_need_a_mainline(lines: Repository) -> None:
    """Compared with the parent that is named; commits with one parent have none to choose."""
    lines.checkout("main~1", create="other")
    write(lines, o="o\n")
    lines.commit("other")
    merge(lines, "side~2")
    with pytest.raises(NoMainline, match="merge of 2 lines"):
        do(lines, REVERT, "HEAD")
    do(lines, REVERT, "HEAD", words=PickWords(mainline=1))
    assert {"a", "b", "o"} == contents(lines, lines.head).keys()
    assert "reversing\nchanges made to " in commit_at(lines).message
    with pytest.raises(NoMainline, match="no merge"):
        do(lines, PICK, "side", words=PickWords(mainline=1))


def test_words_of_picks(lines: Repository) -> None:
    """-x names the commit, a message stands for its own, -X decides, -n changes the files alone."""
    do(lines, PICK, "side~2", words=PickWords(name_source=True))
    oid = lines.resolve_commit("side~2").hex()
    assert f"side 1\n\n(cherry picked from commit {oid})" == commit_at(lines).message
    do(lines, PICK, "side", message="mine")
    assert "mine" == commit_at(lines).message
    do(lines, PICK, "side~1", words=PickWords(favour="theirs"))
    assert b"1\ntwo\n3\n" == contents(lines, lines.head)["a"]
    head = lines.head
    do(lines, REVERT, "HEAD", "HEAD~1", words=PickWords(no_commit=True))
    assert (head, ("a", "b"), None) == (lines.head, lines.status().modified, lines.status().pending)


def test_a_conflict_without_commits(lines: Repository) -> None:
    """-n stops at a conflict too, and goes on when it is decided."""
    head = lines.head
    do(lines, PICK, "side~1", "side", words=PickWords(no_commit=True))
    assert 1 == len(lines.status().undecided)
    write(lines, a="1\nboth\n3\n")
    carry_on(lines, PICK, RECIPE)
    assert (head, ("a", "b"), None) == (lines.head, lines.status().modified, lines.status().pending)
    assert ("1\nboth\n3\n", "side\n") == ((lines.path / "a").read_text(), (lines.path / "b").read_text())


def test_unsaved_edits_in_the_way_stop_it_before_it_begins(lines: Repository) -> None:
    """All are told, nothing is touched."""
    write(lines, b="unsaved\n", n="untracked\n")
    before, head = seen(lines.path), lines.head
    with pytest.raises(WouldOverwrite) as caught:
        do(lines, PICK, "side~2", "side")
    assert (("b", "n"), before, head) == (caught.value.paths, seen(lines.path), lines.head)
    assert None is read_pending(lines.gv)
