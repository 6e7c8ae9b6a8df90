"""The stops: what a commit must not swallow unasked.

Files of more bytes than `commit.large` (50 MB), told by their size and never
read, and files with key-like content.  The patterns are those of well-known
providers; looking is cheap, for a pattern is tried only where its fixed
beginning occurs.  A commit that stops names every such file, and the
lines for `.gvignore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from gvstore.errors import WouldLose
from gvstore.repo.fault import ignore_line, printable

LARGE_BYTES = 50_000_000
OVERLAP_BYTES = 4096  # no pattern needs more: pieces of a long file overlap by this much

_TOKENS: tuple[tuple[str, tuple[bytes, ...], bytes], ...] = (
    (
        "a private key",
        (b"-----BEGIN ",),
        rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|[\s\"',+])*(?:[A-Za-z-]+: [^\n]{0,200}\s+){0,5}"
        rb"[A-Za-z0-9+/=]{16}",
    ),
    ("an AWS access key", (b"AKIA", b"ASIA"), rb"(?<![A-Za-z0-9])A[KS]IA([0-9A-Z]{16})(?![A-Za-z0-9])"),
    ("an AWS secret key", (b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY"),
     rb"(?i:aws_secret_access_key)[\"']?\s{0,8}[:=]\s{0,8}[\"']?([A-Za-z0-9/+]{40})"),
    ("an Anthropic key", (b"sk-ant-",), rb"sk-ant-([A-Za-z0-9_-]{16,})"),
    ("an OpenAI key", (b"sk-",),
     rb"(?<![A-Za-z0-9_-])sk-(?:(?:proj|svcacct|admin|None|or-v1)-([A-Za-z0-9_-]{16,})|(?=[a-z-]*[A-Z0-9])([A-Za-z0-9]{20,}))"),
    ("a GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"),
     rb"(?<![A-Za-z0-9])(?:gh[pousr]_([A-Za-z0-9]{30,})|github_pat_([A-Za-z0-9_]{22,}))"),
    ("a GitLab token", (b"glpat-",), rb"glpat-([A-Za-z0-9_-]{20,})"),
    ("a Slack token", (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xapp-", b"hooks.slack.com/services/T"),
     rb"(?:xox[abprs]|xapp)-([A-Za-z0-9-]{10,})|hooks\.slack\.com/services/(T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]+)"),
    ("a Google key", (b"AIza", b"GOCSPX-"), rb"AIza([0-9A-Za-z_-]{35})|GOCSPX-([A-Za-z0-9_-]{20,})"),
    ("a Hugging Face token", (b"hf_",), rb"(?<![A-Za-z0-9_])hf_([A-Za-z0-9]{30,})"),
    ("a Stripe key", (b"sk_live_", b"rk_live_"), rb"[sr]k_live_([A-Za-z0-9]{16,})"),
    ("a PyPI token", (b"pypi-AgEI",), rb"pypi-AgEI([A-Za-z0-9_-]{50,})"),
)  # fmt: skip


@cache
def _token_patterns() -> tuple[tuple[str, tuple[bytes, ...], re.Pattern[bytes]], ...]:
    return tuple((what, starts, re.compile(pattern)) for what, starts, pattern in _TOKENS)


_PRIVATE_END = re.compile(rb"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")

_SAMPLE_ENDINGS = (".example", ".sample", ".template", ".dist", ".defaults", ".md")
_SETTING = re.compile(rb"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*[\"']?[^\s\"'#]")
_KEY_LIKE = re.compile(rb"(?i)key|token|secret|passw|pwd|credential|private|auth|_url$|_uri$|dsn")
_LEAST_DIFFERENT = 5  # characters: "xxxxxxxxxxxx" in a manual is no key


@dataclass(frozen=True, slots=True)
class Stop:
    """A file that stops a commit, and why; `forgotten` is the name of its content if that was."""

    path: str
    why: str
    large: bool
    forgotten: str = ""


class Swallowed(WouldLose):
    """Files that a commit would swallow: too large, with key-like content, or forgotten.  `stops` are all of them."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self.stops = tuple(stops)
        flags = [
            flag
            for flag, large in (("--allow-large", True), ("--allow-secret", False))
            if any(s.large == large and not s.forgotten for s in stops)
        ]
        ways = [f"or pass {' '.join(flags)} to take them all the same."] if flags else []
        gone = " ".join(dict.fromkeys(s.forgotten[:8] for s in stops if s.forgotten))
        ways += [f"or let what was forgotten come back: `gv forget --allow {gone}`."] if gone else []
        lines = "\n".join(f"  {printable(ignore_line(s.path))}" for s in stops)
        super().__init__(
            "these files should hardly be committed:\n" + "\n".join(f"  {printable(s.path)}  {s.why}" for s in stops),
            hint="\n".join([f"Add to .gvignore:\n{lines}", *ways]),
        )


def key_in(path: str, data: bytes) -> str | None:
    """Returns what kind of key `data`, the content of the file `path` or a piece of it, seems to hold, or None."""
    for what, _, _ in key_spans(data):
        return what
    return _env_file(path, data)


def key_spans(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yields (what kind of key, where it begins, where it ends) for each key of a provider in `data`."""
    for what, starts, pattern in _token_patterns():
        if any(start in data for start in starts):
            for found in pattern.finditer(data):
                tail = next(filter(None, found.groups()), found.group())
                if len(set(tail)) >= _LEAST_DIFFERENT:
                    yield what, found.start(), _key_end(data, found)


def _key_end(data: bytes, found: re.Match[bytes]) -> int:
    """Returns where a key ends: a private one behind its last line, for the pattern knows its first."""
    if not found.group().startswith(b"-----BEGIN"):
        return found.end()
    last = _PRIVATE_END.search(data, found.end())
    return last.end() if last else len(data)


def key_in_pieces(path: str, pieces: Iterable[bytes]) -> str | None:
    """Returns the same of a long file, piece by piece; a key across two pieces is seen."""
    last = b""
    for piece in pieces:
        found = key_in(path, last + piece)
        if found:
            return found
        last = piece[-OVERLAP_BYTES:]
    return None


def _env_file(path: str, data: bytes) -> str | None:
    name = path.rpartition("/")[2].lower()
    plain = name == ".env" or (name.startswith(".env.") and not name.endswith(_SAMPLE_ENDINGS))
    if not plain and not name.endswith(".env"):
        return None
    for found in _SETTING.finditer(data):
        if plain or _KEY_LIKE.search(found.group(1)):
            return f"sets {found.group(1).decode()}"
    return None


def too_large(size: int, limit: int = LARGE_BYTES) -> str | None:
    """Returns how large a file is, if that is more than `limit` bytes."""
    return f"{size / 1e6:,.0f} MB" if size > limit else None
