"""Executions in a notebook: a tree that is text, whatever programs recorded, and no longer than a page."""

from __future__ import annotations

from html.parser import HTMLParser

import gvstore as gv
from gvstore.journal.repository import Repository


@gv.register
def leaf(x: object) -> object:
    return x


@gv.register
def row(n: int) -> int:
    for i in range(n):
        leaf(i)
    return n


@gv.register
def rows(n: int) -> int:
    return sum(row(n) for _ in range(n))


class Balance(HTMLParser):
    """Fails unless every element that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count = 0
        self.feed(text)
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.count += 1

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def test_a_run_is_a_tree(repo: Repository) -> None:
    """Its name, its status, and its calls in each other."""
    run = gv.run(rows, 2)
    html = run._repr_html_()

    assert Balance(html).count > 7
    assert "<b>run/1</b> ok" in html and "rows(2) = 4" in html and "leaf(1) = 1" in html


def test_what_was_recorded_is_text(repo: Repository) -> None:
    """Nothing of a program's reaches the page as an element."""
    html = gv.run(leaf, "<script>alert(1)</script>").invocation._repr_html_()

    assert "<script>" not in html and "&lt;script&gt;" in html


def test_much_is_left_out(repo: Repository) -> None:
    """Of long rows and large trees the beginning is there, and what is missing is counted."""
    html = gv.run(rows, 40)._repr_html_()

    assert Balance(html).count < 1500
    assert "more of 40 calls" in html
