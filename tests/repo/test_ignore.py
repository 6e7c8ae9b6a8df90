from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.repo import Repository
from gvstore.repo.fault import ignore_line
from gvstore.repo.scan import deciding_rule, scan
from gvstore.repo.wildmatch import Patterns, parse_patterns
from tests.repo.conftest import put


def found(repo: Repository) -> list[str]:
    return list(scan(repo.path, repo.gv).files)


@pytest.mark.parametrize(
    "path",
    [
        *[
            ".git/config",
            "a/.git/config",
            ".hg/x",
            "__pycache__/a.pyc",
            "a/b.pyc",
            ".venv/bin/python",
            "venv/x",
            "x.egg-info/PKG",
        ],
        *[
            "node_modules/x",
            ".mypy_cache/x",
            ".pytest_cache/x",
            ".ruff_cache/x",
            ".hypothesis/x",
            ".tox/x",
            ".DS_Store",
            "a/.GIT/x",
        ],
        *["a/.gv/x", ".Gv./x", "a/.ipynb_checkpoints/x", ".git"],
    ],
)
def test_built_in(repo: Repository, path: str) -> None:
    """Environments, caches and other version control are not looked at."""
    put(repo, path, "x")
    put(repo, "kept", "x")

    assert ["kept"] == found(repo)


def test_an_environment_by_its_mark(repo: Repository) -> None:
    """A folder with pyvenv.cfg is an environment, whatever it is called; the root never is."""
    put(repo, "my env/pyvenv.cfg", "x")
    put(repo, "my env/lib/a.py", "x")
    put(repo, "pyvenv.cfg", "x")

    assert ["pyvenv.cfg"] == found(repo)


def test_who_decides(repo: Repository) -> None:
    """`.gvignore` wins over `.gitignore`, the nearer over the farther, both over what is built in; `.gv` and `.git` are never taken."""
    put(repo, ".gitignore", "*.log\n/data/\nsub/x\n")
    put(repo, ".gvignore", "!kept.log\nbig\n!node_modules\n!.git\n!.gv\n")
    put(repo, "sub/.gitignore", "!c.log\n!big\n!x\n")
    for path in (
        "a.log",
        "kept.log",
        "data/x",
        "big",
        "sub/c.log",
        "sub/big",
        "sub/x",
        "node_modules/x",
        ".git/x",
        "sub/data/x",
    ):
        put(repo, path, "x")

    assert [
        ".gitignore",
        ".gvignore",
        "kept.log",
        "node_modules/x",
        "sub/.gitignore",
        "sub/c.log",
        "sub/data/x",
        "sub/x",
    ] == found(repo)


@pytest.mark.parametrize(
    "name", ["a b", "tr ail ", "#x", "!x", "a*b", "a[b]c", "a?b", "back\\slash", "é", "-x", "\udcff"]
)
def test_the_named_line_matches(repo: Repository, name: str) -> None:
    """The line that an error names for `.gvignore` leaves out this file, and no other."""
    put(repo, f"sub/{name}", "x")
    put(repo, "sub/other", "x")
    put(repo, name, "x")
    (repo.path / ".gvignore").write_bytes((ignore_line(f"sub/{name}") + "\n").encode("utf-8", "surrogateescape"))

    assert sorted([".gvignore", name, "sub/other"]) == found(repo)


def test_strange_ignore_files(repo: Repository, tmp_path: Path) -> None:
    """Lines that are no pattern are passed over, a symlink is not read, CRLF and a byte order mark do no harm."""
    (repo.path / ".gvignore").write_bytes(b"\xef\xbb\xbfone\r\n[\n[z-a]\n[[a]\n\n# two\n/\n\xff\n\\\nthree  \r\n")
    outside = tmp_path / "outside"
    outside.write_text("two\n")
    (repo.path / ".gitignore").symlink_to(outside)
    for name in ("one", "two", "three"):
        put(repo, name, "x")

    assert [".gitignore", ".gvignore", "two"] == found(repo)


WORDS = st.sampled_from(["a", "b", "ab", "c.py", "d"])
PATHS = st.lists(st.lists(WORDS, min_size=1, max_size=3).map("/".join), min_size=1, max_size=12)
PARTS = st.sampled_from(["a", "b", "ab", "*", "*", "**", "?", "*.py", "[ab]", "d", "a*", "[!a]"])
LINES = st.builds(
    lambda negate, start, parts, end: negate + start + "/".join(parts) + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=PATHS, lines=st.lists(LINES, max_size=5))
