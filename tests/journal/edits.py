"""A little project with a component for each way in which code leads to code, and edits of it.

Every edit names the components whose recorded answers no longer hold, each
with the reason that a replay tells; all others hold.  `main` calls them all,
and reaches whole classes, and what module-level names are bound to.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.journal.edited import KINDS, TOOLS

FILES = {
    "steps.py": '''
import asyncio
import functools
from dataclasses import dataclass, field
from pathlib import Path

import gvstore as gv
import kinds
import only
import rules as laws
import settings
import tools as tooling
from helpers import clean, late as later
from pkg.deep import down
from registry import TABLE, lookup
from settings import LIMIT
from stars import *
from tables import named
from tools import TOOLS

try:
    import pydantic
except ImportError:
    pydantic = None


def loud(times):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args) * times
        return inner
    return wrap


def bare(function):
    def hidden(*args):
        return function(*args) + "."
    return hidden


@gv.register
def body(text: str, times: int = 2) -> str:
    """Says it again."""
    # in a loop
    found = ""
    for _ in range(times):
        found += text + "!"
    return found


@gv.register
def helped(text):
    return clean(text)


@gv.register
def limited(text):
    return text[:LIMIT]


@gv.register
def by_attribute(text):
    return text[: settings.WIDTH]


@gv.register
def looked_up(text):
    return lookup("short")(text)


@gv.register
def in_table(text):
    return TABLE["tone"] + text


@gv.register
def aliased(text):
    return laws.check(text)


@gv.register
def renamed(text):
    return later(text)


@gv.register
def starred(text):
    return joined(text)


@gv.register
def packaged(text):
    return down(text)


@gv.register
@loud(2)
def decorated(text):
    return text


@gv.register
@bare
def barely(text):
    return text


@gv.register
def matched(text):
    match len(text):
        case 0:
            return "empty"
        case _:
            return "full"


@gv.register
def formatted(text):
    return f"<{text}>"


@gv.register
def comprehended(text):
    return [each for each in text if each not in "aeiou"]


@gv.register
def lambdas(text):
    one, two = (lambda x: x + "1"), (lambda x: x + "2")
    return one(text) + two(text)


@gv.register
def nested(text):
    def inside(x):
        return x[::-1]
    return inside(text)


@gv.register
async def waited(text):
    return await kinds.soon(text)


@gv.register
def generated(text):
    yield from kinds.pieces(text)


@gv.register
def with_class(text):
    return kinds.Square(3).describe() + text


@gv.register
def with_property(text):
    return kinds.Options().wide


@gv.register
def with_options(text):
    return kinds.Options(width=3)(text)


@gv.register
def with_nested_class(text):
    return kinds.Options.Inner.depth


@gv.register
def with_enum(text):
    return kinds.Mode.SOFT.value


@gv.register
def with_condition(text):
    return kinds.conditional(text)


@gv.register
def with_model(text):
    return kinds.Answer(text=text).text if kinds.Answer else text


@gv.register
def circular(text):
    return kinds.around(text)


class Agent:
    tone = "calm"

    def helper(self, text):
        return self.tone + text

    def unused(self):
        return 0

    @gv.register
    def act(self, text):
        return self.helper(text)


@gv.register
class Ask(gv.Invokable):
    tone: str = "calm"

    def __init__(self, tone="calm"):
        self.tone = tone

    def call(self, text):
        return f"{self.tone}: {text}"


def make(n):
    @gv.register
    def made(text):
        return text * n
    return made


made = make(settings.TIMES)
twice, thrice = gv.register(lambda x: x * 2), gv.register(lambda x: x * 3)


def unused(text):
    return text


@gv.register
def prompted(text):
    return Path("prompts/ask.txt").read_text() + text


@gv.register
def asked_otherwise(text):
    with open("prompts/other.txt") as file:
        return file.read() + text


@gv.register
def in_names(text):
    return named(text)


@gv.register
def given(text, by):
    return by.say(text)


@gv.register
def summarised(text):
    """Summarise {text}."""
    return summarised.__doc__.format(text=text)


@gv.register
def described(text):
    return tooling.describe() + text


@gv.register
@tooling.shown
def shown(text):
    """Shows a text."""
    return text


@gv.register
def schemed(text):
    return kinds.Plan.__doc__ + text


@gv.register
def dispatched(name, text):
    return TOOLS[name](text)


@gv.register
def routed(text):
    return tooling.APP.routes["/"](text)


@gv.register
def hooked(text):
    return "".join(hook(text) for hook in tooling.HOOKS)


@gv.register
@tooling.tool
def registered(text):
    """Is put beside the others."""
    return text


@gv.register
def main(text: str = "otter"):
    dispatched("double", text)
    given(text, only.maker())
    calls = [
        body, helped, limited, by_attribute, looked_up, in_table, aliased, renamed, starred, packaged, decorated, barely,
        matched, formatted, comprehended, lambdas, nested, with_class, with_property, with_options, with_nested_class,
        with_enum, with_condition, with_model, circular, Agent().act, Ask(), made, twice, thrice,
        prompted, asked_otherwise, in_names, summarised, described, shown, schemed, routed, hooked,
    ]
    found = [str(call(text)) for call in calls]
    return found + [asyncio.run(waited(text)), "".join(generated(text))]
''',
    "helpers.py": '''
from lower import strip


def clean(text):
    """Cleans."""
    return strip(text).lower()


def late(text):
    return text + "late"
''',
    "lower.py": '''
MARKS = ".,"


def strip(text):
    for mark in MARKS:
        text = text.replace(mark, "")
    return again(text, 3)


def again(text, n):
    return strip(text) if n > 100 else text
''',
    "tools.py": TOOLS,
    "only.py": """
