"""Merges of lines of commits."""

from __future__ import annotations

import pytest

from gvstore.compare.merge3 import Favour
from gvstore.objects.tree import Mode
from gvstore.refs.names import WORK_AFTER, WORK_BEFORE
from gvstore.repo import Repository, layout
from gvstore.repo.conclude import NothingPending, Undecided, abort, continue_merge, undecided
from gvstore.repo.conflict import ConflictKind
from gvstore.repo.fault import WouldOverwrite
from gvstore.repo.files import differing, read_files
from gvstore.repo.landing import CheckoutUnfinished, HeadMoved
from gvstore.repo.merge import FastForward, MergeOptions, NotFastForward, Outcome, Unrelated
from gvstore.repo.pending import Action, BadPending, InTheMiddle, read_pending
from tests.repo.conftest import AUTHOR, NOW_US, put, seen, write
from tests.repo.merging import RECIPE, commit_at, contents, fork_line, merge

LINES = "one\ntwo\nthree\nfour\nfive\n"


def two_lines(repo: Repository, ours: dict[str, str | bytes | None], theirs: dict[str, str | bytes | None]) -> None:
    """Makes a base with `a` and `b`, and a line of each side's changes; HEAD is on main, theirs is `side`."""
    write(repo, a=LINES, b="b\n")
    repo.commit("base")
    fork_line(repo, "side")
    for name, content in theirs.items():
        put(repo, name, content)
    repo.commit("theirs", allow_empty=True)
    repo.checkout("main")
    for name, content in ours.items():
        put(repo, name, content)
    repo.commit("ours", allow_empty=True)


def test_both_edits_are_joined(repo: Repository) -> None:
    """A commit with both parents has what either side changed; unsaved edits elsewhere stay, and are in no commit."""
    two_lines(repo, {"a": LINES.replace("one", "ONE")}, {"a": LINES.replace("five", "FIVE"), "n": "new\n"})
    ours, theirs = repo.head, repo.resolve_commit("side")
    write(repo, b="unsaved\n")

    done = merge(repo, "side")

    assert Outcome.MERGED is done.outcome
    assert (ours, theirs) == commit_at(repo).parents
    assert ("Merge branch 'side'", AUTHOR, 3) == (
        commit_at(repo).message,
        commit_at(repo).author,
        commit_at(repo).generation,
    )
    joined = LINES.replace("one", "ONE").replace("five", "FIVE").encode()
    assert {"a": joined, "b": b"b\n", "n": b"new\n"} == contents(repo, repo.head)
    assert (joined.decode(), "unsaved\n") == ((repo.path / "a").read_text(), (repo.path / "b").read_text())
    assert (("b",), None) == (repo.status().modified, repo.status().pending)


def test_a_line_without_commits_of_its_own_moves_forward(repo: Repository) -> None:
    """No commit is made, unless one is asked for; a line that has all already stays."""
    two_lines(repo, {}, {"a": "theirs\n"})
    side = repo.resolve_commit("side")
    repo.checkout("main~1", create="back")
    assert (Outcome.FAST_FORWARD, side) == (merge(repo, "side", MergeOptions(FastForward.ONLY)).outcome, repo.head)
    assert "back" == repo.branch and "theirs\n" == (repo.path / "a").read_text()
    assert Outcome.UP_TO_DATE is merge(repo, "main~1").outcome
    repo.checkout("main~1", create="again")
    assert Outcome.MERGED is merge(repo, "side", MergeOptions(FastForward.NEVER)).outcome
    assert 2 == len(commit_at(repo).parents)
    assert "Merge branch 'side' into again" == commit_at(repo).message
    repo.checkout("main")
    with pytest.raises(NotFastForward):
        merge(repo, "side", MergeOptions(FastForward.ONLY))


