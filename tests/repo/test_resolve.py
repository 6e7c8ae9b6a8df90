from __future__ import annotations

import pytest

from gvstore.errors import BadRev
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.run import Run
from gvstore.objects.tag import Tag
from gvstore.repo import Repository
from gvstore.repo.resolve import AmbiguousRev, Found, UnknownRev
from gvstore.repo.rev import Call, MalformedRev
from tests.repo.conftest import AUTHOR, NOW_US, put


@pytest.fixture
def line(repo: Repository) -> list[ObjectId]:
    """Three commits on main."""
    oids = []
    for n in range(3):
        put(repo, "prompts/a.txt", str(n))
        oids.append(repo.commit(f"commit {n}", now=NOW_US + n * 3600 * 10**6))
    return oids


def run(repo: Repository, parent: ObjectId | None = None) -> tuple[int, ObjectId]:
    """Stores a run, as a command does that moves RUN."""
    number = repo.refs.allocate_run(journal="", target="t", started_at=NOW_US, move_run=True)
    oid = Run(repo.objects.put(b"root"), "ok", NOW_US, NOW_US, message=str(number), parent=parent).put(repo.objects)
    repo.refs.finish_run(number, oid, status="ok", ended_at=NOW_US, author=AUTHOR, command="run t")
    return number, oid


def test_commits(repo: Repository, line: list[ObjectId]) -> None:
    """Branches, HEAD, oids and their abbreviations, and what lies before them."""
    first, second, third = line
    short = repo.resolver().shortest(third)
    revs = {
        third: [
            "HEAD",
            "@",
            "main",
            "heads/main",
            "refs/heads/main",
            third.hex(),
            short,
            short.upper(),
            "main^0",
            "main~0",
            "@{0}",
        ]
    }
    revs[second] = ["HEAD~1", "HEAD~", "@^", "main^1", f"{short}~", "HEAD@{1}", "@{1}", "main@{1}"]
    revs[first] = ["HEAD~2", "@^^", "@~1^", "main@{2}"]

    for oid, texts in revs.items():
        assert [(oid, Found.COMMIT)] * len(texts) == [(r.oid, r.found) for r in map(repo.resolve, texts)]
    assert ("refs/heads/main", "HEAD", "") == tuple(repo.resolve(text).ref for text in ("main", "HEAD", "main~1"))
    assert 8 <= len(short)


def test_times(repo: Repository, line: list[ObjectId]) -> None:
    """`@{...}` takes a time, and gives what the ref was then."""
    later = NOW_US + 3 * 3600 * 10**6
    for text, oid in [
        ("main@{30 minutes ago}", line[2]),
        ("main@{90 minutes ago}", line[1]),
        ("main@{2026-11-20T10:30:00Z}", line[0]),
    ]:
        assert oid == repo.resolve(text, now=later).oid
    with pytest.raises(UnknownRev, match="not there then"):
        repo.resolve("main@{yesterday}", now=later)
    with pytest.raises(MalformedRev, match="no time"):
        repo.resolve("main@{soon}")


def test_files_and_folders(repo: Repository, line: list[ObjectId]) -> None:
    """`commit:path` is a file or a folder; a name like it is offered when there is none."""
    found = repo.resolve("HEAD~1:prompts/a.txt")

    assert (Found.FILE, line[1], "prompts/a.txt") == (found.found, found.commit, found.path)
    assert found.oid is not None and b"1" == repo.objects.get(found.oid)
    assert [Found.FOLDER] * 4 == [repo.resolve(f"HEAD:{p}").found for p in ("", "prompts", "prompts/", "./prompts")]
    with pytest.raises(UnknownRev) as caught:
        repo.resolve("HEAD:prompts/b.txt")
    assert ("HEAD:prompts/a.txt",) == caught.value.near
    for text in ("HEAD:prompts/a.txt/", "HEAD:prompts/a.txt/x", "HEAD:../x"):
        with pytest.raises(UnknownRev):
            repo.resolve(text)


def test_components_and_values(repo: Repository) -> None:
    """`commit::name` is a component or named value of that commit."""
    component, value = repo.objects.put(b"component"), repo.objects.put(b"value")
    with repo.transaction("put") as transaction:
        transaction.create("refs/values/golden", value)
    repo.commit("first", components=lambda files: {"dice.roll": component}, allow_empty=True)

    assert [(Found.COMPONENT, component), (Found.VALUE, value), (Found.COMPONENT, component)] == [
        (r.found, r.oid) for r in map(repo.resolve, ("HEAD::dice.roll", "main::golden", "::dice.roll"))
    ]
    assert value == repo.resolve("golden").oid
    with pytest.raises(UnknownRev) as caught:
        repo.resolve("HEAD::dice.rol")
    assert ("HEAD::dice.roll",) == caught.value.near


