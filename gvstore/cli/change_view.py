"""Changed files as the options of a command ask for them: patches, counts, or names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gvstore.cli.file_diff import DiffOptions, quoted
from gvstore.cli.style import Paint
from gvstore.compare.text import Blanks

if TYPE_CHECKING:
    from gvstore.cli.file_diff import ChangedFile
    from gvstore.cli.history_options import ChangeOptions

PATCH, STAT, NAMES, STATUS, WORDS = "patch", "stat", "names", "status", "words"


def details_of(options: ChangeOptions, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Returns what is to be shown of changed files, in the order in which it stands; `default` where no option says."""
    found = []
    if options["name_only"]:
        found.append(NAMES)
    if options["name_status"]:
        found.append(STATUS)
    if options["stat"]:
        found.append(STAT)
    if options["word_diff"]:
        found.append(WORDS)
    elif options["patch"] or (options["unified"] is not None and not found):
        found.append(PATCH)
    return tuple(found) or default


def diff_options_of(options: ChangeOptions) -> DiffOptions:
    """Returns how files are compared."""
    blanks = Blanks.NONE if options["all_blanks"] else Blanks.AMOUNT if options["some_blanks"] else Blanks.COUNT
    context = 3 if options["unified"] is None else options["unified"]
    return DiffOptions(context, blanks, not options["no_renames"], options["word_diff"])


def change_lines(files: Sequence[ChangedFile], details: Sequence[str], paint: Paint) -> Iterator[str]:
    """Yields what is asked for of the files, the kinds of it apart by an empty line."""
    for number, detail in enumerate(details if files else ()):
        if number:
            yield ""
        if detail == STAT:
            from gvstore.cli.diff_stat import stat_lines

            yield from stat_lines(files, paint)
        elif detail == NAMES:
            yield from (quoted(file.path) for file in files)
        elif detail == STATUS:
            yield from (_status(file, paint) for file in files)
        else:
            for file in files:
                yield from file.patch(paint, words=detail == WORDS)


def _status(file: ChangedFile, paint: Paint) -> str:
    """Returns `M<tab>path`, of a renamed file `R100<tab>old<tab>new`."""
    letter = file.letter_of_change
    if file.old_path is None:
        return f"{paint(file.role, letter)}\t{quoted(file.path)}"
    score = 100 if file.similarity is None else file.similarity
    return f"{paint(file.role, f'{letter}{score:03}')}\t{quoted(file.old_path)}\t{quoted(file.path)}"
