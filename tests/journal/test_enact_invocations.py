"""enact's words for executions: invoke, requests and responses, rewinding, surgery, overriding, typed Invokables."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest

import gvstore as enact
from gvstore.journal.repository import Repository
from gvstore.store.resource import TypeWrapper
from tests.journal.bodies import BODIES, note


@enact.register
def toss(sides: int, bonus: int = 0) -> int:
    note(sides)
    return sides + bonus


@enact.register
def tosses(count: int, *more: int, scale: int = 1, **named: int) -> int:
    return sum(toss(i) for i in range(count)) * scale


@enact.register
@dataclasses.dataclass
class Spinner(enact.Invokable[None, int]):
    """Counts how often it was spun."""

    step: int
    total: int = 0

    def call(self) -> int:
        self.total += self.step
        note("spin")
        return self.total


@enact.typed_invokable(int, str)
@dataclasses.dataclass
class Spell(enact.Invokable):
    """Spells a number, wrongly if it is told to."""

    wrong: bool = False

    def call(self, number: int) -> str:
        return number if self.wrong else str(number)  # type: ignore[return-value]


@enact.register
def throw(why: str) -> str:
    note(why)
    raise LookupError(why)


@enact.register
def survive(why: str) -> str:
    try:
        return throw(why)
    except LookupError as e:
        return f"caught {e}"


@dataclasses.dataclass
class Refusal(enact.ExceptionResource):
    """A result that is an exception, with a field."""

    code: int


@enact.register
def refuse(code: int) -> int:
    raise Refusal(code)


def test_an_invocation_is_a_request_and_a_response() -> None:
    """What went in, what came out and what was called in between are ordinary values behind references."""
    with enact.InMemoryStore() as store:
        invocation = enact.invoke(tosses, (2,), {"scale": 3})
        request, response = invocation.request(), invocation.response()

        assert tosses is request.invokable()
        assert enact.CallArgs([2], {"scale": 3}) == request.input() == invocation.get_input()
        assert response.output is not None
        assert 3 == response.output() == invocation.get_output()
        assert (None, False) == (response.raised, response.raised_here)
        assert [0, 1] == [child().get_output() for child in response.children]
        assert invocation == store.checkout(store.commit(invocation))


def test_arguments_have_one_form() -> None:
    """However a call is written, its arguments are bound and defaults applied: equal calls are equal requests."""
    with enact.InMemoryStore():
        forms = [((1,), {}), ((), {"sides": 1}), ((1, 0), {}), ((), {"bonus": 0, "sides": 1})]
        made = [enact.invoke(toss, *form) for form in forms]

        assert 1 == len(set(made))
        assert enact.CallArgs([1, 0]) == made[0].get_input()
        assert enact.CallArgs([1, 7, 8], {"scale": 1, "x": 9}) == enact.invoke(tosses, (1, 7, 8), {"x": 9}).get_input()


def test_true_is_not_one() -> None:
    """Requests of values that only compare equal are different, and so are lists of bytes cut elsewhere."""
    with enact.InMemoryStore():

        @enact.register
        def echo(value: Any) -> Any:
            return value

        values: list[Any] = [True, 1, 1.0, 0.0, -0.0, [b"ab", b"c"], [b"abbc"], (1,), [1]]
        made = [enact.invoke(echo, (value,)) for value in values]

        assert len(values) == len(set(made))
        assert [repr(v) for v in values] == [repr(each.get_output()) for each in made]


def test_handmade_invocations_equal_recorded_ones() -> None:
    """Request, Response, CallArgs and Invocation are made by hand, also positionally."""
    with enact.InMemoryStore():
        recorded = enact.invoke(toss, (4,))
        request = enact.Request(enact.commit(toss), enact.commit(enact.CallArgs([4, 0], {})))
        response = enact.Response(enact.commit(toss), enact.commit(4), None, False, [])
        made = enact.Invocation(enact.commit(request), enact.commit(response))
        part = enact.invoke(tosses, (1,))
        children = [enact.commit(enact.invoke(toss, (0,)))]
        whole = enact.Invocation(part.request, enact.commit(dataclasses.replace(part.response(), children=children)))

        assert recorded == made and 4 == made.get_output()
        assert recorded.request() == request and recorded.response() == response
        assert part == whole


def test_handmade_invokables_equal_recorded_ones() -> None:
    """The same for an Invokable: its input is the value itself, its state stands before and after."""
    with enact.InMemoryStore():
        recorded = Spinner(2, 1).invoke()
        request = enact.Request(enact.commit(Spinner(2, 1)), enact.commit(None))
        response = enact.Response(enact.commit(Spinner(2, 3)), enact.commit(3), None, False, [])

        assert recorded == enact.Invocation(enact.commit(request), enact.commit(response))
        assert Spinner(2, 1) == recorded.request().invokable()
        assert Spinner(2, 3) == recorded.response().invokable()
        assert "7" == Spell().invoke(enact.commit(7)).get_output()
        assert 7 == Spell().invoke(7).get_input()


def test_parts_that_make_no_invocation_are_refused() -> None:
    """What cannot be put together says so when it is first looked at."""
    with enact.InMemoryStore():
        request = enact.Request(enact.commit(5), enact.commit(enact.CallArgs()))

        with pytest.raises(enact.InvocationBuildFailure, match="cannot be called"):
            enact.Invocation(enact.commit(request)).get_output()


def test_surgery_is_honoured_by_replay() -> None:
    """A response that was changed in place is what a replay answers from."""
    with enact.InMemoryStore():
        invocation = enact.invoke(tosses, (3,))
        before = invocation.deepcopy_resource()
        with invocation.response.modify() as response:
            response.output = None
            response.children.pop()
        BODIES.clear()
        after = invocation.replay()

        assert ("unfinished", 2) == (invocation.status, len(invocation))
        assert [2] == BODIES
        assert before == after and 3 == after.get_output()


def test_outputs_can_be_forged_and_cleared() -> None:
    """Another output put in place of a child's answers the replay; clear_output drops the outcome alone."""
    with enact.InMemoryStore():
        invocation = enact.invoke(tosses, (2,))
        with invocation.response.modify() as response:
            child = response.children[1]()
            with child.response.modify() as inner:
                inner.output = enact.commit(100)
            response.children[1] = enact.commit(child)
            response.output = None
        BODIES.clear()

        assert 100 == invocation.replay().get_output()
        assert [] == BODIES
        cleared = enact.invoke(tosses, (2,))
        cleared.clear_output()
        assert (2, None, False) == (len(cleared), cleared.get_output(), cleared.successful())
        assert enact.invoke(tosses, (2,)).rewind(0) == cleared


