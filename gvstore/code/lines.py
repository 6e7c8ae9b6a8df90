"""Which names a line of a module binds or changes, when the module is imported."""

from __future__ import annotations

from gvstore.code.module import UNPARSABLE, ModuleText


def names_at(text: ModuleText, line: int) -> list[str]:
    """Returns the module-level names that the statements at a line bind or change, sorted; none where it cannot be told."""
    found = set()
    try:
        for name, (numbers, is_stated, *_) in text.facts.names.items():
            sites = [text.sites[number] for number in numbers]
            if any(site.first_line <= line <= site.last_line for site in sites) or (
                is_stated
                and any(each.lineno <= line <= (each.end_lineno or each.lineno) for each in text.facts.statements(f"={name}"))
            ):
                found.add(name)
    except UNPARSABLE:
        return []
    return sorted(found)