def test_conflicts_wait_to_be_decided(repo: Repository) -> None:
    """Both versions stand in the file; the commit is refused while markers are left, and then has both parents."""
    two_lines(repo, {"a": "ours\n", "m": "<<<<<<< of a manual\n"}, {"a": "theirs\n", "n": "new\n"})
    ours, theirs = repo.head, repo.resolve_commit("side")

    done = merge(repo, "side")

    assert (Outcome.CONFLICTS, ours) == (done.outcome, repo.head)
    assert "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> side\n" == (repo.path / "a").read_text()
    assert [(ConflictKind.BOTH_MODIFIED, "a", ((1, 5),))] == [
        (c.kind, c.path, c.regions) for c in done.landed.conflicts
    ]
    with pytest.raises(Undecided, match="a:1: both modified, markers left"):
        repo.commit("")
    with pytest.raises(Undecided):
        continue_merge(repo, RECIPE)
    write(repo, a="both\n")
    assert () == repo.status().undecided
    oid = repo.commit("")
    assert ((ours, theirs), "Merge branch 'side'") == (commit_at(repo, oid).parents, commit_at(repo, oid).message)
    assert (b"both\n", b"new\n") == (contents(repo, oid)["a"], contents(repo, oid)["n"])
    assert repo.status().clean and repo.status().pending is None
    with pytest.raises(NothingPending):
        continue_merge(repo, RECIPE)


def test_continue_commits_what_the_merge_touched_and_commit_all(repo: Repository) -> None:
    """An unsaved edit of another file is in the one commit, and not in the other."""
    for concluded, expected in ((False, b"b\n"), (True, b"edited\n")):
        repo.checkout("main", create=f"line-{concluded}") if repo.head else None
        if repo.head is None:
            two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n"})
            repo.checkout("main", create="line")
        merge(repo, "side")
        write(repo, a="both\n", b="edited\n")
        repo.commit("") if concluded else continue_merge(repo, RECIPE)
        assert expected == contents(repo, repo.head)["b"]
        write(repo, b="b\n")


def test_unsaved_edits_in_the_way_are_all_told_and_nothing_is_touched(repo: Repository) -> None:
    """Edited and untracked files that the merge must write; `.gv/pending` is not there."""
    two_lines(repo, {}, {"a": "theirs\n", "n": "new\n", "b": None})
    fork_line(repo, "mine")
    write(repo, c="ours\n")
    repo.commit("ours")
    write(repo, a="unsaved\n", b="unsaved\n", n="untracked\n")
    before = seen(repo.path)

    with pytest.raises(WouldOverwrite) as caught:
        merge(repo, "side")

    assert ("a", "b", "n") == caught.value.paths
    assert (before, None) == (seen(repo.path), read_pending(repo.gv))


def test_abort_is_as_if_nothing_had_been(repo: Repository) -> None:
    """Files and HEAD are as before, edits elsewhere stay; what was decided meanwhile is kept in refs/work/before."""
    two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n", "n": "new\n", "b": None})
    (repo.path / "u").write_text("untracked")
    before, head = seen(repo.path), repo.head
    merge(repo, "side")
    write(repo, a="decided with care\n")

    abort(repo, Action.MERGE, RECIPE)

    assert (before, head) == (seen(repo.path), repo.head)
    kept = repo.refs.resolve(WORK_BEFORE)
    assert kept is not None
    assert b"decided with care\n" == b"".join(
        repo_bytes for path, repo_bytes in _tree(repo, kept).items() if path == "a"
    )
    with pytest.raises(NothingPending):
        abort(repo, Action.MERGE, RECIPE)


def _tree(repo: Repository, tree: object) -> dict[str, bytes]:
    from gvstore.objects.blob import get_blob
    from gvstore.objects.oid import ObjectId

    assert isinstance(tree, ObjectId)
    return {path: get_blob(repo.objects, entry.oid) for path, entry in read_files(repo.objects, tree).items()}