def test_rewound_calls_run_again() -> None:
    """rewind(n) drops the output and the last n calls, replay makes them anew; a complete record runs nothing."""
    with enact.InMemoryStore():
        invocation = enact.invoke(tosses, (4,))
        BODIES.clear()

        assert invocation == invocation.replay() and [] == BODIES
        assert invocation == invocation.rewind().replay() and [3] == BODIES
        assert [0, 1] == [each.get_output() for each in invocation.rewind(2).get_children()]
        with pytest.raises(enact.GvError, match="cannot be taken back"):
            invocation.rewind(5)


def test_replay_restores_what_was_called() -> None:
    """An instance that a recorded call changed is changed by the answer, and its body does not run."""

    @enact.register
    def both() -> list[int]:
        spinner = Spinner(5)
        return [spinner(), spinner(), spinner.total]

    with enact.InMemoryStore():
        invocation = enact.invoke(both)
        BODIES.clear()
        again = invocation.rewind(1).replay()

        assert [5, 10, 10] == again.get_output()
        assert ["spin"] == BODIES
        assert [5, 10] == [each.response().invokable().total for each in again.get_children()]


def test_invoke_answers_from_a_record() -> None:
    """replay_from is the record of this very call; of another it is refused."""
    with enact.InMemoryStore():
        invocation = enact.invoke(tosses, (3,))
        BODIES.clear()

        assert invocation == enact.invoke(tosses, (3,), replay_from=invocation.rewind(1))
        assert [2] == BODIES
        with pytest.raises(enact.ReplayError, match="other arguments"):
            enact.invoke(tosses, (4,), replay_from=invocation)
        with pytest.raises(enact.ReplayError, match="to be replayed from it"):
            enact.invoke(toss, (3,), replay_from=invocation)
        assert 6 == enact.invoke(tosses, (4,), replay_from=invocation, strict=False).get_output()


