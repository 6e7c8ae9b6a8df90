"""What answers, what is executed, and when a strict replay refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note

SWITCH: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _reset() -> None:
    SWITCH.clear()


@gv.register
def ask(prompt: str) -> str:
    note(prompt)
    if prompt in SWITCH.get("fails", ()):
        raise ValueError(prompt)
    return prompt.upper()


@gv.register
def chain(prompts: tuple[str, ...]) -> list[str]:
    note("chain")
    return [ask(prompt) for prompt in SWITCH.get("prompts", prompts)]


@gv.register
def outer(prompts: tuple[str, ...]) -> list[str]:
    note("outer")
    return chain(prompts)


def test_only_what_is_missing_runs(repo: Repository) -> None:
    """After rewind(1) the last call runs and no other; the root always runs."""
    run = repo.run(chain, ("a", "b", "c"))
    BODIES.clear()

    again = run.rewind(1).replay()

    assert ["chain", "c"] == BODIES
    assert {"calls": 4, "executed": 2, "reused": 2} == again.record.counts
    assert run.invocation == again.invocation
    assert again.parent is not None and "rewound" == again.parent.status


def test_a_finished_subtree_is_adopted_whole(repo: Repository) -> None:
    """A call that has its outcome answers for all below it."""
    run = repo.run(outer, ("a", "b"))
    BODIES.clear()

    again = run.replay()

    assert ["outer"] == BODIES
    assert {"calls": 4, "executed": 1, "reused": 3} == again.record.counts


def test_a_complete_invocation_replays_to_itself(repo: Repository) -> None:
    """Nothing is executed where the record is complete and fresh."""
    run = repo.run(outer, ("a",))
    BODIES.clear()

    assert run.invocation is not run.invocation.replay()
    assert run.invocation == run.invocation.replay()
    assert [] == BODIES
    assert 1 == len(repo.runs)


def test_failed_calls_are_executed_again(repo: Repository) -> None:
    """What raised in the end is not answered; what was made before it is."""
    SWITCH["fails"] = ("c",)
    performed = repo.perform(chain, (("a", "b", "c", "d"),), {})
    assert performed.run is not None and "raised" == performed.run.status
    SWITCH.clear()
    BODIES.clear()

    again = performed.run.replay()

    assert ["chain", "c", "d"] == BODIES
    assert ["A", "B", "C", "D"] == again.output


@gv.register
def retry(prompt: str) -> list[str]:
    note("retry")
    seen: list[str] = []
    for _ in range(3):
        try:
            return [*seen, flaky(prompt)]
        except ValueError as e:
            seen.append(str(e))
    return seen


@gv.register
def flaky(prompt: str) -> str:
    note("flaky")
    SWITCH["calls"] = SWITCH.get("calls", 0) + 1
    if SWITCH["calls"] < 3:
        raise ValueError(f"try {SWITCH['calls']}")
    return prompt


def test_retries_answer_with_their_exceptions(repo: Repository) -> None:
    """A failure followed by an equal success is answered, as often as it happened."""
    run = repo.run(retry, "x")
    BODIES.clear()

    again = run.replay()

    assert ["retry"] == BODIES
    assert ["try 1", "try 2", "x"] == again.output
    assert run.invocation == again.invocation


def test_opaque_outputs_are_executed(repo: Repository, warned: list[str]) -> None:
    """What could not be stored cannot answer."""

    @gv.register
    def make() -> object:
        note("make")
        return object()

    def root() -> int:
        make()
        return 1

    run = repo.run(gv.register(root))
    BODIES.clear()
    run.replay()

    assert ["make"] == BODIES


def test_order_does_not_matter(repo: Repository) -> None:
    """Calls are matched by what they are, not by where they stand; strict replay allows any order."""
    run = repo.run(chain, ("a", "b", "c"))
    SWITCH["prompts"] = ("c", "a", "b")
    BODIES.clear()

    for strict in (True, False):
        again = repo.perform_replay(run, strict=strict).run
        assert again is not None and ["C", "A", "B"] == again.output

    assert ["chain", "chain"] == BODIES


def test_equal_calls_are_answered_in_turn(repo: Repository) -> None:
    """The k-th call of several equal ones is answered by the k-th record."""

    @gv.register
    def draw() -> int:
        note("draw")
        SWITCH["n"] = SWITCH.get("n", 0) + 1
        return int(SWITCH["n"])

    @gv.register
    def deal() -> list[int]:
        return [draw(), draw(), draw()]

    run = repo.run(deal)
    again = run.rewind(1).replay()

    assert [1, 2, 3] == run.output
    assert [1, 2, 4] == again.output


def test_strict_refuses_another_call(repo: Repository) -> None:
    """While the record has calls left, another call is a ReplayError that says what was expected and what came."""
    run = repo.run(chain, ("a", "b"))
    SWITCH["prompts"] = ("a", "x", "b")
    BODIES.clear()

    with pytest.raises(
        gv.ReplayError,
        match=r"goes on with call 1, ask\(prompt='b'\), but ask was called with other arguments: prompt 'b' → 'x'",
    ):
        run.replay(strict=True)

    assert ["chain"] == BODIES
    assert ["A", "X", "B"] == run.replay(strict=False).output
    assert ["chain", "chain", "x"] == BODIES


def test_strict_executes_what_comes_after_the_record(repo: Repository) -> None:
    """Calls after the record's end are executed, strict or not."""
    run = repo.run(chain, ("a", "b"))
    SWITCH["prompts"] = ("a", "b", "c")

    assert ["A", "B", "C"] == run.replay(strict=True).output
    assert ["A", "B", "C"] == run.rewind(0).invocation.replay().output


