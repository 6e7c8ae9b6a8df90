"""Which paths a model's answer may name: relative, downwards, and a file on every system. Pure.

What is refused, each by its name (`KINDS`), is refused on every system alike:
an answer that is written on Linux today is replayed on Windows tomorrow, and
`a\\..\\..\\x` is one name here and a way out there.
"""

from __future__ import annotations

import unicodedata

from gvstore.pipeline.refusal import Refusal

KINDS = (
    "empty", "absolute", "drive", "backslash", "outside", "nul", "control", "not_text", "reserved", "too_long", "too_deep",
    "clash", "symlink", "not_a_folder", "not_a_file", "too_large",
)  # fmt: skip
MAX_NAME_BYTES = 200  # 255 on most disks, with room for what editors and ours put before it
MAX_PATH_BYTES = 900  # 1024 on macOS, the folder itself included
MAX_DEPTH = 32

_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"})
_PORTS = frozenset("0123456789¹²³")
_NEVER = frozenset('<>:"|?*')
_OURS = frozenset({".git", ".gv", "git~1", "gv~1"})
TEMPORARY = ".gv-tmp-"


def path_refusal(path: str) -> Refusal | None:
    """Returns why no answer may write to `path`, or None: what can be known without looking at a disk."""
    fault = _whole_fault(path)
    names = [] if fault else path.split("/")
    if len(names) > MAX_DEPTH:
        fault = "too_deep", f"it lies more than {MAX_DEPTH} folders deep"
    for name in names:
        fault = fault or _name_fault(name)
    return Refusal(path, *fault) if fault else None


def folded(path: str) -> str:
    """Returns what two paths share that a file system without upper case, or one that composes accents, takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def composed(name: str) -> str:
    """Returns a name with its accents composed: some file systems hand it back decomposed."""
    return unicodedata.normalize("NFC", name)


def clashes(paths: list[str]) -> list[Refusal]:
    """Returns a refusal for each of these paths that is another one in other letters, or lies in one that is a file."""
    first: dict[str, str] = {}  # folded path of a file or folder -> as it is spelled
    files = {folded(path): path for path in reversed(paths)}
    found = []
    for path in paths:
        names = path.split("/")
        for end in range(1, len(names) + 1):
            part = "/".join(names[:end])
            key = folded(part)
            spelled = first.setdefault(key, part)
            if spelled != part:
                found.append(Refusal(path, "clash", f"{part} and {spelled} are one on some file systems"))
                break
            if end < len(names) and key in files:
                found.append(Refusal(path, "clash", f"{part} is a file of the same answer"))
                break
    return found


def _whole_fault(path: str) -> tuple[str, str] | None:
    if not path.strip():
        return "empty", "it is empty"
    if "\0" in path:
        return "nul", "it has a NUL byte in it"
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        return "not_text", "it is no text that UTF-8 can write"
    if path.startswith("/"):
        return "absolute", "it begins at the root"
    if path[0] == "~" and (len(path) == 1 or path[1] in "/\\"):
        return "absolute", "it begins at the home folder"
    if len(path) > 1 and path[1] == ":" and path[0].isalpha():
        return "drive", "it begins with a drive"
    if "\\" in path:
        return "backslash", "it has a backslash in it"
    if size > MAX_PATH_BYTES:
        return "too_long", f"it has more than {MAX_PATH_BYTES} bytes"
    return None


def _name_fault(name: str) -> tuple[str, str] | None:
    if name == "..":
        return "outside", "it leads out of the working folder"
    if name in ("", "."):
        return "empty", "a name in it is empty"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in name):
        return "control", "it has a character in it that nobody sees"
    if bad := next((c for c in name if c in _NEVER), None):
        return "reserved", f"it has {bad} in it, which Windows does not allow"
    if name[-1] in ". " or name[0] == " ":
        return "reserved", "a name in it begins with a blank, or ends with a blank or a dot"
    if len(name.encode()) > MAX_NAME_BYTES:
        return "too_long", f"a name in it has more than {MAX_NAME_BYTES} bytes"
    plain = folded(name)
    stem = plain.split(".")[0].rstrip()
    if stem in _DEVICES or (stem[:-1] in ("com", "lpt") and stem[-1] in _PORTS):
        return "reserved", f"{name} is a device on Windows"
    if plain in _OURS or plain.startswith(TEMPORARY):
        return "reserved", f"{name} belongs to gv or git"
    return None