def test_runs(repo: Repository) -> None:
    """Runs by number, RUN, what it was, what it was derived from, and their calls."""
    _, first = run(repo)
    _, second = run(repo, parent=first)
    revs = {
        second: ["2", "run/2", "RUN", "RUN~0", second.hex(), "refs/runs/2"],
        first: ["1", "RUN~1", "run/2~1", "RUN@{1}", "RUN^"],
    }

    for oid, texts in revs.items():
        for found in map(repo.resolve, texts):
            assert (oid, Found.RUN, oid) == (found.oid, found.found, found.run_oid)
            assert (2 if oid == second else 1) == found.run
    call = repo.resolve(":0.2/output")
    assert (Found.CALL, 2, second, Call((0, 2), part=("output",))) == (call.found, call.run, call.run_oid, call.call)
    assert Call((), "llm.chat", 3) == repo.resolve("run/1:llm.chat.3").call
    assert (1, Call()) == (repo.resolve("1:").run, repo.resolve("1:").call)
    assert (first, Call((0,))) == (repo.resolve(f"{first.hex()}:0").run_oid, repo.resolve(f"{first.hex()}:0").call)


def test_a_run_being_recorded(repo: Repository) -> None:
    """It has a number and no object yet; so do its calls."""
    number = repo.refs.allocate_run(journal="x.wal", target="t", started_at=NOW_US, move_run=True)

    assert [(Found.RUN, None, number), (Found.CALL, None, number)] == [
        (r.found, r.oid, r.run) for r in map(repo.resolve, ("RUN", ":0"))
    ]
    with pytest.raises(UnknownRev, match="still being recorded"):
        repo.resolve("RUN~1")


def test_tags(repo: Repository, line: list[ObjectId]) -> None:
    """A tag is looked through to what it names."""
    tag = Tag(line[0], "v1", AUTHOR, NOW_US, "one").put(repo.objects)
    with repo.transaction("tag v1") as transaction:
        transaction.create("refs/tags/v1", tag)
        transaction.create("refs/tags/light", line[1])

    assert [line[0], line[0], line[1]] == [repo.resolve_commit(text) for text in ("v1", "light~1", "light")]
    assert (Found.COMMIT, line[0]) == (repo.resolve("v1").found, repo.resolve("v1").oid)
    assert Found.FILE is repo.resolve("v1:prompts/a.txt").found


def test_ambiguous(repo: Repository, line: list[ObjectId]) -> None:
    """A name of two things, and a beginning of several oids, are refused; all are listed."""
    with repo.transaction("x") as transaction:
        transaction.create("refs/tags/both", line[0])
        transaction.create("refs/heads/both", line[1])
        transaction.create("refs/tags/same", line[0])
        transaction.create("refs/heads/same", line[0])
    with pytest.raises(AmbiguousRev) as caught:
        repo.resolve("both")
    assert 12 == caught.value.exit_code
    assert ["heads/both", "tags/both"] == sorted(each.split()[0] for each in caught.value.candidates)
    assert (line[0], "refs/heads/same") == (repo.resolve("same").oid, repo.resolve("same").ref)

    by_beginning: dict[str, list[ObjectId]] = {}
    n = 0
    while not (many := [k for k, v in by_beginning.items() if len(v) > 1 and not k.isdecimal()]):
        oid = repo.objects.write(b"b%d" % n)
        by_beginning.setdefault(oid.hex()[:4], []).append(oid)
        n += 1
    with pytest.raises(AmbiguousRev) as caught:
        repo.resolve(many[0])
    assert all(
        any(oid.hex().startswith(c.split()[0]) for c in caught.value.candidates) for oid in by_beginning[many[0]]
    )


def test_a_commit_among_others_is_meant(repo: Repository) -> None:
    """Where a commit is wanted, a beginning that only one commit has is that commit."""
    oid = repo.commit("first", allow_empty=True)
    n = 0
    while not (other := ObjectId.of(b"b%d" % n)).hex().startswith(oid.hex()[:4]):
        n += 1
    repo.objects.write(b"b%d" % n)
    text = oid.hex()[:4]
    if text.isdecimal():
        return  # a run's number: told otherwise

    assert other.hex()[:4] == text and oid == repo.resolve_commit(text)
    with pytest.raises(AmbiguousRev):
        repo.resolve(text)


