"""Questions: request_input, continuing with an answer, and executions that stop at each question."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

import gvstore as enact
from gvstore.journal.inbox import open_runs, read_answer
from gvstore.journal.question import open_questions
from gvstore.journal.repository import Repository
from gvstore.store.resource import Resource
from tests.journal.bodies import BODIES, note


@enact.register
def draw(n: int) -> int:
    note(n)
    return n * 10


@enact.register
def interview(count: int) -> list[str]:
    note("interview")
    return [enact.request_input(str, for_value=draw(i), context=f"question {i}") for i in range(count)]


@enact.register
def outer(count: int) -> str:
    return "-".join(interview(count))


@enact.register
async def guess(i: int, kind: Any = int) -> int:
    await asyncio.sleep(0)
    answer: int = enact.request_input(kind, for_value=i)
    return answer


@enact.register
async def crowd(count: int) -> list[int]:
    found = await asyncio.gather(*map(guess, range(count)), return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    more = await guess(100)
    return [*found, more]  # type: ignore[list-item]


def test_a_question_ends_the_calls_above_it() -> None:
    """It is a result: the invocation waits, at every depth, and says what is asked where it began."""
    with enact.InMemoryStore():
        invocation = enact.invoke(outer, (2,))
        question = invocation.get_raised()
        asking = invocation.get_child(0).get_child(1)

        assert isinstance(question, enact.InputRequest)
        assert (0, str, "question 0") == (question.for_value(), question.requested_type, question.context)
        assert enact.RequestInput(str, "question 0") == question.invokable == asking.request().invokable()
        assert [False, False, True] == [
            each.get_raised_here() for each in (invocation, invocation.get_child(0), asking)
        ]
        assert "waiting" == invocation.status and not invocation.successful()
        assert "str: question 0" == str(question)
        assert question.asks_same(invocation.response().raised())  # type: ignore[misc]


def test_an_answer_continues() -> None:
    """The answer stands as the output of the call that asked; nothing before it runs again."""
    with enact.InMemoryStore():
        invocation = enact.invoke(outer, (2,))
        for answer in ("a", "b"):
            BODIES.clear()
            question = invocation.get_raised()
            assert isinstance(question, enact.InputRequest)
            invocation = question.continue_invocation(invocation, answer)

        assert "a-b" == invocation.get_output()
        assert ["interview"] == BODIES
        assert [0, "a", 10, "b"] == [each.get_output() for each in invocation.get_child(0).get_children()]


def test_answers_are_checked() -> None:
    """Against the requested type, however they are given; a question that is not asked takes none."""
    with enact.InMemoryStore():
        invocation = enact.invoke(outer, (1,))
        question = invocation.get_raised()
        assert isinstance(question, enact.InputRequest)

        with pytest.raises(enact.InvokableTypeError, match="asks for str, and the answer is int: 5"):
            question.continue_invocation(invocation, 5)
        with pytest.raises(TypeError):
            invocation.replay(exception_override=lambda ref: 5)
        with pytest.raises(enact.NotOpen, match="does not ask"):
            question.continue_invocation(question.continue_invocation(invocation, "x"), "y")
        assert "x" == question.continue_invocation(invocation, enact.commit("x")).get_output()


def test_overrides_answer_questions() -> None:
    """exception_override is shown the question and answers it; None is an answer if a reference names it."""

    @enact.register
    def optional() -> list[Any]:
        return [enact.request_input(Optional[int]), enact.request_input(None)]  # noqa: UP045 - old code is read too

    with enact.InMemoryStore():
        invocation = enact.invoke(optional)
        for _ in range(2):
            invocation = invocation.replay(exception_override=lambda ref: enact.commit(None))

        assert [None, None] == invocation.get_output()


@dataclass
class Plan(Resource):
    topic: str


@pytest.mark.parametrize(
    ("kind", "good", "bad", "text"),
    [
        (int, 3, True, "3"),
        (float, 3, "3", "3"),
        (bool, True, 1, "true"),
        (list[int], [1, 2], ["1"], "[1, 2]"),
        (dict[str, int], {"a": 1}, {"a": "b"}, '{"a": 1}'),
        (str | None, "a", 3, "a"),
        (Literal["yes", "no"], "yes", "maybe", "yes"),
        (Plan, Plan("x"), {"topic": "x"}, '{"topic": "x"}'),
        (bytes, b"ab", "ab", "ab"),
        (Any, {"x": [1]}, None, '{"x": [1]}'),
    ],
)
def test_many_types_can_be_asked_for(kind: Any, good: Any, bad: Any, text: str, tmp_path: Path) -> None:
    """Classes, lists, dicts, unions and Literals; and a word on the command line spells each of them."""

    @enact.register
    def ask() -> Any:
        return enact.request_input(kind)

    with enact.InMemoryStore():
        question = enact.invoke(ask).get_raised()
        assert isinstance(question, enact.InputRequest)
        if kind is not Any:
            with pytest.raises(enact.InvokableTypeError):
                question.check(bad)

        assert good == question.check(good) == read_answer(text, question, tmp_path)
        (tmp_path / "said.txt").write_text(text)
        if kind is not Any:
            assert good == read_answer("@said.txt", question, tmp_path)


def test_questions_that_cannot_be_asked(repo: Repository) -> None:
    """Where nothing is recorded there is nobody to answer later; a type without a description cannot be checked."""
    with pytest.raises(enact.InputRequestOutsideInvocation):
        enact.request_input(str)
    with pytest.raises(enact.RequestedTypeUndetermined, match="cannot be asked for"):
        enact.request_input(3)
    with pytest.raises(enact.InputRequestOutsideInvocation):
        interview(1)


def test_a_run_waits_and_is_answered(repo: Repository) -> None:
    """In a repository the run has the status; another is derived from it by the answer, and it leaves the inbox."""
    run = enact.run(outer, 2)
    (question,) = run.questions

    assert ("waiting", "run/1:0.1", "str") == (run.status, question.name, question.wanted)
    assert [1] == [each.number for each in open_runs(repo)]
    second = run.answer("a")
    assert ([2], "waiting") == ([each.number for each in open_runs(repo)], second.status)
    with pytest.raises(enact.NotOpen, match="asks nothing: it is ok"):
        second.answer("b", at=(0, 0))
    with pytest.raises(enact.InvokableTypeError):
        second.answer(7)
    third = second.answer("b", at=(0, 3))
    assert ("a-b", "ok") == (third.output, third.status)
    assert third.parent is not None and 2 == third.parent.number
    assert [] == list(open_runs(repo))
    with pytest.raises(enact.NotOpen, match="run/3"):
        third.answer("c")


def test_a_caught_question_is_not_open(repo: Repository) -> None:
    """A program that goes on without an answer does not wait for one."""

    @enact.register
    def impatient() -> str:
        try:
            return interview(1)[0]
        except enact.InputRequest:
            return "default"

    run = enact.run(impatient)

    assert ("ok", "default", []) == (run.status, run.output, run.questions)
    assert [] == list(open_questions(run.invocation))


def test_stepping_through_questions() -> None:
    """A generator yields the questions; nothing is executed twice, and the output comes with StopIteration."""
    with enact.InMemoryStore():
        generator = enact.InvocationGenerator.from_callable(outer, args=(3,))
        asked = []
        for question in generator:
            asked.append(question.for_value())
            generator.set_input(f"a{len(asked)}")

        assert [0, 10, 20] == asked
        assert ["interview", 0, 1, 2] == BODIES
        assert "a1-a2-a3" == generator.invocation.get_output()
        assert generator.complete and generator.input_request is None
        assert generator.invocation == enact.invoke(outer, (3,), replay_from=generator.invocation)


def test_sending_answers() -> None:
    """send is set_input and next; it checks, and a wrong answer leaves the question open."""
    with enact.InMemoryStore():
        generator = enact.InvocationGenerator(outer, 2)
        first = generator.send(None)

        assert "question 0" == first.context and not generator.complete
        with pytest.raises(enact.InvokableTypeError):
            generator.send(3)
        with pytest.raises(enact.InvocationError, match="question is open"):
            next(generator)
        assert "question 1" == generator.send("x").context
        with pytest.raises(StopIteration) as stop:
            generator.send(enact.commit("y"))
        assert "x-y" == stop.value.value
        with pytest.raises(enact.InvocationError, match="nothing is asked"):
            generator.send("z")


def test_each_step_has_its_invocation() -> None:
    """As it stands at a question it is what would have been recorded if nobody had answered."""
    with enact.InMemoryStore():
        whole = enact.invoke(outer, (2,))
        generator = enact.InvocationGenerator.from_callable(outer, (2,))
        with pytest.raises(enact.InvocationError, match="not begun"):
            _ = generator.invocation
        next(generator)

        assert whole == generator.invocation
        question = whole.get_raised()
        assert isinstance(question, enact.InputRequest)
        second = question.continue_invocation(whole, "x")
        generator.send("x")
        assert second == generator.invocation
        resumed = enact.InvocationGenerator.from_invocation(enact.commit(generator.invocation)())
        BODIES.clear()
        next(resumed)
        assert ["interview"] == BODIES
        with pytest.raises(StopIteration):
            resumed.send("y")
        assert "x-y" == resumed.invocation.get_output()
        generator.close()


def test_what_is_given_up_waits(repo: Repository) -> None:
    """A generator that is closed or forgotten leaves a waiting run; the conversation was one run."""
    generator = enact.InvocationGenerator.from_callable(outer, (3,))
    next(generator)
    generator.send("a")
    generator.close()
    forgotten = enact.InvocationGenerator.from_callable(outer, (1,))
    next(forgotten)
    del forgotten
    gc.collect()
    _wait_for_threads()

    assert [("waiting", "run/2:0.1"), ("waiting", "run/1:0.3")] == [
        (run.status, run.questions[0].name) for run in repo.runs
    ]
    assert "a-b-c" == repo.runs[1].answer("b").answer("c").output


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "gvstore-suspended":
            thread.join()


def test_exceptions_come_out_of_generators() -> None:
    """A native exception is raised by the step that met it; an ExceptionResource ends the execution as its result."""

    @enact.register
    def picky() -> str:
        if enact.request_input(str) == "bad":
            raise ValueError("bad")
        return "good"

    with enact.InMemoryStore():
        generator = enact.InvocationGenerator.from_callable(picky)
        next(generator)
        with pytest.raises(ValueError, match="bad"):
            generator.send("bad")

        assert generator.complete and "raised" == generator.invocation.status


def test_many_questions_cost_their_number() -> None:
    """Calls are executed once each, and the stack is kept: no step replays what was before it."""
    with enact.InMemoryStore():
        generator = enact.InvocationGenerator.from_callable(interview, (300,))
        for _ in generator:
            generator.set_input("x")

        assert 301 == len(BODIES)
        assert 600 == len(generator.invocation)


def test_threads_may_ask_at_once() -> None:
    """Each waits for its own answer; the questions come one after the other."""

    @enact.register
    def ask(i: int) -> str:
        answer: str = enact.request_input(str, for_value=i)
        return answer

    @enact.register
    def pooled() -> list[str]:
        barrier = threading.Barrier(3)

        def work(i: int) -> str:
            barrier.wait()
            return ask(i)

        with ThreadPoolExecutor(3) as pool:
            return [f.result() for f in [pool.submit(copy_context().run, work, i) for i in range(3)]]

    with enact.InMemoryStore():
        generator = enact.InvocationGenerator.from_callable(pooled)
        for question in generator:
            generator.set_input(f"for {question.for_value()}")

        assert ["for 0", "for 1", "for 2"] == generator.invocation.get_output()


def test_several_questions_are_open_in_async_programs() -> None:
    """All that were asked at once are handed out; the program goes on when each has its answer."""

    async def step() -> enact.InvocationGenerator:
        generator = enact.InvocationGenerator.from_callable(crowd, (4,))
        async for question in generator:
            asked.append((question.for_value(), len(generator.input_requests)))
            generator.set_input(question.for_value() * 2)
        return generator

    asked: list[tuple[int, int]] = []
    with enact.InMemoryStore():
        generator = asyncio.run(step())

        assert [(0, 4), (1, 3), (2, 2), (3, 1), (100, 1)] == asked
        assert [0, 2, 4, 6, 200] == generator.invocation.get_output()
        assert generator.complete


def test_async_answers_are_matched_by_their_calls() -> None:
    """Equal questions are told apart by the calls that ask them; one answered alone leaves the others open."""

    async def go() -> None:
        invocation = await enact.invoke_async(crowd, (3,))
        paths = [path for path, _ in open_questions(invocation)]
        assert [(0, 0), (1, 0), (2, 0)] == paths
        questions = dict(open_questions(invocation))
        invocation = await questions[1, 0].continue_invocation_async(invocation, 7)
        assert [(0, 0), (2, 0)] == [path for path, _ in open_questions(invocation)]
        assert [None, 7, None] == [each.get_output() for each in invocation.get_children()]

        def override(ref: enact.Ref[Any]) -> Any:
            return ref().for_value() + 1

        for _ in range(2):
            invocation = await invocation.replay_async(exception_override=override)
        assert [1, 7, 3, 101] == invocation.get_output()

    with enact.InMemoryStore():
        asyncio.run(go())


def test_groups_of_questions_wait() -> None:
    """A TaskGroup's exceptions are questions if all of them are."""

    @enact.register
    async def grouped() -> int:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(guess(i)) for i in range(2)]
        return sum(task.result() for task in tasks)

    async def go() -> enact.Invocation:
        invocation = await enact.invoke_async(grouped)
        assert "waiting" == invocation.status
        return await invocation.replay_async(exception_override=lambda ref: 5)

    with enact.InMemoryStore():
        assert 10 == asyncio.run(go()).get_output()


def test_sync_and_async_are_not_mixed_up() -> None:
    """A generator of what is to be awaited is stepped with `async for`, any other with `for`."""

    async def step(fun: Any) -> None:
        async for _ in enact.InvocationGenerator.from_callable(fun, (1,)):
            pass

    with enact.InMemoryStore():
        with pytest.raises(TypeError, match="async for"):
            next(enact.InvocationGenerator.from_callable(crowd, (1,)))
        with pytest.raises(TypeError, match="not async"):
            asyncio.run(step(interview))
        with pytest.raises(TypeError, match="async"):
            enact.invoke(crowd, (1,))
        with pytest.raises(TypeError, match="not async"):
            asyncio.run(enact.invoke_async(interview, (1,)))


def test_the_command_line_runs_async_programs(repo: Repository) -> None:
    """perform gives what is to be awaited an event loop; run_async awaits it; run refuses it."""
    performed = repo.perform(guess, (4,), {})

    assert performed.run is not None and "waiting" == performed.run.status
    assert 6 == performed.run.answer(6).output
    with pytest.raises(TypeError, match="async"):
        enact.run(guess, 1)
    assert "waiting" == asyncio.run(enact.run_async(guess, 1)).status