def test_a_merge_is_one_operation_that_tells_of_its_files(repo: Repository) -> None:
    """Also where somebody had to decide: refs/work/before and after differ in the files that it touched."""
    two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n", "n": "new\n"})
    count = len(repo.refs.operations())
    write(repo, b="unsaved\n")
    merge(repo, "side")
    write(repo, a="both\n")
    continue_merge(repo, RECIPE)

    before, after = repo.refs.resolve(WORK_BEFORE), repo.refs.resolve(WORK_AFTER)
    moved = differing(repo.objects, before, after)
    assert (["a", "n"], count + 1) == (list(moved), len(repo.refs.operations()))
    assert before is not None and b"ours\n" == _tree(repo, before)["a"]
    assert after is not None and b"both\n" == _tree(repo, after)["a"]


def test_other_commands_wait_for_the_end_of_a_merge(repo: Repository) -> None:
    """A merge, a checkout of a commit, and a commit of single files say what to type; files may be checked out."""
    two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n"})
    merge(repo, "side")
    for command in (
        lambda: merge(repo, "side"),
        lambda: repo.checkout("side"),
        lambda: repo.checkout("HEAD", create="x"),
    ):
        with pytest.raises(InTheMiddle, match="the merge of side is not finished"):
            command()
    with pytest.raises(Exception, match="whole work tree"):
        repo.commit("part", paths=["a"])
    repo.checkout("side", paths=["a"])
    assert () == repo.status().undecided
    assert 2 == len(commit_at(repo, repo.commit("")).parents)


def test_a_moved_head_is_not_committed_onto(repo: Repository) -> None:
    """Where HEAD moved meanwhile, --continue refuses, and --abort brings the files back and leaves HEAD."""
    two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n"})
    merge(repo, "side")
    with repo.transaction("update-ref") as transaction:
        transaction.update("refs/heads/main", repo.resolve_commit("main~1"), expected=repo.head)
    with pytest.raises(HeadMoved):
        continue_merge(repo, RECIPE)
    abort(repo, Action.MERGE, RECIPE)
    assert ("ours\n", repo.resolve_commit("side~1")) == ((repo.path / "a").read_text(), repo.head)


def test_an_unfinished_checkout_is_ended_first(repo: Repository) -> None:
    """Its files lie about: nothing is merged into them."""
    two_lines(repo, {}, {"a": "theirs\n"})
    tree = commit_at(repo).tree
    (repo.gv / layout.CHECKOUT).write_text(f"side\nunder way\n{tree.hex()}\n")
    with pytest.raises(CheckoutUnfinished):
        merge(repo, "side")


@pytest.mark.parametrize("text", [b"", b"gv pending 2\n{}", b"gv pending 1\n{", b"gv pending 1\n{}", b"\xff"])
def test_a_damaged_pending_file_is_told(repo: Repository, text: bytes) -> None:
    """Whatever stands in it: one error, that names the file."""
    (repo.gv / layout.PENDING).write_bytes(text)
    with pytest.raises(BadPending, match="pending cannot be read"):
        repo.status()


def test_what_cannot_be_shown_by_lines_is_decided_by_touching_it(repo: Repository) -> None:
    """Binary files, deletions, renames apart: each is told, and left until the file changes, or all are taken as they are."""
    two_lines(
        repo,
        {"bin": b"\0ours", "a": None, "b": "ours\n", "x": "same in both\n" * 3},
        {"bin": b"\0theirs", "a": LINES + "six\n", "b": None},
    )
    done = merge(repo, "side")

    told = {(each.kind, each.path) for each in done.landed.conflicts}
    assert {
        (ConflictKind.BOTH_ADDED, "bin"),
        (ConflictKind.DELETED_BY_US, "a"),
        (ConflictKind.DELETED_BY_THEM, "b"),
    } == told
    assert (b"\0ours", LINES + "six\n") == ((repo.path / "bin").read_bytes(), (repo.path / "a").read_text())
    pending = read_pending(repo.gv)
    assert pending is not None
    assert 3 == len(undecided(repo, pending))
    put(repo, "a", None)
    repo.checkout("side", paths=["bin"])
    assert ["b"] == [each.conflict.path for each in undecided(repo, pending)]
    oid = repo.commit("", allow_conflicts=True)
    assert {"bin": b"\0theirs", "b": b"ours\n", "x": b"same in both\n" * 3} == contents(repo, oid)