def test_as_git_does(tmp_path_factory: pytest.TempPathFactory, paths: list[str], lines: list[str]) -> None:
    """The files that a .gitignore leaves are those that git finds."""
    root = tmp_path_factory.mktemp("w")
    for path in paths:
        file = root / path
        if not any(parent.is_file() for parent in file.parents) and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x")
    (root / ".gitignore").write_text("\n".join(lines) + "\n")
    listed = _git(tmp_path_factory, root, "ls-files", "--others", "--exclude-standard", "-z")

    assert sorted(filter(None, listed.split("\0"))) == list(scan(root, root / ".gv").files), lines


# What is read twice over in git's source: classes, escapes, blanks and returns at the end, bytes of a character, stars in a row.
TWISTED_NAMES = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "A",
        "aXb",
        "a b",
        "a ",
        " a",
        "é",
        "a*b",
        "[a]",
        "#h",
        "!n",
        "a\\b",
        "1",
        "-",
        "a]b",
        "a-c",
        "^",
        "c.py",
    ]
)
TWISTED_PARTS = st.one_of(
    st.text("ab*?[]!^-\\ /.é#:", max_size=6),
    st.sampled_from(
        [
            "**",
            "a**",
            "**b",
            "a**b",
            "***",
            "[a-c]",
            "[!a]",
            "[^a]",
            "[]a]",
            "[!]a]",
            "[]-]",
            "[a\\-c]",
            "[\\]a]",
            "[--0]",
        ]
    ),
    st.sampled_from(
        [
            "[[:alpha:]]",
            "[![:upper:]]",
            "[[:digit:]-]",
            "[[:nope:]]",
            "[[:a]",
            "[a",
            "[c-a]",
            "\\*",
            "\\",
            "a\\ ",
            "[/]",
        ]
    ),
)
TWISTED = st.builds(
    lambda negate, start, parts, end: negate + start + "/".join(parts) + end,
    st.sampled_from(["", "", "!", "\\!", "\\#"]),
    st.sampled_from(["", "", "/"]),
    st.lists(TWISTED_PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " ", "  ", "\\ ", "/ ", "\r", "\t"]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    paths=st.lists(st.lists(TWISTED_NAMES, min_size=1, max_size=3).map("/".join), min_size=8, max_size=20),
    files=st.dictionaries(
        st.sampled_from(["", "a/", "b/", "a/b/"]), st.lists(TWISTED, min_size=1, max_size=4), min_size=1
    ),
)
def test_to_the_byte_as_git_does(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], files: dict[str, list[str]]
) -> None:
    """Whatever stands in ignore files, nested ones too: the same files are left, by the same line."""
    root = tmp_path_factory.mktemp("w")
    for path in paths:
        file = root / path
        if not any(parent.is_file() for parent in file.parents) and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x")
    for folder, lines in files.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_bytes("\n".join(lines).encode())
    listed = _git(tmp_path_factory, root, "ls-files", "--others", "--exclude-standard", "-z")
    assert sorted(filter(None, listed.split("\0"))) == list(scan(root, root / ".gv").files), files

    asked = sorted({path for path in paths if (root / path).exists()})
    said = _git(
        tmp_path_factory, root, "check-ignore", "--no-index", "-v", "-n", "-z", "--stdin", stdin="\0".join(asked)
    )
    fields = said.split("\0")
    by_git = [(file, line, path) for file, line, _, path in zip(*[iter(fields[:-1])] * 4, strict=True)]
    rules = [(deciding_rule(root, path, folder=False), path) for path in asked]
    assert by_git == [("", "", path) if rule is None else (rule.file, str(rule.line), path) for rule, path in rules]


def test_many_patterns_are_asked_as_one() -> None:
    """The last line that matches decides, whichever way it is found."""
    patterns = Patterns(parse_patterns(b"a\n*.log\n!a.log\n/x/*.log\n!/x/b\nb/\n"))

    def line(path: str, *, folder: bool = False) -> int:
        found = patterns.last_match(path, path.rpartition("/")[2], folder=folder)
        return found.line if found else 0

    assert [1, 2, 3, 4, 5, 0, 6, 0] == [
        line("a"), line("q/b.log"), line("a.log"), line("x/a.log"), line("x/b"), line("b"), line("b", folder=True), line("c"),
    ]  # fmt: skip


def _git(factory: pytest.TempPathFactory, root: Path, *words: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", *words],
        cwd=root, env={"GIT_DIR": str(_empty_git(factory)), "GIT_WORK_TREE": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True, check=False, text=True, input=stdin,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def _empty_git(factory: pytest.TempPathFactory) -> Path:
    path = factory.getbasetemp() / "empty.git"
    if not path.exists():
        subprocess.run(["git", "init", "-q", "--bare", path], check=True)
        subprocess.run(["git", "-C", path, "config", "core.bare", "false"], check=True)
    return path
