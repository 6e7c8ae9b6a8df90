"""What can go wrong with a repository and its work tree."""

from __future__ import annotations

from collections.abc import Sequence

from gvstore.errors import BadRev, Conflict, NoRepository, UsageFault, WouldLose

_SHOWN = 20


class NotARepository(NoRepository):
    """Neither the folder nor one above it is a repository."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is not in a gv repository (no .gv folder here or above)")


class FormatMissing(NoRepository):
    """A `.gv` folder holds objects and no `.gv/format`."""

    hint = "`gv init` writes it again and keeps all that is there; then run `gv fsck`."

    def __init__(self, gv: str) -> None:
        super().__init__(f"{gv} holds a repository, but its file `format` is missing")


class NewerRepository(NoRepository):
    """The repository was written by a newer gv, in a format that this one does not know."""

    hint = "Install a newer gvstore: `pip install -U gvstore`."


class BadFormat(NoRepository):
    """`.gv/format` is there and cannot be read."""

    hint = "Restore the file `.gv/format`; docs/format/repo.md tells what stands in it."


class OnNetwork(NoRepository):
    """The repository lies, or would lie, on another machine's disk, where neither locks nor shared memory hold."""

    hint = (
        "Put the .gv folder on a local disk: GV_DIR=/local/place gv init. "
        "If only one machine ever uses it: gv config --user core.network true"
    )

    def __init__(self, path: str, kind: str) -> None:
        self.path, self.kind = path, kind
        super().__init__(f"{path} is on a network file system ({kind}), where a repository may be damaged")


class BadConfig(UsageFault):
    """A configuration file, key or value that means nothing."""


class BadIgnore(UsageFault):
    """An ignore file that cannot be read."""


class BadPath(WouldLose):
    """A name in a tree that no checkout may write: it would leave the work tree, or write into `.gv` or `.git`."""

    hint = "Nothing was touched. `gv get REV:PATH -o FILE` hands out single files."

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{printable(path)} cannot be checked out: {why}")


class FileChanged(Conflict):
    """A file was written to each time it was read."""

    hint = "Wait until the program that writes it is done, or add the file to .gvignore."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{printable(path)} changes while it is read")


class UnreadableFile(WouldLose):
    """A file or folder of the work tree that cannot be read: to leave it out silently would lose it."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(
            f"{printable(path)} cannot be read: {why}",
            hint=f"Make it readable, or add this line to .gvignore:\n  {ignore_line(path)}",
        )


class WouldOverwrite(WouldLose):
    """A checkout would overwrite or delete what is saved nowhere; nothing was touched.  `paths` are all such files."""

    hint = "Commit them first (`gv commit -m ...`), or move them out of the way."

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        super().__init__("unsaved work would be overwritten:\n" + listed(self.paths))


class EditedSince(WouldOverwrite):
    """Files that would go back were edited since; nothing was done."""

    hint = "Copy them elsewhere, or move the refs alone: --keep-files."


class CannotWrite(Conflict):
    """The system refuses to write a file of the work tree, or of the settings; what was to be done stopped there."""

    hint = "Nothing is lost. When that is mended, run the command again."

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{printable(path)} cannot be written: {why}")


class NothingToCommit(UsageFault):
    """The work tree is as HEAD has it, and nothing else was to be committed: an answer, as in git, no fault of the line's."""

    exit_code = 1
    hint = "`gv commit --allow-empty` makes a commit all the same."

    def __init__(self, *, first: bool = False) -> None:
        if first:
            super().__init__("nothing to commit: there is no file here yet", hint="Make one, and run the command again.")
        else:
            super().__init__("nothing to commit: the work tree is as HEAD has it")


class NoSuchPath(BadRev):
    """A path that is neither in the work tree nor in the commit."""

    def __init__(self, path: str, *, hint: str = "") -> None:
        self.path = path
        super().__init__(f"{printable(path)} matches no file", hint=hint)


class WorktreeBusy(Conflict):
    """Another gv is changing this work tree."""

    hint = "Wait until it is done, then run the command again."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"another gv is working in {path}")


def printable(path: str) -> str:
    """Returns a path for a message: bytes that are no UTF-8, and control characters, as escapes."""
    return "".join(c if c.isprintable() else _escape(c) for c in path)


def _escape(c: str) -> str:
    if "\udc80" <= c <= "\udcff":
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode()


def listed(paths: Sequence[str]) -> str:
    """Returns paths one a line, indented; a long list is cut."""
    lines = [f"  {printable(path)}" for path in paths[:_SHOWN]]
    if len(paths) > _SHOWN:
        lines.append(f"  ... and {len(paths) - _SHOWN} more")
    return "\n".join(lines)


def ignore_line(path: str) -> str:
    """Returns the line of `.gvignore` that matches this path and no other."""
    escaped = "".join("\\" + c if c in "\\*?[]" else c for c in path)
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\ "
    return "/" + escaped