@pytest.mark.parametrize(
    "text",
    [
        "mian",
        "origin",
        "HAED",
        "heads/mian",
        "99",
        "run/99",
        "RUN",
        "abcd1234",
        "0" * 64,
        "main~9",
        "main^2",
        "main@{9}",
        "7~1",
    ],
)
def test_unknown(repo: Repository, line: list[ObjectId], text: str) -> None:
    """What names nothing is told with exit 12, and the names like it."""
    with pytest.raises(BadRev) as caught:
        repo.resolve(text)

    assert 12 == caught.value.exit_code and caught.value.hint
    if text in ("mian", "HAED"):
        assert {"mian": "main", "HAED": "HEAD"}[text] in caught.value.hint


def test_before_the_first_commit(repo: Repository) -> None:
    """HEAD and its branch name nothing yet; the hint says how to begin."""
    for text in ("HEAD", "main", "@~1", "HEAD:a"):
        with pytest.raises(UnknownRev) as caught:
            repo.resolve(text)
        assert "gv commit" in caught.value.hint
    with pytest.raises(UnknownRev):
        repo.resolve("HEAD@{0}")


def test_what_is_no_commit(repo: Repository, line: list[ObjectId]) -> None:
    """A run, file or blob where a commit is asked for is told as what it is."""
    run(repo)
    blob = repo.objects.put(b"x")
    for text in ("run/1", "HEAD:prompts/a.txt", blob.hex()):
        with pytest.raises(UnknownRev, match="a commit was asked for"):
            repo.resolve_commit(text)
    for text in (f"{blob.hex()}~1", f"{blob.hex()}:x", "run/1::x"):
        with pytest.raises(BadRev):
            repo.resolve(text)


def test_previous_branch(repo: Repository, line: list[ObjectId]) -> None:
    """`@{-n}` is where HEAD was n checkouts ago."""
    for name in ("a", "b"):
        repo.checkout("main", create=name)

    assert ["refs/heads/a", "refs/heads/main"] == [repo.resolve(text).ref for text in ("@{-1}", "@{-2}")]
    with pytest.raises(UnknownRev):
        repo.resolve("@{-9}")


def test_generations(repo: Repository, line: list[ObjectId]) -> None:
    """A commit knows its parents, and its distance from the first."""

    commits = [Commit.get(repo.objects, oid) for oid in line]

    assert [(1, ()), (2, (line[0],)), (3, (line[1],))] == [(c.generation, c.parents) for c in commits]


def test_what_lies_behind(repo: Repository, line: list[ObjectId]) -> None:
    """`^{...}` looks through tags to a kind; without it a tag is told of beside what it was put on."""
    first, _, third = line
    tag = Tag(third, "v1", AUTHOR, NOW_US, "one").put(repo.objects)
    with repo.transaction("tag", author=AUTHOR, now=NOW_US) as transaction:
        transaction.create("refs/tags/v1", tag)
    tree = Commit.get(repo.objects, third).tree

    assert (third, tag) == (repo.resolve("v1").oid, repo.resolve("v1").tag)
    assert [third] * 3 == [repo.resolve(text).oid for text in ("v1^{}", "v1^{commit}", "v1^0")]
    assert [(tree, Found.FOLDER)] * 2 == [(r.oid, r.found) for r in map(repo.resolve, ("v1^{tree}", "HEAD^{tree}"))]
    assert (tag, tag) == (repo.resolve("v1^{tag}").tag, repo.resolve("v1^{object}").tag)
    assert first == repo.resolve("v1^{commit}~2").oid
    assert (repo.resolve("main^{tree}:prompts/a.txt").oid,) == (repo.resolve("main:prompts/a.txt").oid,)


@pytest.mark.parametrize("text", ["main^{blob}", "main^{tag}", "main^{leaf}", "main^{/none}", "main^{/a(}", ":/none", "main:prompts^{commit}"])
def test_nothing_lies_behind(repo: Repository, line: list[ObjectId], text: str) -> None:
    """What is of another kind, or has no such message, is told with exit 12."""
    with pytest.raises(BadRev) as caught:
        repo.resolve(text)

    assert 12 == caught.value.exit_code


def test_messages_are_searched(repo: Repository, line: list[ObjectId]) -> None:
    """The newest commit with the message: of all refs, or of those that lead to one; `!-` turns it around; a part of RUN is none."""
    first, second, third = line
    number, _ = run(repo)

    assert [third, first, second] == [repo.resolve(text).oid for text in (":/commit", ":/t 0$", "main~1^{/commit}")]
    assert second == repo.resolve("main^{/!-commit 2}").oid
    assert (Found.CALL, number) == (repo.resolve(":/output").found, repo.resolve(":/output").run)
