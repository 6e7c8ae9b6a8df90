"""How much an expression may do: the bounds, the counters that hold them, and the errors that tell.

A step is one node evaluated.  Volume is what is made, walked or compared: one a
character, sixteen an item, a byte of an integer one.  Both are counted over one
evaluation, so that a hundred small blow-ups are stopped as one large is.
Nothing is made before its size was charged.
"""

from __future__ import annotations

from gvstore.errors import UsageFault

MAX_SOURCE = 4_000  # characters
MAX_DEPTH = 60  # of the syntax tree
MAX_STEPS = 100_000
MAX_VOLUME = 10_000_000
MAX_ITEMS = 100_000  # of one container
MAX_BITS = 8_192  # of one integer
ITEM = 16  # what an item counts
KEYS: type = type({}.keys())
VALUES: type = type({}.values())
PAIRS: type = type({}.items())
HASHED = (dict, set, frozenset, KEYS, PAIRS)
NESTED = (list, tuple, VALUES, *HASHED)
SMALL = (bool, int, float, type(None))  # what these are compared with is not walked
HASH_BITS = 60  # integers of more bits can be chosen so that all have one hash


class ExpressionFault(UsageFault, ValueError):
    """An expression that can not be evaluated: `source` is its text, `form` how it is quoted."""

    form = "expr({!r})"

    def __init__(self, source: str, why: str, *, hint: str | None = None) -> None:
        self.source, self.why = source, why
        shown = source if len(source) <= 80 else source[:77] + "..."
        super().__init__(f"{self.form.format(shown)}: {why}", hint=hint)


class ExpressionRefused(ExpressionFault):
    """What the text asks for is not among what expressions may do; nothing was evaluated."""

    hint = 'Expressions compare and compute with what stands in the state: expr("epochs > 100 and len(history) < 5").'


class ExpressionStopped(ExpressionFault):
    """The expression came to one of the bounds."""

    hint = "Compute it in an action that writes the result, and look at that."


class OutOfBounds(Exception):
    """A bound is reached; turned into ExpressionStopped where the source is known."""


class Budget:
    """What one evaluation has left."""

    __slots__ = ("alike", "steps", "volume")

    def __init__(self) -> None:
        self.steps, self.volume = MAX_STEPS, MAX_VOLUME
        self.alike = 0  # values hashed so far whose hash can be chosen

    def step(self) -> None:
        """Counts a node evaluated."""
        self.steps -= 1
        if self.steps < 0:
            raise OutOfBounds(f"more than {MAX_STEPS:,} steps")

    def charge(self, volume: int) -> None:
        """Counts what is about to be made, walked or compared."""
        self.volume -= volume
        if self.volume < 0:
            raise OutOfBounds(f"more than {MAX_VOLUME:,} characters are made or compared (an item counts {ITEM})")

    def items(self, count: int) -> None:
        """Counts a container that is about to be made."""
        if count > MAX_ITEMS:
            raise OutOfBounds(f"a container of {shown(count)} items: at most {MAX_ITEMS:,}")
        self.charge(count * ITEM)

    def bits(self, count: int) -> None:
        """Counts an integer that is about to be made."""
        if count > MAX_BITS:
            raise OutOfBounds(f"an integer of {shown(count)} bits: at most {MAX_BITS:,}")
        self.charge(count // 8)

    def measure(self, value: object, limit: int | None = None) -> int:
        """Returns the volume of a value with all in it, shared parts counted each time, or `limit` if it is more.

        A value that is not plain counts as one item: what it does when
        compared is the program's own affair.
        """
        limit = self.volume + 1 if limit is None else limit
        total, stack = 0, [value]
        while stack and total < limit:
            each = stack.pop()
            total += ITEM
            kind = type(each)
            if kind is str or kind is bytes:
                total += len(each)  # type: ignore[arg-type]
            elif kind is int:
                total += each.bit_length() // 8  # type: ignore[attr-defined]
            elif kind in NESTED:
                total += ITEM * len(each)  # type: ignore[arg-type]
                if kind in HASHED and total < limit:
                    total += ITEM * sum(is_choosable(key) for key in each) ** 2  # type: ignore[attr-defined]
                if total < limit:
                    stack.extend(each)  # type: ignore[arg-type]
                    if kind is dict:
                        stack.extend(each.values())  # type: ignore[attr-defined]
        return min(total, limit)

    def walk(self, value: object) -> None:
        """Counts a walk over all of a value: it is hashed, say."""
        self.charge(self.measure(value))

    def digits(self, value: object) -> None:
        """Counts a value that becomes text, or text that becomes a number: of a long integer every digit costs more."""
        self.walk(value)
        if type(value) is int:
            self.charge(value.bit_length())

    def hash(self, value: object) -> None:
        """Counts a value that goes into a set or dict, or is looked for there.

        Where many have one hash each costs as much as there are of them.
        """
        if type(value) is str:
            return self.charge(len(value))
        self.walk(value)
        if is_choosable(value):
            self.alike += 1
            self.charge(ITEM * self.alike)

    def compare(self, left: object, right: object) -> None:
        """Counts a comparison, which walks the smaller of two values at most."""
        if type(left) in SMALL or type(right) in SMALL:
            return
        self.charge(self.measure(right, self.measure(left)))


def is_choosable(value: object) -> bool:
    """Returns whether its writer can choose the hash of a value: 2**61 - 1 times anything has the hash 0."""
    kind = type(value)
    if kind is int:
        return value.bit_length() > HASH_BITS  # type: ignore[attr-defined,no-any-return]
    if kind is tuple or kind is frozenset:
        return any(map(is_choosable, value))  # type: ignore[call-overload]
    return kind is complex


def shown(count: int) -> str:
    """Returns a count for a message, however large it is."""
    return f"{count:,}" if count < 10**15 else "very many"
