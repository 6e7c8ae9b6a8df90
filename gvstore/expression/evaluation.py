"""Evaluates the tree of an expression, within a budget.

The tree was checked by `expression`: every node here is of a kind in `nodes`, every
name called is in `functions`.  Operators work on plain values; a comparison may
meet values of the program's own types, and asks them.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from gvstore.expression.bound import ITEM, KEYS, MAX_BITS, PAIRS, VALUES, Budget, OutOfBounds, shown
from gvstore.expression.call import (
    FUNCTIONS,
    NUMBERS,
    PLAIN,
    SCALARS,
    Functions,
    Lazy,
    call_method,
    gather,
    iterate,
    named,
)

SEQUENCES = (str, bytes, list, tuple)
SETS: tuple[type, ...] = (set, frozenset, KEYS, PAIRS)
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
SIGNS: dict[type, str] = {ast.Mod: "%", ast.Mult: "*", ast.Add: "+", ast.Sub: "-", ast.Div: "/", ast.Pow: "**", ast.BitOr: "|"}
UNBOUND = object()


def looking_at(state: Mapping[str, Any]) -> Callable[[str], Any]:
    """Returns what reads a key of a state without a copy, where the state can do that; what is read is looked at only."""
    peek: Callable[[str], Any] | None = getattr(state, "peek", None)
    return state.__getitem__ if peek is None else peek


class Evaluation:
    """One evaluation: how the state is read, the loop variables of comprehensions, and what is left of the budget."""

    __slots__ = ("budget", "locals", "read")
    nodes: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Any]]]
    functions: ClassVar[Functions] = FUNCTIONS

    def __init__(self, read: Callable[[str], Any]) -> None:
        self.read, self.budget = read, Budget()
        self.locals: dict[str, Any] = {}

    def value(self, node: ast.AST) -> Any:
        """Returns the value of a node.

        Raises:
            OutOfBounds: a bound is reached.
            Exception: what Python raises for such an operation.
        """
        self.budget.step()
        return self.nodes[type(node)](self, node)

    def values(self, nodes: list[ast.expr]) -> list[Any]:
        """Returns the values of several nodes, in order."""
        return [self.value(node) for node in nodes]

    def _constant(self, node: ast.Constant) -> object:
        return node.value

    def _name(self, node: ast.Name) -> object:
        if node.id not in self.locals:
            return self.read(node.id)
        if self.locals[node.id] is UNBOUND:
            raise NameError(f"the loop variable {node.id} has no value yet")
        return self.locals[node.id]

    def _bool(self, node: ast.BoolOp) -> object:
        wanted = isinstance(node.op, ast.Or)
        for each in node.values[:-1]:
            value = self.value(each)
            if bool(value) is wanted:
                return value
        return self.value(node.values[-1])

    def _if(self, node: ast.IfExp) -> object:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _unary(self, node: ast.UnaryOp) -> object:
        value = self.value(node.operand)
        if not isinstance(node.op, ast.Not) and type(value) not in NUMBERS:
            raise TypeError(f"a number is needed here, not {named(value)}")
        return UNARY[type(node.op)](value)

    def _compare(self, node: ast.Compare) -> object:
        left = self.value(node.left)
        for op, each in zip(node.ops[:-1], node.comparators[:-1], strict=True):
            right = self.value(each)
            result = self._compared(op, left, right)
            if not result:
                return result
            left = right
        return self._compared(node.ops[-1], left, self.value(node.comparators[-1]))

    def _compared(self, op: ast.cmpop, left: Any, right: Any) -> object:
        if isinstance(op, ast.In | ast.NotIn):
            if type(right) not in PLAIN:
                raise TypeError(f"'in' looks into lists, tuples, dicts, sets, ranges and text, not {named(right)}")
            self.budget.hash(left)
            if type(right) in (str, bytes):
                self.budget.charge(len(right))
            elif type(right) is range and type(left) not in (int, bool):  # gone through, item by item
                self.budget.charge(len(right) * ITEM)
            elif type(right) in (list, tuple, VALUES):
                self.budget.charge(min(self.budget.measure(right), len(right) * self.budget.measure(left)))
            return (left in right) is isinstance(op, ast.In)
        if not isinstance(op, ast.Is | ast.IsNot):
            self.budget.compare(left, right)
        return COMPARISONS[type(op)](left, right)

    def _binary(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        self._charge(type(node.op), left, right)
        result = OPERATORS[type(node.op)](left, right)
        if type(result) is int:
            self.budget.bits(result.bit_length())
        return result

    def _charge(self, op: type[ast.operator], left: Any, right: Any) -> None:
        """Counts what an operator is about to make; refuses operands that are not plain."""
        kinds = {type(left), type(right)}
        if kinds <= set(NUMBERS):
            if kinds <= {int, bool}:
                self._integers(op, int(left), int(right))
        elif op is ast.Add and len(kinds) == 1 and type(left) in SEQUENCES:
            self._sequence(left, len(left) + len(right))
        elif op is ast.Mult and kinds & set(SEQUENCES) and kinds & {int, bool}:
            text, times = (left, right) if type(left) in SEQUENCES else (right, left)
            self._sequence(text, len(text) * max(0, times))
        elif op in (ast.Sub, ast.BitAnd, ast.BitOr, ast.BitXor) and kinds <= set(SETS):
            self.budget.charge(self.budget.measure(left) + self.budget.measure(right))
        elif op is ast.BitOr and kinds == {dict}:
            self.budget.charge(self.budget.measure(left.keys()) + self.budget.measure(right.keys()))
        else:
            raise TypeError(f"{SIGNS.get(op, op.__name__)} does not work on {named(left)} and {named(right)} here")

    def _integers(self, op: type[ast.operator], left: int, right: int) -> None:
        size = left.bit_length()
        if op is ast.Pow and abs(left) > 1 and right > 0:
            self.budget.bits((size - 1) * right + 1)  # at least this; at most twice
        elif op is ast.LShift and left and right > 0:
            self.budget.bits(size + right)
        elif op is ast.Mult:
            self.budget.bits(size + right.bit_length() - 1)
        elif max(size, right.bit_length()) > 4 * MAX_BITS:
            raise OutOfBounds(f"an integer of {shown(max(size, right.bit_length()))} bits: at most {MAX_BITS:,}")

    def _sequence(self, like: Any, length: int) -> None:
        if type(like) in (str, bytes):
            self.budget.charge(length)
        else:
            self.budget.items(length)

    def _subscript(self, node: ast.Subscript) -> object:
        value = self.value(node.value)
        if type(value) not in (*SEQUENCES, dict, range):
            raise TypeError(f"[...] takes parts of lists, tuples, dicts, ranges and text, not of {named(value)}")
        if isinstance(node.slice, ast.Slice):
            if type(value) is dict:
                raise TypeError("a dict has no slices")
            bounds = [self.value(each) if each is not None else None for each in (node.slice.lower, node.slice.upper, node.slice.step)]
            if not all(type(bound) in (int, bool, type(None)) for bound in bounds):
                raise TypeError("slices go by whole numbers")
            self.budget.charge(0 if type(value) is range else len(range(*slice(*bounds).indices(len(value)))) * ITEM)
            return value[slice(*bounds)]
        key = self.value(node.slice)
        self.budget.hash(key)
        if type(value) is not dict and type(key) not in (int, bool):
            raise TypeError(f"{named(value)} is indexed by whole numbers, not by {named(key)}")
        return value[key]

    def _list(self, node: ast.List) -> object:
        return self.values(node.elts)

    def _tuple(self, node: ast.Tuple) -> object:
        return tuple(self.values(node.elts))

    def _hashed(self, value: object) -> Any:
        self.budget.hash(value)
        return value

    def _set(self, node: ast.Set) -> object:
        return {self._hashed(value) for value in self.values(node.elts)}

    def _dict(self, node: ast.Dict) -> object:
        return {self._hashed(self.value(key)): self.value(value) for key, value in zip(node.keys, node.values, strict=True) if key}

    def _text(self, node: ast.JoinedStr) -> object:
        return "".join(self.values(node.values))

    def _formatted(self, node: ast.FormattedValue) -> object:
        value = self.value(node.value)
        if type(value) not in SCALARS:
            raise TypeError(f"f-strings show text and numbers here, not {named(value)}")
        self.budget.digits(value)
        return str(value)

    def _call(self, node: ast.Call) -> object:
        if isinstance(node.func, ast.Attribute):
            value = self.value(node.func.value)
            return call_method(self.budget, value, node.func.attr, self.values(node.args))
        assert isinstance(node.func, ast.Name)
        function = self.functions[node.func.id][0]
        options = {each.arg or "": each.value for each in node.keywords}
        return function(self.budget, *self.values(node.args), **{name: self.value(each) for name, each in options.items()})

    def _loop(self, node: Any, make: Callable[[], Any]) -> Iterator[Any]:
        """Returns what `make` gives in every round, in the scope of the comprehension; its first source is evaluated at once."""
        return self._rounds(node, make, self.value(node.generators[0].iter))

    def _rounds(self, node: Any, make: Callable[[], Any], first: object) -> Iterator[Any]:
        outer = self.locals
        targets = {each.id for loop in node.generators for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
        inner = {**outer, **dict.fromkeys(targets, UNBOUND)}

        def level(depth: int) -> Iterator[Any]:
            if depth == len(node.generators):
                yield make()
                return
            loop = node.generators[depth]
            for item in iterate(self.budget, first if depth == 0 else self.value(loop.iter)):
                self.locals = inner
                self._bind(loop.target, item)
                if all(self.value(test) for test in loop.ifs):
                    yield from level(depth + 1)

        # No `finally`: nothing in an expression survives an error, and one that is not
        # gone through to its end is left where `yield` put the outer scope back.
        self.locals = inner
        for made in level(0):
            self.locals = outer
            yield made
            self.locals = inner
        self.locals = outer

    def _bind(self, target: ast.AST, item: Any) -> None:
        self.budget.step()
        if isinstance(target, ast.Name):
            self.locals[target.id] = item
            return
        assert isinstance(target, ast.Tuple | ast.List)
        parts = gather(self.budget, item)
        if len(parts) != len(target.elts):
            raise ValueError(f"{len(parts)} values for {len(target.elts)} loop variables")
        for each, part in zip(target.elts, parts, strict=True):
            self._bind(each, part)

    def _list_loop(self, node: ast.ListComp) -> object:
        return gather(self.budget, Lazy(self._loop(node, lambda: self.value(node.elt))))

    def _set_loop(self, node: ast.SetComp) -> object:
        return set(gather(self.budget, Lazy(self._loop(node, lambda: self._hashed(self.value(node.elt))))))

    def _dict_loop(self, node: ast.DictComp) -> object:
        pairs = self._loop(node, lambda: (self._hashed(self.value(node.key)), self.value(node.value)))
        return dict(gather(self.budget, Lazy(pairs)))

    def _lazy(self, node: ast.GeneratorExp) -> Lazy:
        return Lazy(self._loop(node, lambda: self.value(node.elt)))


NODES: dict[type[ast.AST], Callable[[Evaluation, Any], Any]] = {
    ast.Constant: Evaluation._constant,
    ast.Name: Evaluation._name,
    ast.BoolOp: Evaluation._bool,
    ast.IfExp: Evaluation._if,
    ast.UnaryOp: Evaluation._unary,
    ast.Compare: Evaluation._compare,
    ast.BinOp: Evaluation._binary,
    ast.Subscript: Evaluation._subscript,
    ast.List: Evaluation._list,
    ast.Tuple: Evaluation._tuple,
    ast.Set: Evaluation._set,
    ast.Dict: Evaluation._dict,
    ast.JoinedStr: Evaluation._text,
    ast.FormattedValue: Evaluation._formatted,
    ast.Call: Evaluation._call,
    ast.ListComp: Evaluation._list_loop,
    ast.SetComp: Evaluation._set_loop,
    ast.DictComp: Evaluation._dict_loop,
    ast.GeneratorExp: Evaluation._lazy,
}
Evaluation.nodes = NODES