def test_native_exceptions_are_raised_or_wrapped() -> None:
    """By default the caller gets the exception, and the record of it by last_invocation; or the record alone."""
    with enact.InMemoryStore():
        with pytest.raises(LookupError, match="gone"):
            enact.invoke(throw, ("gone",))
        kept = enact.last_invocation()
        wrapped = enact.invoke(throw, ("gone",), wrap_exceptions=True)
        raised = wrapped.get_raised()

        assert kept == wrapped and wrapped.get_raised_here()
        assert isinstance(raised, LookupError) and ("gone",) == raised.args
        assert isinstance(raised, enact.NativeException)
        assert ("LookupError", "gone") == (raised.type_name, raised.str_representation)
        assert enact.commit(raised) == enact.commit(LookupError("gone"))
        assert "LookupError: gone" == str(enact.NativeException.of(LookupError("gone")))
        assert not isinstance(Refusal(1), enact.NativeException)
        with pytest.raises(LookupError):
            enact.invoke(throw, ("gone",), wrap_exceptions=True, raise_on_errors=(LookupError,))


def test_exception_resources_are_results() -> None:
    """invoke returns the invocation that raised one; its fields are there, registered or not."""
    with enact.InMemoryStore():
        invocation = enact.invoke(refuse, (7,))
        raised = invocation.get_raised()

        assert isinstance(raised, Refusal) and 7 == raised.code
        assert Refusal(7) == raised == invocation.response().raised()  # type: ignore[misc]
        assert ["code"] == list(raised.field_names())
        assert "Refusal(code=7)" == repr(raised)


def test_exceptions_can_be_overridden_with_anything() -> None:
    """exception_override answers with a value or a reference, at the root too; None leaves it to the program."""

    def override(ref: enact.Ref[Any]) -> Any:
        error = ref()
        return enact.commit("by reference") if error.args == ("a",) else "by value"

    with enact.InMemoryStore():
        for why, expected in (("a", "by reference"), ("b", "by value")):
            invocation = enact.invoke(survive, (why,))
            assert f"caught {why}" == invocation.get_output()
            assert expected == invocation.rewind(0).replay(exception_override=override).get_output()
        failed = enact.invoke(throw, ("a",), wrap_exceptions=True)
        BODIES.clear()
        assert "by reference" == failed.replay(exception_override=override).get_output()
        assert [] == BODIES


def test_overrides_of_typed_invokables_are_checked() -> None:
    """What a typed Invokable is made to answer is of its output type."""

    @enact.typed_invokable(None, int)
    class Broken(enact.Invokable):
        def call(self) -> int:
            raise OSError("no dice")

    with enact.InMemoryStore():
        invocation = enact.invoke(Broken(), wrap_exceptions=True)

        assert 3 == invocation.replay(exception_override=lambda ref: 3).get_output()
        with pytest.raises(enact.InvokableTypeError, match="must be int"):
            invocation.replay(exception_override=lambda ref: "three")


def test_types_are_enforced() -> None:
    """typed_invokable checks what goes in and what comes out, recorded or not; the error is a TypeError too."""
    assert "3" == Spell()(3)
    with pytest.raises(enact.InvokableTypeError, match="input of Spell must be int"):
        Spell()("3")
    with pytest.raises(TypeError, match="output of Spell must be str"):
        Spell(wrong=True)(3)
    with enact.InMemoryStore():
        with pytest.raises(enact.InvokableTypeError):
            enact.invoke(Spell(), ("3",))
        assert (int, str) == (Spell.get_input_type(), Spell.get_output_type())