def test_strict_refuses_to_leave_calls_over(repo: Repository) -> None:
    """A program that was answered throughout and does not make a recorded call has left the record."""
    run = repo.run(chain, ("a", "b", "c"))
    SWITCH["prompts"] = ("a", "b")

    with pytest.raises(gv.ReplayError, match=r"goes on with call 2, ask\(prompt='c'\), but chain returned"):
        run.replay(strict=True)

    assert ["A", "B"] == run.replay().output


def test_a_cured_error_may_leave_its_handler_over(repo: Repository) -> None:
    """Where a call was executed, and turned out otherwise, the rest of the record need not come back."""

    @gv.register
    def handled() -> str:
        try:
            return ask("q")
        except ValueError:
            return ask("handler")

    SWITCH["fails"] = ("q",)
    run = repo.run(handled)
    SWITCH.clear()

    assert "HANDLER" == run.output
    assert "Q" == run.replay(strict=True).output


@gv.register
def swallowing(prompts: tuple[str, ...]) -> list[str]:
    done = []
    for prompt in SWITCH.get("prompts", prompts):
        try:
            done.append(ask(prompt))
        except Exception as e:
            done.append(type(e).__name__)
    return done


def test_a_swallowed_divergence_surfaces(repo: Repository) -> None:
    """`except Exception` does not hide that a strict replay left the record, and nothing more is executed."""
    run = repo.run(swallowing, ("a", "b"))
    SWITCH["prompts"] = ("x", "y", "b")
    BODIES.clear()

    with pytest.raises(gv.ReplayError):
        run.replay(strict=True)

    assert [] == BODIES
    assert repo.runs.last is not None and ["ReplayError"] * 3 == repo.runs.last.output


def test_strict_takes_its_three_values(repo: Repository) -> None:
    """strict is True, False or "code"."""
    run = repo.run(chain, ("a",))

    assert ["A"] == run.replay(strict="code").output
    with pytest.raises(ValueError, match="strict is"):
        run.replay(strict="sometimes")