class Only:
    def say(self, text):
        return text + "?"


def maker():
    return Only()
""",
    "tables.py": """
import json
from pathlib import Path

NAMES = json.loads(Path(__file__).with_name("names.json").read_text())
OTHERS = Path("others.txt").read_text()


def named(text):
    return NAMES.get(text, text)
""",
    "names.json": '{"otter": "Lutra"}',
    "others.txt": "nobody reaches this name of the module",
    "prompts/ask.txt": "Ask: ",
    "prompts/other.txt": "Ask otherwise: ",
    "settings.py": "LIMIT = 10\nWIDTH = 20\nTIMES = 3\nUNUSED = 1\n",
    "registry.py": '''
import helpers


def short(text):
    return text[:3]


def long(text):
    return text * 2


RULES = {"short": short, "long": long}
TABLE = {"tone": "calm", "form": "brief"}
CALLED = []
CALLED.append(helpers.late)


def lookup(name):
    return RULES[name]
''',
    "rules.py": "def check(text):\n    return len(text) > 3\n",
    "stars.py": 'def joined(text):\n    return "-".join(text)\n\n\ndef apart(text):\n    return text.split("-")\n',
    "pkg/__init__.py": "",
    "pkg/deep.py": "from .deeper import bottom\n\n\ndef down(text):\n    return bottom(text)\n",
    "pkg/deeper.py": 'def bottom(text):\n    return text + "_"\n',
    "kinds.py": KINDS,
    "orbit.py": '''
import kinds


def back(text, n):
    return kinds.around(text, n - 1) if n else text
''',
}  # fmt: skip


class Edit(NamedTuple):
    """One edit: a file, what is replaced by what, and per component that no longer holds the reason."""

    name: str
    path: str
    before: str
    after: str
    stale: dict[str, str]


def _own(name: str) -> dict[str, str]:
    return {name: f"steps.{name} changed"}


def _reach(name: str, what: str) -> dict[str, str]:
    return {name: f"steps.{name}: {what} changed"}


def _docs(name: str, what: str) -> dict[str, str]:
    return {name: f"steps.{name}: docstring of {what} changed"}


_OPTIONS = ("with_property", "with_options", "with_nested_class")


def _options(unit: str = "kinds.Options") -> dict[str, str]:
    down = ", 2 levels down," if unit != "kinds.Options" else ""
    return {name: f"steps.{name}: {unit}{down} changed" for name in _OPTIONS}


EDITS = [
    # reference: executions.md 4.1
    Edit("nothing, in another folder", "steps.py", "", "", {}),
    Edit("a comment", "steps.py", "# in a loop", "# as often", {}),
    Edit("layout", "steps.py", "    return clean(text)", "    return clean(\n        text\n    )", {}),
    Edit("a docstring", "steps.py", "Says it again.", "Repeats it.", {}),
    Edit("the body", "steps.py", "found += text", "found = text + found", _own("body")),
    Edit("a constant in the body", "steps.py", 'text + "!"', 'text + "?"', _own("body")),
    Edit("a default argument", "steps.py", "times: int = 2", "times: int = 3", _own("body")),
    Edit("a helper", "helpers.py", "strip(text).lower()", "strip(text).upper()", _reach("helped", "helper helpers.clean()")),
    Edit("a helper two levels down", "lower.py", 'replace(mark, "")', 'replace(mark, "_")',
         _reach("helped", "helper lower.strip(), 2 levels down,")),
    Edit("a global constant", "settings.py", "LIMIT = 10", "LIMIT = 11", _reach("limited", "settings.LIMIT")),
    Edit("a global dict", "registry.py", '"tone": "calm"', '"tone": "loud"', _reach("in_table", "registry.TABLE")),
    Edit("a class's method", "kinds.py", "self.side ** 2", "self.side * 4", _reach("with_class", "kinds.Square")),
    Edit("a field's default", "kinds.py", "width: int = 80", "width: int = 79", _options()),
    Edit("a closure's value", "settings.py", "TIMES = 3", "TIMES = 4", {
        "make.<locals>.made": "what steps.make.<locals>.made reaches, or closes over, changed",
        "main": "steps.main: settings.TIMES, 2 levels down, changed"}),
    Edit("a function of another module", "rules.py", "len(text) > 3", "len(text) > 4", _reach("aliased", "helper rules.check()")),
    # the issue's own
    Edit("a nested class", "kinds.py", "depth = 3", "depth = 4", _options()),
    Edit("a property", "kinds.py", "self.width > 100", "self.width > 90", _options()),
    Edit("a decorator's argument", "steps.py", "@loud(2)", "@loud(3)", _own("decorated")),
    Edit("an import alias", "steps.py", "import rules as laws", "import stars as laws\nlaws.check = laws.apart",
         {"aliased": "steps.aliased: helper rules.check() is gone"}),
    Edit("a star import", "stars.py", '"-".join', '"+".join', _reach("starred", "helper stars.joined()")),
    Edit("a registry's literal", "registry.py", '"short": short', '"short": long', _reach("looked_up", "registry.RULES, 2 levels down,")),
    Edit("a match statement", "steps.py", "case 0:", "case 1:", _own("matched")),
    Edit("a constant of an f-string", "steps.py", 'f"<{text}>"', 'f"[{text}>"', _own("formatted")),
    Edit("a default factory", "kinds.py", 'return ["x"]', 'return ["y"]', {
        name: f"steps.{name}: helper kinds.names(), 2 levels down, changed" for name in _OPTIONS}),
    Edit("the annotation of a dataclass's field", "kinds.py", 'tone: str = "calm"', 'tone: bytes = "calm"', _options()),
    Edit("a comprehension", "steps.py", 'if each not in "aeiou"', 'if each in "aeiou"', _own("comprehended")),
    Edit("a conditional definition", "kinds.py", 'text + "b"', 'text + "c"', _reach("with_condition", "helper kinds.conditional()")),
    Edit("its condition", "kinds.py", "math.pi > 3", "math.pi < 3", _reach("with_condition", "kinds.conditional")),
    Edit("__call__", "kinds.py", "text[: self.width]", "text[1 : self.width]", _options()),
    Edit("a mixin", "kinds.py", "self.name.upper()", "self.name.lower()", _reach("with_class", "kinds.Loudness, 3 levels down,")),
    Edit("an enum member", "kinds.py", "SOFT = 1", "SOFT = 3", _reach("with_enum", "kinds.Mode")),
    Edit("a class used only through an argument", "only.py", 'text + "?"', 'text + "!"', {
        "given": "steps.given: class only.Only, in its arguments, changed", "main": "steps.main: only.Only, 2 levels down, changed"}),
    Edit("a prompt file", "prompts/ask.txt", "Ask", "Say", {"prompted": "steps.prompted: file prompts/ask.txt changed"}),
    Edit("another prompt file", "prompts/other.txt", "wise", " ", {
        "asked_otherwise": "steps.asked_otherwise: file prompts/other.txt changed"}),
    Edit("a file read at import", "names.json", "Lutra", "Otter", {
        "in_names": "steps.in_names: file names.json, read when tables is imported, changed"}),
    # docstrings that are used
    Edit("a docstring that is a prompt", "steps.py", "Summarise {text}.", "Shorten {text}.", _own("summarised")),
    Edit("a docstring that a helper asks for", "tools.py", "A tool for the model.", "A tool for you.", _docs("described", "tools.documented()")),
    Edit("a docstring that a decorator takes", "steps.py", "Shows a text.", "Shows text.", _own("shown")),
    Edit("a dataclass's docstring that is a schema's text", "kinds.py", "Goals and steps.", "A goal.", _docs("schemed", "kinds.Plan")),
    Edit("a pydantic model's docstring", "kinds.py", "What was answered.", "What it said.", _reach("with_model", "kinds.Answer")),
    # registries that their module fills
    Edit("a function that a decorator registers", "tools.py", "text * 2", "text * 4", _reach("dispatched", "helper tools.double()")),
    Edit("a function that an object's decorator registers", "tools.py", '"index"', '"page"', _reach("routed", "helper tools.index()")),
    Edit("a function that a call registers", "tools.py", '"after"', '"later"', _reach("hooked", "helper tools.after(), 2 levels down,")),
    # more
    Edit("a helper's docstring", "helpers.py", "Cleans.", "Makes clean.", {}),
    Edit("a class's docstring", "kinds.py", "A square.", "Four sides.", {}),
    Edit("a function that nobody calls", "steps.py", "def unused(text):\n    return text", "def unused(text):\n    return -text", {}),
    Edit("a constant that nobody uses", "settings.py", "UNUSED = 1", "UNUSED = 2", {}),
    Edit("the other name of a star import", "stars.py", 'text.split("-")', 'text.split("+")', {}),
    Edit("one in a cycle", "lower.py", "n > 100", "n > 50", _reach("helped", "helper lower.again(), 3 levels down,")),
    Edit("a global of a helper's module", "lower.py", 'MARKS = ".,"', 'MARKS = ".,;"', _reach("helped", "lower.MARKS, 3 levels down,")),
    Edit("a constant asked of its module", "settings.py", "WIDTH = 20", "WIDTH = 21", _reach("by_attribute", "settings.WIDTH")),
    Edit("a function in a registry", "registry.py", "text[:3]", "text[:4]", _reach("looked_up", "helper registry.short(), 3 levels down,")),
    Edit("an imported name's origin", "helpers.py", 'text + "late"', 'text + "later"', _reach("renamed", "helper helpers.late()")),
    Edit("a relative import of a package", "pkg/deeper.py", 'text + "_"', 'text + "__"', _reach("packaged", "helper pkg.deeper.bottom(), 2 levels down,")),
    Edit("a decorator that keeps the name", "steps.py", "function(*args) * times", "function(*args) + times", _reach("decorated", "helper steps.loud()")),
    Edit("a decorator that hides the function", "steps.py", 'function(*args) + "."', 'function(*args) + ":"', _reach("barely", "helper steps.bare()")),
    Edit("a function that a decorator hides", "steps.py", "def barely(text):\n    return text", "def barely(text):\n    return text + text", _own("barely")),
    Edit("one of two lambdas on a line", "steps.py", 'x + "2"', 'x + "3"', _own("lambdas")),
    Edit("a nested function", "steps.py", "x[::-1]", "x[::2]", _own("nested")),
    Edit("an async helper", "kinds.py", 'text + "soon"', 'text + "sooner"', _reach("waited", "helper kinds.soon()")),
    Edit("a generator", "kinds.py", "yield text[2:]", "yield text[3:]", _reach("generated", "helper kinds.pieces()")),
    Edit("a pydantic model's field", "kinds.py", "score: float = 0.5", "score: float = 0.7", _reach("with_model", "kinds.Answer")),
    Edit("one that imports it back", "orbit.py", "if n else text", "if n > 1 else text", _reach("circular", "helper orbit.back(), 2 levels down,")),
    Edit("what a method asks of its instance", "steps.py", "self.tone + text", "text + self.tone", {
        "Agent.act": "steps.Agent.act: helper steps.Agent.helper() changed", "main": "steps.main: steps.Agent changed"}),
    Edit("an attribute asked of the instance", "steps.py", '    tone = "calm"', '    tone = "soft"', {
        "Agent.act": "steps.Agent.act: steps.Agent.tone, 2 levels down, changed", "main": "steps.main: steps.Agent changed"}),
    Edit("a method that nobody asks for, of a class in the arguments", "steps.py", "return 0", "return 1", {
        "Agent.act": "steps.Agent.act: class steps.Agent, in its arguments, changed", "main": "steps.main: steps.Agent changed"}),
    Edit("an Invokable's call", "steps.py", '{self.tone}: {text}', '{self.tone}; {text}', _own("Ask")),
    Edit("an Invokable's field", "steps.py", '    tone: str = "calm"', '    tone: bytes = "calm"', _own("Ask")),
    Edit("one of two registered lambdas on a line", "steps.py", "x * 3)", "x * 4)", {
        "<lambda>": "steps.<lambda> changed", "main": "steps.main: steps.thrice changed"}),
]  # fmt: skip