def test_renamed_files_are_followed(repo: Repository) -> None:
    """What one side changed goes to where the other moved the file, modes too; two new names are a conflict."""
    two_lines(repo, {"a": None, "moved/a": LINES}, {"a": LINES.replace("two", "2")})
    assert Outcome.MERGED is merge(repo, "side").outcome
    assert {"moved/a": LINES.replace("two", "2").encode(), "b": b"b\n"} == contents(repo, repo.head)

    fork_line(repo, "one")
    put(repo, "moved/a", None)
    put(repo, "here", LINES.replace("two", "2"))
    repo.commit("one")
    repo.checkout("HEAD~1", create="other")
    put(repo, "moved/a", None)
    put(repo, "there", LINES.replace("two", "2"))
    repo.commit("other")
    done = merge(repo, "one")
    assert [(ConflictKind.BOTH_RENAMED, "there", ("here",))] == [
        (c.kind, c.path, c.also) for c in done.landed.conflicts
    ]
    put(repo, "here", None)
    assert {"b", "there"} == contents(repo, repo.commit("")).keys()


def test_a_file_where_a_folder_is_due_gets_another_name(repo: Repository) -> None:
    """Nothing is lost: the file is `name~side`, and told."""
    two_lines(repo, {"d/x": "in a folder\n"}, {"d": "a file\n"})
    done = merge(repo, "side")
    assert [(ConflictKind.FILE_AND_FOLDER, "d~side")] == [(c.kind, c.path) for c in done.landed.conflicts]
    assert ("in a folder\n", "a file\n") == ((repo.path / "d/x").read_text(), (repo.path / "d~side").read_text())


def test_modes_and_links_are_merged_apart_from_texts(repo: Repository) -> None:
    """One side's bit and the other's edit come together; a link that both changed is a conflict."""
    two_lines(repo, {"a": LINES + "ours\n"}, {})
    (repo.path / "l").symlink_to("ours")
    repo.commit("a link")
    repo.checkout("side")
    (repo.path / "a").chmod(0o755)
    (repo.path / "l").symlink_to("theirs")
    repo.commit("a bit, and a link")
    repo.checkout("main")
    done = merge(repo, "side")
    assert [(ConflictKind.BOTH_ADDED, "l")] == [(c.kind, c.path) for c in done.landed.conflicts]
    assert 0o111 & (repo.path / "a").stat().st_mode and (LINES + "ours\n") == (repo.path / "a").read_text()
    assert Mode.EXECUTABLE == repo.files(repo.commit("", allow_conflicts=True))["a"].mode


def test_lines_merged_crosswise(repo: Repository) -> None:
    """Of two bases none is better: they are merged first, and what both decided alike is no conflict."""
    two_lines(repo, {"a": LINES.replace("one", "ONE")}, {"a": LINES.replace("five", "FIVE")})
    main, side = repo.head, repo.resolve_commit("side")
    assert main is not None
    merge(repo, "side")
    write(repo, a=(repo.path / "a").read_text().replace("ONE", "Uno"))
    repo.commit("on")
    repo.checkout("side")
    merge(repo, main.hex())
    write(repo, a=(repo.path / "a").read_text().replace("FIVE", "Cinque"))
    repo.commit("on there")

    assert 2 == len({main, side})
    assert Outcome.MERGED is merge(repo, "main").outcome
    assert "Uno\ntwo\nthree\nfour\nCinque\n" == (repo.path / "a").read_text()