class Refusal(ValueError):
    """An exception of the program's own, with a field."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(what, code)
        self.code = code


@gv.register
def refuse(what: str) -> str:
    note("refuse")
    try:
        raise KeyError("inner")
    except KeyError as e:
        raise Refusal(what, 7) from e


@gv.register
def cautious(what: str) -> str:
    try:
        return refuse(what)
    except Refusal as e:
        return f"{e.code}"


def test_exceptions_are_kept_with_type_arguments_and_cause(repo: Repository) -> None:
    """A recorded exception is the one that was raised: class, arguments, own fields, cause; and where it began."""
    performed = repo.perform(refuse, ("no",), {})
    assert performed.run is not None
    recorded = performed.run.invocation.get_raised()

    assert isinstance(recorded, Refusal)
    assert (("no", 7), 7) == (recorded.args, recorded.code)
    assert isinstance(recorded.__cause__, KeyError) and ("inner",) == recorded.__cause__.args
    assert performed.run.invocation.get_raised_here()


def test_an_exception_tells_where_it_began(repo: Repository) -> None:
    """raised_here is true of the call that raised, false of those it passed through."""
    SWITCH["fails"] = ("b",)
    performed = repo.perform(outer, (("a", "b"),), {})
    assert performed.run is not None
    root = performed.run.invocation
    (middle,) = root.get_children()

    assert [False, False, True] == [each.get_raised_here() for each in (root, middle, middle.get_child(1))]


def test_exceptions_can_be_overridden(repo: Repository) -> None:
    """exception_override answers for the call that raised, with a value or a reference."""
    run = repo.run(cautious, "no")
    met: list[Any] = []

    def override(ref: gv.Ref[Any]) -> Any:
        met.append(ref.checkout())
        return gv.commit("instead")

    BODIES.clear()
    again = run.invocation.rewind(0).replay(exception_override=override)

    assert "instead" == again.output
    assert [] == BODIES
    assert isinstance(met[0], Refusal)
    assert "7" == run.invocation.rewind(0).replay(exception_override=lambda ref: None).output
    assert "plain" == run.invocation.rewind(0).replay(exception_override=lambda ref: "plain").output


@gv.register
@dataclass
class Agent(gv.Invokable):
    name: str
    history: list[str] = field(default_factory=list)
    client: Any = None

    def call(self, text: str) -> str:
        note(text)
        self.history.append(text)
        return f"{self.name}: {text}"


@gv.register
def talk(client: bool = False) -> list[str]:
    agent = Agent("ada", client=object() if client else None)
    said = [agent("one"), agent("two")]
    SWITCH["agent"] = agent
    return said + agent.history


@pytest.mark.filterwarnings("ignore::gvstore.OpaqueWarning")
@pytest.mark.parametrize("client", [False, True])
def test_the_state_of_a_component_is_restored(repo: Repository, client: bool) -> None:
    """A call that is answered leaves the instance as the call left it; what could not be stored stays as it is."""
    run = repo.run(talk, client)
    BODIES.clear()

    again = run.replay()

    assert [] == BODIES
    assert ["one", "two"] == SWITCH["agent"].history
    assert client == (type(SWITCH["agent"].client) is object)
    assert run.invocation == again.invocation
    first = run.invocation.get_child(0)
    assert ([], ["one"]) == (first.state.history, run.invocation.get_child(1).state.history)


def test_an_invokable_at_the_top(repo: Repository) -> None:
    """An instance is run with its fields, and replayed with the fields it had."""
    agent = Agent("bob")
    run = repo.run(agent, "hello")
    again = run.rewind(0).replay()

    assert "bob: hello" == run.output == again.output
    assert ("bob", []) == (again.invocation.state.name, again.invocation.state.history)
    assert "hello" == run.invocation.get_input()


def test_repeat_effects_are_always_executed(repo: Repository) -> None:
    """effect="repeat" is never answered."""

    @gv.register(effect="repeat")
    def fill() -> int:
        note("fill")
        return 1

    @gv.register
    def root() -> int:
        return fill() + fill()

    run = repo.run(root)
    BODIES.clear()
    run.replay()

    assert ["fill", "fill"] == BODIES


@pytest.mark.parametrize(
    "error",
    [
        StopIteration(4),
        SystemExit(3),
        GeneratorExit(),
        OSError(2, "no", "file"),
        UnicodeDecodeError("a", b"b", 0, 1, "c"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_exception_comes_out(repo: Repository, error: BaseException) -> None:
    """Whatever is raised reaches the program, and the run is kept."""

    @gv.register
    def raising() -> None:
        raise error

    def root() -> str:
        try:
            raising()
        except BaseException as e:
            return type(e).__name__
        return ""

    assert type(error).__name__ == repo.run(root).output
    assert error is repo.perform(raising, (), {}).error
    assert 2 == len(repo.runs)


def test_an_exception_with_what_cannot_be_stored(repo: Repository, warned: list[str]) -> None:
    """Attributes without an encoding are opaque; the exception passes through unchanged."""

    class Strange(Exception):
        def __init__(self) -> None:
            super().__init__(object())
            self.handle = iter([1])

        def __str__(self) -> str:
            raise RuntimeError("no text")

        def __getattribute__(self, name: str) -> Any:
            if name == "args":
                raise RuntimeError("no arguments")
            return super().__getattribute__(name)

    @gv.register
    def raising() -> None:
        raise Strange

    performed = repo.perform(raising, (), {})

    assert isinstance(performed.error, Strange)
    assert performed.run is not None and "raised" == performed.run.status
    assert performed.run.invocation.get_raised() is not None
