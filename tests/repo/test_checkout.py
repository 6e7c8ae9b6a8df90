from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.objects import number
from gvstore.objects.commit import Commit
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import FieldWriter
from gvstore.objects.run import Run
from gvstore.objects.sequence import ItemList
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.objects.wire import array, link_bytes, pack
from gvstore.refs import RefExists
from gvstore.repo import Repository
from gvstore.repo.checkout import Known, Mark, carry_out, plan, read_mark
from gvstore.repo.fault import BadPath, NoSuchPath, WouldOverwrite
from gvstore.repo.files import write_tree
from gvstore.repo.switch import NoCode
from tests.repo.conftest import AUTHOR, NOW_US, Seen, put, seen, write

# Worlds: what a work tree may hold.  Names are few, so that files, folders and links take each other's place.
NAMES = st.sampled_from([b"a", b"b", b"c d", b"\xff"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
ENTRIES = st.one_of(
    st.tuples(st.sampled_from(["file", "exec"]), st.binary(max_size=3)),
    st.tuples(st.just("link"), st.sampled_from([b"a", b"../..", b"/etc", b"b/c d"])),
)
WORLDS = st.dictionaries(PATHS, ENTRIES, max_size=6).map(
    lambda world: {p: e for p, e in world.items() if not any(q.startswith(p + b"/") for q in world)}
)


def build(root: Path, world: Seen) -> None:
    """Lets the work tree hold exactly this."""
    for child in root.iterdir():
        if child.name != ".gv":
            shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
    for name, (kind, content) in world.items():
        path = Path(os.fsdecode(os.path.join(os.fsencode(root), name)))  # noqa: PTH118
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to(os.fsdecode(content))
        else:
            path.write_bytes(content)
            path.chmod(0o755 if kind == "exec" else 0o644)


def folders(root: Path) -> set[str]:
    return {
        str(p.relative_to(root)) for p in root.rglob("*") if p.is_dir() and not p.is_symlink() and ".gv" not in p.parts
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=WORLDS, second=WORLDS)
def test_there_and_back(empty: Path, tmp_path_factory: pytest.TempPathFactory, first: Seen, second: Seen) -> None:
    """From any work tree to any other and back: exactly the bytes, names, links and bits, and no folder too many."""
    root = tmp_path_factory.mktemp("w") / "work"
    with Repository.open(shutil.copytree(empty, root)) as repo:
        build(root, first)
        one, kept = repo.commit("first", allow_empty=True), folders(root)
        build(root, second)
        repo.commit("second", allow_empty=True)
        repo.checkout(one.hex())
        assert first == seen(root) and kept == folders(root)
        assert repo.status().clean
        repo.checkout("main")
        assert second == seen(root)
        assert repo.status().clean and "main" == repo.branch


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=WORLDS, second=WORLDS, mine=WORLDS)
def test_nothing_unsaved_is_lost(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, first: Seen, second: Seen, mine: Seen
) -> None:
    """Whatever lies in the work tree, a checkout either refuses and touches nothing, or all that is gone is in HEAD or the target."""
    root = tmp_path_factory.mktemp("w") / "work"
    with Repository.open(shutil.copytree(empty, root)) as repo:
        build(root, second)
        two = repo.commit("second", allow_empty=True)
        build(root, first)
        one = repo.commit("first", allow_empty=True)
        build(root, mine)
        try:
            repo.checkout(two.hex())
        except WouldOverwrite as e:
            assert mine == seen(root) and one == repo.head
            assert e.paths and all(os.fsencode(path) in mine for path in e.paths)
            return
        after = seen(root)
        assert all(mine[path] in (after.get(path), first.get(path)) for path in mine)
        changed = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
        assert all(after.get(path) == second.get(path) for path in changed if path in second)
        assert two == repo.head


def two_commits(repo: Repository) -> tuple[ObjectId, ObjectId]:
    """Two commits that differ in a changed, a new and a gone file, and a file that became a folder."""
    write(repo, same="s", changed="1", gone="g", d="file")
    first = repo.commit("first")
    write(repo, changed="2", gone=None, d=None, new="n", d__x="in a folder")
    return first, repo.commit("second")


def test_conflicts_are_all_told_and_nothing_is_touched(repo: Repository) -> None:
    """Edited, untracked and ignored files in the way are listed, all of them; the work tree and HEAD stay."""
    first, _ = two_commits(repo)
    write(repo, changed="edited", gone="untracked", d__more="untracked", same="edited too", _gvignore="gone\n")
    before = seen(repo.path)
    with pytest.raises(WouldOverwrite) as caught:
        repo.checkout(first.hex())

    assert (13, ("changed", "d/more", "gone")) == (caught.value.exit_code, caught.value.paths)
    assert all(f"  {path}\n" in str(caught.value) + "\n" for path in caught.value.paths)
    assert (before, "main") == (seen(repo.path), repo.branch)
    assert read_mark(repo.gv) is None


def test_edits_elsewhere_are_carried_along(repo: Repository) -> None:
    """What is the same in both commits may be edited; untracked files stay."""
    first, _ = two_commits(repo)
    write(repo, same="edited", mine="m")
    repo.checkout(first.hex())

    assert {b"same": ("file", b"edited"), b"mine": ("file", b"m")}.items() <= seen(repo.path).items()
    assert (("same",), ("mine",)) == (repo.status().modified, repo.status().added)


def test_what_is_there_already_is_no_conflict(repo: Repository) -> None:
    """A file that holds what is to be written is left alone; so is one that is gone and is to go."""
    first, _ = two_commits(repo)
    write(repo, changed="1", gone="g", new=None)
    kept = (repo.path / "changed").stat().st_ino

    assert ("d",) == repo.checkout(first.hex()).written
    assert kept == (repo.path / "changed").stat().st_ino


def test_branches_and_detached(repo: Repository) -> None:
    """A branch is gone onto, a commit leaves HEAD detached, `create` makes a branch there; `@{-1}` is where one was."""
    first, second = two_commits(repo)
    repo.create_branch("side", first.hex())

    assert "side" == repo.checkout("side").branch == repo.branch
    assert repo.checkout("main~1").branch is None and repo.branch is None
    assert "third" == repo.checkout("main", create="third").branch
    assert second == repo.refs.resolve("refs/heads/third")
    assert repo.checkout("main", detach=True).branch is None
    repo.checkout("side")
    repo.checkout("main")
    assert "side" == repo.checkout("@{-1}").branch
    with pytest.raises(RefExists):
        repo.checkout("main", create="third")
    assert "side" == repo.branch
    write(repo, more="m")
    third = repo.commit("on side")
    assert [third, first] == [entry.oid for entry in repo.log("side")]


def test_detached_commits_move_head(repo: Repository) -> None:
    """A commit on a detached HEAD moves HEAD alone; its reflog finds it again."""
    first, second = two_commits(repo)
    repo.checkout(first.hex())
    write(repo, more="m")
    third = repo.commit("beside")
    repo.checkout("main")

    assert (second, third) == (repo.head, repo.resolve("HEAD@{1}").oid)
    assert (first,) == Commit.get(repo.objects, third).parents


def test_paths(repo: Repository) -> None:
    """Single files and folders are brought; HEAD stays, nothing else is touched or deleted, edits are not overwritten."""
    first, second = two_commits(repo)
    assert ("changed", "gone") == repo.checkout(first.hex(), paths=["changed", "gone"]).written
    assert (b"1", b"g") == ((repo.path / "changed").read_bytes(), (repo.path / "gone").read_bytes())
    assert (second, "main") == (repo.head, repo.branch)
    with pytest.raises(NoSuchPath):
        repo.checkout(first.hex(), paths=["none"])
    write(repo, changed="edited")
    with pytest.raises(WouldOverwrite, match="changed"):
        repo.checkout("HEAD", paths=["changed"])


def record(repo: Repository, code: ObjectId | None, base: ObjectId | None) -> int:
    """Stores a run, and returns its number."""
    root = repo.objects.put(b"root")
    oid = Run(root, "ok", NOW_US, NOW_US, code=code, base=base).put(repo.objects)
    number = repo.refs.allocate_run(journal="", target="t", started_at=NOW_US)
    repo.refs.finish_run(number, oid, status="ok", ended_at=NOW_US, author=AUTHOR, command="run t")
    return number


def test_code_of_a_run(repo: Repository) -> None:
    """`gv checkout run/1` brings the run's code, HEAD to its base, RUN to the run; `gv checkout main` brings all back."""
    write(repo, a="1", b="1")
    base = repo.commit("first")
    write(repo, a="used", made_by_hand="used")
    number = record(repo, repo.snapshot_code(["a", "made.by.hand"], base=base).tree, base)
    write(repo, a="3", made_by_hand=None, c="3")
    second = repo.commit("second")
    done = repo.checkout(f"run/{number}")

    assert ((base, None, number), ("a", "made.by.hand")) == ((done.commit, done.branch, done.run), done.written)
    assert {b"a": b"used", b"b": b"1", b"c": b"3", b"made.by.hand": b"used"} == {
        p: e[1] for p, e in seen(repo.path).items()
    }
    assert (base, number) == (repo.head, repo.refs.current_run())
    status = repo.status()
    assert status.mark is not None and ("run/1", True) == (status.mark.label, status.mark.done)
    repo.checkout("main")
    assert {b"a": b"3", b"b": b"1", b"c": b"3"} == {p: e[1] for p, e in seen(repo.path).items()}
    assert (second, None, True) == (repo.head, read_mark(repo.gv), repo.status().clean)


def test_code_of_runs_one_after_the_other(repo: Repository) -> None:
    """From run to run: what is overwritten is saved in the run before; an edit is not, and stops."""
    write(repo, a="1")
    base = repo.commit("first")
    numbers = []
    for text in ("2", "3"):
        write(repo, a=text)
        numbers.append(record(repo, repo.snapshot_code(["a"], base=base).tree, base))
    write(repo, a="1")
    for at, content in [(1, b"2"), (2, b"3"), (1, b"2")]:
        repo.checkout(f"run/{at}")
        assert content == (repo.path / "a").read_bytes()
    write(repo, a="edited")
    for rev in ("run/1", "run/2", "main"):
        with pytest.raises(WouldOverwrite):
            repo.checkout(rev)
    write(repo, a="3")
    repo.checkout("main")
    assert b"1" == (repo.path / "a").read_bytes()


def test_runs_without_code_or_base(repo: Repository) -> None:
    """A run that kept no code is told; one without a base leaves HEAD where it is."""
    write(repo, a="1")
    repo.commit("first")
    with pytest.raises(NoCode):
        repo.checkout(f"run/{record(repo, None, None)}")
    number = record(repo, repo.snapshot_code(["a"]).tree, ObjectId.of(b"collected"))

    assert "main" == repo.checkout(str(number)).branch == repo.branch


def put_unchecked(repo: Repository, entries: dict[str, TreeEntry]) -> ObjectId:
    """A tree as somebody else could have written it: `Tree.put` refuses such names."""
    items = ItemList(repo.objects, number.DICT)
    for name in sorted(entries):
        entry = entries[name]
        link = array([pack(number.TUPLE), pack(int(entry.mode)), link_bytes(entry.oid)])
        items.add(Encoder(repo.objects).nested(name) + link)
    return FieldWriter(repo.objects, Kind.TREE, number.TREE).raw(items.finish()).put()


@pytest.mark.parametrize(
    "name",
    [
        *["..", ".", ".gv", ".GV", ".git", ".Git", ".g\u200cit", ".git ", ".git.", "GIT~1", ".gv::$INDEX_ALLOCATION"],
        *["\ud800", "\udcc3\udca9", "a\0b"],
    ],
)
def test_hostile_names_are_refused(repo: Repository, name: str) -> None:
    """A tree from elsewhere that would write outside, or into `.gv` or `.git`, is refused before anything is touched."""
    write(repo, a="1")
    repo.commit("first")
    blob = repo.objects.put(b"evil")
    deep = put_unchecked(repo, {name: TreeEntry(Mode.FILE, blob)})
    trees = [put_unchecked(repo, {"a": TreeEntry(Mode.FILE, blob), name: TreeEntry(Mode.FILE, blob)})]
    trees.append(put_unchecked(repo, {"aa": TreeEntry(Mode.FOLDER, deep)}))
    config = put_unchecked(repo, {"config": TreeEntry(Mode.FILE, blob)})
    trees.append(put_unchecked(repo, {name: TreeEntry(Mode.FOLDER, config)}))
    before = seen(repo.path), sorted(repo.path.parent.iterdir()), (repo.gv / "format").read_bytes()
    for tree in trees:
        evil = Commit(tree, (), AUTHOR, NOW_US, "evil").put(repo.objects)
        with pytest.raises((BadPath, CorruptObject)):
            repo.checkout(evil.hex())

    assert before == (seen(repo.path), sorted(repo.path.parent.iterdir()), (repo.gv / "format").read_bytes())


def test_names_with_slashes_are_corrupt(repo: Repository) -> None:
    """`../../x` as one name is no path of ours."""
    blob = repo.objects.put(b"evil")
    tree = put_unchecked(repo, {"../../x": TreeEntry(Mode.FILE, blob)})
    evil = Commit(tree, (), AUTHOR, NOW_US, "evil").put(repo.objects)
    with pytest.raises(CorruptObject):
        repo.checkout(evil.hex())


def test_symlinks_lead_nobody_out(repo: Repository, tmp_path: Path) -> None:
    """A tracked link to a folder outside that becomes a folder, and a user's own link in the way: outside nothing changes."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("theirs")
    (repo.path / "d").symlink_to(outside)
    first = repo.commit("a link")
    (repo.path / "d").unlink()
    write(repo, d__x="mine", d__y="mine")
    second = repo.commit("a folder")
    repo.checkout(first.hex())
    repo.checkout(second.hex())

    assert (b"mine", "theirs") == ((repo.path / "d/x").read_bytes(), (outside / "x").read_text())
    shutil.rmtree(repo.path / "d")
    (repo.path / "d").symlink_to(tmp_path)  # untracked, and points elsewhere
    with pytest.raises(WouldOverwrite, match="d"):
        repo.checkout(first.hex(), paths=["d"])
    (repo.path / "d").unlink()
    (repo.path / "d").symlink_to(outside)
    repo.checkout(first.hex())
    assert ["x"] == [p.name for p in outside.iterdir()]


def test_deleting_does_not_follow_a_link(repo: Repository, tmp_path: Path) -> None:
    """When a folder was replaced by a link, what is to be deleted in it is not deleted behind the link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("same")
    write(repo, a="1")
    first = repo.commit("first")
    write(repo, d__x="same")
    repo.commit("second")
    shutil.rmtree(repo.path / "d")
    (repo.path / "d").symlink_to(outside)
    repo.checkout(first.hex())

    assert "same" == (outside / "x").read_text()
    assert (repo.path / "d").is_symlink()


def test_a_link_without_target_is_refused(repo: Repository) -> None:
    """A symlink to nothing, or with a NUL byte, cannot be made: told, not a traceback."""
    for target in (b"", b"a\0b", b"x" * 5000):
        tree = write_tree(repo.objects, {"l": TreeEntry(Mode.SYMLINK, repo.objects.put(target))})
        evil = Commit(tree, (), AUTHOR, NOW_US, "evil").put(repo.objects)
        with pytest.raises(BadPath):
            repo.checkout(evil.hex())


def _killed(repo: Repository, rev: str, renames: int) -> bool:
    """Runs a checkout in a child process that dies at its n-th rename of a file; returns whether it died."""
    child = os.fork()
    if child == 0:
        left, rename = [renames], os.rename

        def dying(*args: object, **options: object) -> None:
            if not left[0]:
                os._exit(9)
            left[0] -= 1
            rename(*args, **options)  # type: ignore[arg-type]

        os.rename = dying
        try:
            repo.checkout(rev)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("back", [False, True])
def test_a_killed_checkout_can_be_finished_or_taken_back(repo: Repository, back: bool) -> None:
    """Killed before any of its writes, a checkout leaves whole files; status tells; again, or back, and all is exact."""
    first, second = two_commits(repo)
    wanted = {second: seen(repo.path)}
    repo.checkout(first.hex())
    wanted[first] = seen(repo.path)
    for renames in range(10):
        died = _killed(repo, second.hex(), renames)
        if died:
            mark = repo.status().mark
            assert isinstance(mark, Mark) and not mark.done
            assert first == repo.head
            repo.checkout((first if back else second).hex())
            assert wanted[first if back else second] == seen(repo.path)
            assert repo.status().clean and repo.status().mark is None
        assert [] == [p for p in (repo.gv / "tmp").iterdir() if died and not p.name.startswith("checkout-")]
        repo.checkout(first.hex())
        if not died:
            break
    else:
        pytest.fail("never came to an end")


def test_folders_that_become_empty_go(repo: Repository) -> None:
    """As in git: a folder that lost its last file goes, one with an untracked file stays."""
    write(repo, a="1")
    first = repo.commit("first")
    write(repo, d__e__x="1", f__x="1")
    repo.commit("second")
    put(repo, "f/mine", "m")
    repo.checkout(first.hex())

    assert (False, True) == ((repo.path / "d").exists(), (repo.path / "f/mine").exists())


def test_a_file_changed_between_judging_and_writing(repo: Repository) -> None:
    """An edit made while the checkout is under way is not overwritten."""
    first, _ = two_commits(repo)
    todo = plan(repo.worktree, repo.files(first), known=Known(repo.head_files()), delete=True)
    write(repo, changed="a moment ago")
    with pytest.raises(WouldOverwrite, match="changed"):
        carry_out(repo.worktree, repo.objects, todo)

    assert b"a moment ago" == (repo.path / "changed").read_bytes()
