from __future__ import annotations

import random
import string

import pytest

from gvstore.repo import Repository
from gvstore.repo.secrets import Swallowed, key_in, key_in_pieces
from tests.repo.conftest import put, write

_LETTERS = string.ascii_letters + string.digits


def _random(n: int, alphabet: str = _LETTERS) -> str:
    """The same n characters each time: no real key stands in this file."""
    return "".join(random.Random(n).choices(alphabet, k=n))


KEYS = {
    "aws": "AKIA" + _random(16, string.ascii_uppercase + string.digits),
    "aws secret": "aws_secret_access_key = " + _random(40),
    "openai old": "sk-" + _random(48),
    "openai": "sk-proj-" + _random(60),
    "anthropic": "sk-ant-api03-" + _random(90),
    "github": "ghp_" + _random(36),
    "github fine": "github_pat_" + _random(82),
    "slack": "xoxb-" + _random(12, string.digits) + "-" + _random(24),
    "google": "AIza" + _random(35),
    "hugging face": "hf_" + _random(34),
    "private": "-----BEGIN RSA PRIVATE KEY-----\n" + _random(64) + "\n",
    "ssh": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + _random(64) + "\n",
    "pgp": "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + _random(64) + "\n",
    "json": '"-----BEGIN PRIVATE KEY-----\\n' + _random(64) + '\\n"',
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_keys_are_seen(key: str) -> None:
    """A provider's key is seen wherever it stands, also across two pieces of a long file."""
    text = f"x = 1\nkey = '{key}'\n".encode()

    assert key_in("a.py", text)
    for cut in range(0, len(text), 7):
        assert key_in_pieces("a.py", [b"y" * 9000, text[:cut], text[cut:]])


@pytest.mark.parametrize(
    "text",
    [
        *[
            "sk-circle-fade-dot-animation-delay",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIA",
            "task-force-of-twenty-people-here",
        ],
        *[
            "-----BEGIN PUBLIC KEY-----\nMIIB",
            're.compile("-----BEGIN (RSA )?PRIVATE KEY-----")',
            "ghp_...",
            "disk-partitions-and-more-of-these",
        ],
    ],
)
def test_what_only_looks_so(text: str) -> None:
    """Words of code and manuals are no keys."""

    assert key_in("a.py", text.encode()) is None


@pytest.mark.parametrize(
    ("name", "text", "stops"),
    [
        (".env", "API_KEY=abc", True),
        ("deep/.env.local", "export DB_HOST='x'", True),
        (".env", "# nothing\nEMPTY=\n", False),
        (".env.example", "API_KEY=abc", False),
        ("prod.env", "PORT=80", False),
        ("prod.env", "PORT=80\nDB_PASSWORD=x", True),
        ("env.py", "API_KEY=abc", False),
    ],
)
def test_env_files(repo: Repository, name: str, text: str, stops: bool) -> None:
    """Files of settings stop when they set something; samples of them do not."""

    assert stops == bool(key_in(name, text.encode()))


def test_a_commit_stops_at_keys_and_large_files(repo: Repository) -> None:
    """All are listed with their lines for `.gvignore`; nothing of theirs is stored; the lines, or the flags, let it pass."""
    put(repo, "deep/.env", "API_KEY=abc\n")
    write(repo, a_py=KEYS["github"], fine="x")
    with (repo.path / "large").open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(Swallowed) as caught:
        repo.commit("first")

    assert 13 == caught.value.exit_code
    assert ["a.py", "deep/.env", "large"] == sorted(stop.path for stop in caught.value.stops)
    assert "60 MB" in str(caught.value) and "--allow-large --allow-secret" in caught.value.hint
    assert all(f"  /{path}\n" in caught.value.hint for path in ("a.py", "deep/.env", "large"))
    assert not any(b"API_KEY" in repo.objects.read(oid) or b"ghp_" in repo.objects.read(oid) for oid in repo.objects)
    lines = [line.strip() for line in caught.value.hint.splitlines() if line.startswith("  /")]
    write(repo, _gvignore="\n".join(lines))
    assert {".gvignore", "fine"} == set(repo.files(repo.commit("first")))


def test_flags_let_it_pass_once(repo: Repository) -> None:
    """What was allowed and has not changed does not stop the next commit; a change of it does."""
    write(repo, _env="API_KEY=abc\n")
    repo.config.set("commit.large", 1000)
    write(repo, large=b"x" * 2000)
    with pytest.raises(Swallowed, match="large"):
        repo.commit("first", allow_secret=True)
    repo.commit("first", allow_secret=True, allow_large=True)
    (repo.gv / "cache" / "stat").unlink(missing_ok=True)
    write(repo, other="x")
    repo.commit("second")
    write(repo, _env="API_KEY=abcd\n", large=b"y" * 2000)
    with pytest.raises(Swallowed) as caught:
        repo.commit("third")

    assert [".env", "large"] == sorted(stop.path for stop in caught.value.stops)


def test_status_does_not_teach_the_cache_to_let_keys_pass(repo: Repository) -> None:
    """A file that was hashed by status, or whose content is stored for another reason, is looked through all the same."""
    write(repo, _env="API_KEY=abc\n")
    repo.objects.put(b"API_KEY=abc\n")
    for _ in range(3):
        repo.status()
        with pytest.raises(Swallowed):
            repo.commit("first")


def test_long_files_are_looked_through(repo: Repository) -> None:
    """A key in the middle of 20 MB is found, in little memory; the same content without it comes back whole."""
    filler = (_random(997) + "\n").encode() * 10_000
    write(repo, a=filler + KEYS["openai"].encode() + filler)
    with pytest.raises(Swallowed):
        repo.commit("first")
    repo.commit("first", allow_secret=True)
    write(repo, a=filler + filler)
    repo.commit("second")
    assert filler + filler == repo.objects.get(repo.head_files()["a"].oid)
