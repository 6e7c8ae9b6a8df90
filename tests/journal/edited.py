"""Two modules of the little project that edits are made to (`edits`): kinds of classes, and tools that are registered and described."""

from __future__ import annotations

KINDS = '''
import enum
import math
from dataclasses import dataclass, field

import orbit

try:
    from pydantic import BaseModel
except ImportError:
    BaseModel = object


class Mode(enum.Enum):
    SOFT = 1
    HARD = 2


class Loudness:
    def loudly(self):
        return self.name.upper()


class Shape(Loudness):
    name = "shape"

    def describe(self):
        return self.loudly() + str(self.area())


class Square(Shape):
    """A square."""

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


def names():
    return ["x"]


@dataclass
class Options:
    width: int = 80
    tone: str = "calm"
    found: list = field(default_factory=names)

    @property
    def wide(self) -> bool:
        return self.width > 100

    class Inner:
        depth = 3

    def __call__(self, text):
        return text[: self.width]


@dataclass
class Plan:
    """Goals and steps."""

    goal: str = ""


class Answer(BaseModel):
    """What was answered."""

    text: str = ""
    score: float = 0.5

    def __init__(self, **given):
        super().__init__(**given) if BaseModel is not object else vars(self).update(given)


if math.pi > 3:
    def conditional(text):
        return text + "a"
else:
    def conditional(text):
        return text + "b"


async def soon(text):
    return text + "soon"


def pieces(text):
    yield text[:2]
    yield text[2:]


def around(text, n=1):
    return orbit.back(text, n)
'''

TOOLS = '''
import inspect

TOOLS, HOOKS = {}, []


def tool(function):
    TOOLS[function.__name__] = function
    return function


def hook(function):
    def put():
        HOOKS.append(function)
    put()


def shown(function):
    about = inspect.getdoc(function)
    return lambda text: about + function(text)


class App:
    def __init__(self):
        self.routes = {}

    def get(self, path):
        def wrap(function):
            self.routes[path] = function
            return function
        return wrap


APP = App()


@tool
def double(text):
    """Doubles."""
    return text * 2


@APP.get("/")
def index(text):
    return text + "index"


def after(text):
    return text + "after"


hook(after)


def documented():
    """A tool for the model."""


def describe():
    return inspect.getdoc(documented)
'''
