"""Images, pydantic models and attrs instances come back as they were."""

# The libraries may be absent where types are checked, so that their classes are Any.
# mypy: disable-error-code="misc, call-arg, untyped-decorator"

from __future__ import annotations

import functools
import io
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects.placeholder import Opaque, Unresolved
from gvstore.objects.value import get_value, put_value
from gvstore.odb import MemoryDatabase
from gvstore.store.store import InMemoryStore
from tests.store.library.trip import there_and_back

attrs: Any = pytest.importorskip("attrs")
pydantic: Any = pytest.importorskip("pydantic")
Image: Any = pytest.importorskip("PIL.Image")
T = TypeVar("T")


class Address(pydantic.BaseModel):
    url: pydantic.HttpUrl = pydantic.HttpUrl("http://example.org/")
    _secret: int = pydantic.PrivateAttr(3)


class Answer(pydantic.BaseModel, Generic[T]):
    model_config = pydantic.ConfigDict(extra="allow")
    value: T
    tags: set[str] = pydantic.Field(default_factory=set, alias="labels")
    where: Address | None = None

    @functools.cached_property
    def long(self) -> str:
        return str(self.value) * 2


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Frozen(pydantic.BaseModel, frozen=True):
    x: int
    y: Any = None

    @pydantic.field_validator("x")
    @classmethod
    def _positive(cls, x: int) -> int:
        if x <= 0:
            raise ValueError("not positive")
        return x


def test_models() -> None:
    """Fields, extras, private ones, which were set, and the arguments of a generic."""
    address = Address(url="http://example.org/x")
    address._secret = 9
    models: list[Any] = [
        address,
        Answer[int](value=1, labels={"a"}, more=[1]),
        Answer(value="x", where=Address()),
        Numbers([1, 2]),
        Frozen(x=1),
    ]
    for model in models:
        back = there_and_back(model)

        assert (type(model), model, repr(model)) == (type(back), back, repr(back))
        assert (model.model_fields_set, model.model_dump()) == (back.model_fields_set, back.model_dump())
    assert 9 == there_and_back(address)._secret
    assert "11" == there_and_back(models[1]).long == models[1].long
    assert there_and_back(models[1]) == models[1]


def test_validators_do_not_run() -> None:
    """A model is what it was, also if no constructor would make it so; secrets have no encoding."""
    model = Frozen.model_construct(x=-1, y=Frozen(x=2))

    assert -1 == there_and_back(model).x
    with pytest.warns(UserWarning, match="SecretStr"):
        back: Any = InMemoryStore().commit(Frozen(x=1, y=pydantic.SecretStr("hush"))).checkout()
    assert Opaque is type(back.y)


def test_a_model_that_changed() -> None:
    """A field that the class gained takes its default; one that it lost makes the model a placeholder."""
    objects = MemoryDatabase()
    name = f"{__name__}:Frozen"
    gained = get_value(objects, put_value(objects, Unresolved(44, name, (None, {"x": 1}, ["x"], None, None))))
    lost = get_value(objects, put_value(objects, Unresolved(44, name, (None, {"x": 1, "z": 1}, ["x"], None, None))))

    assert Frozen(x=1) == gained
    assert Unresolved is type(lost)


@attrs.define
class Point:
    x: Any
    y: list[Any] = attrs.field(factory=list, converter=list)


@attrs.frozen(cache_hash=True)
class Key:
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    kind: str = "plain"


@attrs.define
class Below(Point):
    z: int = 7


@attrs.define
class Failure(Exception):
    code: int


def test_attrs() -> None:
    """Slots, frozen ones, subclasses, exceptions."""
    for value in (Point(1, [2]), Point(Point(1)), Below(1, [2], 3), Key("a"), {Key("a"): 1}, Key("b", kind="x")):
        back = there_and_back(value)

        assert (type(value), value) == (type(back), back)
    assert hash(Key("a")) == hash(there_and_back(Key("a")))
    assert 5 == there_and_back(Failure(5)).code
    unset = Point.__new__(Point)
    unset.x = 1
    assert not hasattr(there_and_back(unset), "y")


def test_an_attrs_class_that_changed() -> None:
    """As with dataclasses: defaults for what it gained, a placeholder for what it lost."""
    objects = MemoryDatabase()
    gained = get_value(objects, put_value(objects, Unresolved(45, f"{__name__}:Key", ("name", "a"))))
    lost = get_value(objects, put_value(objects, Unresolved(45, f"{__name__}:Key", ("name", "a", "size", 1))))

    assert Key("a") == gained
    assert Unresolved is type(lost)
    assert "a" == lost.name


MODES = [
    "1",
    "L",
    "P",
    "RGB",
    "RGBA",
    "CMYK",
    "YCbCr",
    "LAB",
    "HSV",
    "I",
    "F",
    "LA",
    "PA",
    "RGBX",
    "RGBa",
    "La",
    "I;16",
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MODES), st.integers(1, 9), st.integers(1, 9), st.randoms())
def test_images(mode: str, width: int, height: int, random: Any) -> None:
    """Every mode, every pixel, palette and info."""
    size = len(Image.new(mode, (width, height)).tobytes())
    image = Image.frombytes(mode, (width, height), random.randbytes(size))
    image.info = {"dpi": (72, 72), "icc_profile": b"x"}
    back = there_and_back(image)

    assert (mode, (width, height), image.info) == (back.mode, back.size, back.info)
    assert image.tobytes() == back.tobytes()
    assert image.getpalette() == back.getpalette()


def test_images_of_files() -> None:
    """They come back as pixels that know their format; a palette stays; several frames are opaque."""
    image = Image.effect_noise((20, 20), 50).convert("RGB")
    for form, made in (("PNG", image), ("PNG", image.quantize(7)), ("GIF", image.quantize(7)), ("TIFF", image)):
        file = io.BytesIO()
        made.save(file, form)
        opened = Image.open(file)
        back = there_and_back(opened)

        assert (form, Image.Image) == (back.format, type(back))
        assert opened.convert("RGBA").tobytes() == back.convert("RGBA").tobytes()
    film = io.BytesIO()
    image.save(film, "GIF", save_all=True, append_images=[image.rotate(90)])
    with pytest.warns(UserWarning, match="several frames"):
        assert Opaque is type(InMemoryStore().commit(Image.open(film)).checkout())
    assert (0, 0) == there_and_back(Image.new("L", (0, 0))).size


def test_an_image_that_promises_too_much_is_none() -> None:
    """Sizes are checked before room is made."""
    objects = MemoryDatabase()
    forged = Unresolved(43, "PIL:Image", ("RGB", 1 << 20, 1 << 20, None, None, {}, b"xyz"))

    assert Unresolved is type(get_value(objects, put_value(objects, forged)))