def test_types_are_inferred() -> None:
    """From the annotations of `call`: None where there are none, NoneType for no argument and for None."""

    @enact.register
    class Bare(enact.Invokable):
        def call(self, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return value

    @enact.register
    class Silent(enact.Invokable):
        def call(self) -> None:
            pass

    assert (None, None) == (Bare.get_input_type(), Bare.get_output_type())
    assert (type(None), type(None)) == (Silent.get_input_type(), Silent.get_output_type())
    assert (type(None), int) == (Spinner.get_input_type(), Spinner.get_output_type())
    with pytest.raises(TypeError, match="takes no `self`"):

        @enact.register
        class Wrong(enact.Invokable):
            def call() -> int:  # type: ignore[misc]
                return 1


class Bowl:
    """A type of the program's own, with a method that changes it."""

    def __init__(self, stones: int) -> None:
        self.stones = stones

    @enact.register
    def take(self, count: int = 1) -> int:
        note("take")
        self.stones -= count
        return self.stones

    @classmethod
    @enact.register
    def full(cls) -> int:
        return 10

    @enact.register
    def __call__(self, count: int) -> int:
        return self.take(count)


@enact.register
@dataclasses.dataclass
class BowlWrapper(TypeWrapper[Bowl]):
    stones: int

    @classmethod
    def wrapped_type(cls) -> type[Bowl]:
        return Bowl

    @classmethod
    def wrap(cls, value: Bowl) -> BowlWrapper:
        return cls(value.stones)

    def unwrap(self) -> Bowl:
        return Bowl(self.stones)

    @classmethod
    def set_wrapped_value(cls, target: Bowl, source: Bowl) -> None:
        target.stones = source.stones


@enact.register
def play() -> tuple[int, int, int]:
    bowl = Bowl(Bowl.full())
    return bowl.take(), bowl.take(count=2), bowl.stones


def test_methods_of_wrapped_types() -> None:
    """A bound method is invoked; its instance is recorded before and after, and restored by a replay."""
    with enact.InMemoryStore():
        bowl = Bowl(5)
        invocation = enact.invoke(bowl.take, (2,))
        root = enact.invoke(play)
        BODIES.clear()

        assert 3 == invocation.get_output() == bowl.stones
        assert enact.CallArgs([2]) == invocation.get_input()
        assert 2 == invocation.request().invokable()(3)
        assert 3 == invocation.response().invokable().instance.stones
        BODIES.clear()
        assert (9, 7, 7) == root.get_output()
        assert root == root.rewind(0).replay() and [] == BODIES
        assert root == root.rewind(1).replay() and ["take"] == BODIES
        assert 4 == enact.invoke(Bowl(8), (4,)).get_output()
        assert 10 == enact.invoke(Bowl.full).get_output()


def test_partials_lambdas_and_builtins_can_be_invoked() -> None:
    """Whatever can be called stands at the top; what it calls is recorded."""
    with enact.InMemoryStore():
        assert 9 == enact.invoke(functools.partial(toss, 4), (5,)).get_output()
        assert 1 == len(enact.invoke(lambda: toss(1)))
        assert 3 == enact.invoke(max, (1, 3)).get_output()
        with pytest.raises(TypeError, match="cannot be called"):
            enact.invoke(3)  # type: ignore[arg-type]


def test_changed_arguments_are_refused_by_invoke_alone(repo: Repository) -> None:
    """enact's contract: a call that changes its arguments has failed; under gv.run it may."""

    @enact.register
    def push(values: list[int]) -> int:
        values.append(1)
        return len(values)

    @enact.register
    def outer() -> int:
        return push([])

    for fun, args in ((push, ([],)), (outer, ())):
        with pytest.raises(enact.InputChanged, match="push changed its arguments"):
            enact.invoke(fun, args)
    assert 1 == enact.run(push, []).output


def test_nothing_is_kept_without_commit(repo: Repository) -> None:
    """commit=False gives the record, and neither a run nor an object."""
    before = len(list(repo.objects))
    invocation = enact.invoke(tosses, (3,), commit=False)
    again = invocation.rewind(1).replay()

    assert 3 == invocation.get_output() == again.get_output()
    assert 0 == len(repo.runs)
    assert before == len(list(repo.objects))


def test_replay_contexts_answer_without_recording() -> None:
    """In a ReplayContext registered calls are answered by recorded ones; strict, other calls are refused."""
    with enact.InMemoryStore():
        children = list(enact.invoke(tosses, (3,)).get_children())
        BODIES.clear()
        with enact.ReplayContext(children[:2]):
            assert 1 == sum(toss(i) for i in range(2))
            assert [] == BODIES
            assert 7 == toss(7)
        with enact.ReplayContext([enact.commit(children[2])], strict=False):
            assert [5, 2] == [toss(5), toss(2)]
        assert [7, 5] == BODIES
        with enact.ReplayContext(children), pytest.raises(enact.ReplayError):
            toss(9)


def test_summaries() -> None:
    """One line a call, those below it indented; what is long is cut."""
    with enact.InMemoryStore():
        bowl = functools.partial(Bowl.take, Bowl(3))
        cases: list[tuple[enact.Invocation, str]] = [
            (enact.invoke(tosses, (2,)), "->tosses(2, scale=1) = 1\n  ->toss(0, 0) = 0\n  ->toss(1, 0) = 1"),
            (enact.invoke(tosses, (1,)).rewind(), "->tosses(1, scale=1) incomplete"),
            (Spinner(2).invoke(), "->Spinner(step=2, total=0)(None) = 2"),
            (enact.invoke(throw, ("x",), wrap_exceptions=True), "->throw('x') raised LookupError('x')"),
        ]

        assert [text for _, text in cases] == [enact.invocation_summary(each) for each, _ in cases]
        assert "  ->toss = 1" == enact.invocation_summary(enact.invoke(toss, (1,)), 2, show_input=False)
        assert "->toss(1, 0)" == enact.invocation_summary(enact.invoke(toss, (1,)), show_output=False)
        assert enact.invocation_summary(enact.invoke(bowl)).endswith(".take(1) = 2")
        assert len(enact.invocation_summary(enact.invoke(throw, ("x" * 5000,), wrap_exceptions=True))) < 500


def test_functions_are_values() -> None:
    """A registered function is stored by its name, wherever it is defined, and comes back as itself."""

    def make() -> Callable[[int], int]:
        @enact.register
        def local(x: int) -> int:
            return x + 1

        return local

    local = make()
    with enact.InMemoryStore():
        ref = enact.commit([local, toss])

        assert [local, toss] == ref()
        assert 3 == ref()[0](2)


class Shelf:
    """A storage backend of a program's own."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def commit(self, ref_id: str, packed: Any) -> None:
        self.kept[ref_id] = packed

    def has(self, ref_ids: list[str]) -> list[bool]:
        return [each in self.kept for each in ref_ids]

    def checkout(self, ref_ids: list[str]) -> list[Any]:
        return [self.kept.get(each) for each in ref_ids]


def test_executions_lie_in_backends_of_a_programs_own() -> None:
    """Recorded into one, read, replayed and changed; those of another store are carried over when they are committed."""
    with enact.InMemoryStore():
        elsewhere = enact.invoke(tosses, (4,))
    with enact.Store(Shelf()):
        invocation = enact.invoke(tosses, (3,))
        ref, other = enact.commit(invocation), enact.commit(elsewhere)

        assert invocation == ref() == invocation.rewind(1).replay()
        assert (6, 4) == (other().get_output(), len(other()))
        with invocation.response.modify() as response:
            response.output = None
        assert 3 == invocation.replay().get_output()