def test_unrelated_lines_are_joined_on_request(repo: Repository) -> None:
    """Without a common commit nothing says what either changed."""
    from gvstore.objects.commit import Commit

    write(repo, a="a\n")
    repo.commit("here")
    other = Commit(commit_at(repo).tree, (), AUTHOR, NOW_US, "from elsewhere").put(repo.objects)
    repo.create_branch("elsewhere", other.hex())
    with pytest.raises(Unrelated):
        merge(repo, "elsewhere")
    assert Outcome.MERGED is merge(repo, "elsewhere", MergeOptions(unrelated=True)).outcome


def test_a_side_can_be_favoured_and_the_base_shown(repo: Repository) -> None:
    """-X decides each conflict; --diff3 shows what was there."""
    two_lines(repo, {"a": "ours\n", "c": b"\0o"}, {"a": "theirs\n", "c": b"\0t"})
    merge(repo, "side", MergeOptions(show_base=True))
    assert "||||||| " + repo.resolve_commit("side~1").hex()[:8] in (repo.path / "a").read_text()
    abort(repo, Action.MERGE, RECIPE)
    merge(repo, "side", MergeOptions(favour=Favour.THEIRS))
    assert {"a": b"theirs\n", "b": b"b\n", "c": b"\0t"} == contents(repo, repo.head)


def test_stopping_before_the_commit_and_squashing(repo: Repository) -> None:
    """--no-commit leaves the merge to be concluded; --squash brings the files, and the commit to come has one parent."""
    two_lines(repo, {"a": "ours\n"}, {"b": "theirs\n"})
    head = repo.head
    assert Outcome.STOPPED is merge(repo, "side", MergeOptions(commit=False)).outcome
    assert head == repo.head and repo.status().pending is not None
    abort(repo, Action.MERGE, RECIPE)
    assert Outcome.STOPPED is merge(repo, "side", MergeOptions(squash=True)).outcome
    assert (None, ("b",)) == (repo.status().pending, repo.status().modified)
    assert (head,) == commit_at(repo, repo.commit("squashed")).parents


def test_a_branch_without_commits_takes_all(tmp_path: object, repo: Repository) -> None:
    """Before the first commit a merge brings the other line's."""
    write(repo, a="a\n")
    oid = repo.commit("first")
    with repo.transaction("move away") as transaction:
        transaction.set_symbolic("HEAD", "refs/heads/new")
    (repo.path / "a").unlink()
    assert (Outcome.FAST_FORWARD, oid) == (merge(repo, "main").outcome, repo.head)
    assert "a\n" == (repo.path / "a").read_text()


def test_named_values_of_both_lines_come_together(repo: Repository) -> None:
    """A value that only theirs moved moves; one that both moved is told."""
    from gvstore.objects.value import put_value

    write(repo, a="a\n")
    one, two, three = (put_value(repo.objects, value) for value in ("one", "two", "three"))
    repo.name_value("golden", one)
    repo.name_value("other", one)
    repo.commit("base")
    fork_line(repo, "side")
    repo.name_value("golden", two)
    repo.name_value("other", two)
    repo.commit("theirs")
    repo.checkout("main")
    repo.name_value("golden", one)
    repo.name_value("other", three)
    repo.commit("ours", allow_empty=True)

    done = merge(repo, "side")

    assert ["other"] == [each.name for each in done.landed.value_conflicts]
    repo.name_value("other", one)
    oid = repo.commit("")
    assert {"golden": two, "other": one} == commit_at(repo, oid).values
    assert two == repo.refs.resolve("refs/values/golden")


def test_gc_keeps_what_an_unfinished_merge_needs(repo: Repository) -> None:
    """Everything that nothing leads to is gone at once, and the merge can still be taken back and concluded."""
    two_lines(repo, {"a": "ours\n"}, {"a": "theirs\n"})
    merge(repo, "side")
    repo.gc(prune="now", now=NOW_US + 10**15)
    (repo.path / "a").unlink()
    abort(repo, Action.MERGE, RECIPE)
    assert "ours\n" == (repo.path / "a").read_text()
