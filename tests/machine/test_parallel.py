"""Parallel steps: whatever runs them, the result is that of running their tasks one after the other, in order."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine import (
    ApplicationBuilder,
    ApplicationContext,
    BranchesFailed,
    BranchFailure,
    GraphBuilder,
    LocalTrackingClient,
    MemoryPersister,
    PassThroughMapActionsAndStates,
    PostRunStepHook,
    Retry,
    RunnableGraph,
    State,
    SubGraphTask,
    action,
    expr,
    map_reduce_action,
)
from gvstore.machine.action_fault import ActionTimeout, UndeclaredWrite
from tests.machine.counting import counter
from tests.machine.fanning import (
    OfNumbers,
    Product,
    Several,
    Squares,
    Tasks,
    answers,
    builder,
    built,
    each_number,
    square,
)


class AtOnce(Executor):
    """Runs what is submitted there and then; of three the last first, if it is told so."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Returns what has run."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as e:
            future.set_exception(e)
        return future


@given(st.lists(st.integers(-(2**40), 2**40), max_size=12), st.integers(1, 14) | st.none(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_parallel_is_sequential(numbers: list[int], limit: int | None, at_once: bool) -> None:
    """For any numbers, limit and executor: the answers of plain Python, in the order of the tasks; nothing else is in the state."""
    parallel = Squares()
    parallel.limit = limit
    made = builder(parallel, numbers)
    if at_once:
        made.with_parallel_executor(AtOnce)
    assert {"numbers": numbers, "answers": [number**2 for number in numbers]} == made.build().run()[2]


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=4), max_size=6), st.sampled_from([1, 2, None]))
@settings(max_examples=25, deadline=None)
def test_branches_of_graphs_are_as_the_graph_alone(words: list[list[str]], limit: int | None) -> None:
    """A branch ends with the state that its graph, run by itself from the same state, ends with."""

    @action(reads=["word", "seen"], writes=["word", "seen"])
    def a(state: State[Any]) -> State[Any]:
        return state.update(word=state["word"][1:]).append(seen="A")

    @action(reads=["word", "seen"], writes=["word", "seen"])
    def b(state: State[Any]) -> State[Any]:
        return state.update(word=state["word"][1:]).append(seen="B")

    starts = expr("len(word) > 0 and word[0] == 'a'")
    other = expr("len(word) > 0 and word[0] == 'b'")
    graph = GraphBuilder().with_actions(a, b).with_transitions((["a", "b"], "a", starts), (["a", "b"], "b", other)).build()
    runnable = RunnableGraph(graph, "a", [])
    alone = [ApplicationBuilder().with_graph(graph).with_entrypoint("a").with_state(word=w, seen=[]).build().run()[2] for w in words]
    parallel = map_reduce_action(
        runnable,
        lambda state: [State({"word": word, "seen": []}) for word in state["words"]],
        lambda state, states: state.update(ended=[each.get_all() for each in states]),
        ["words"], ["ended"], limit=limit,
    )  # fmt: skip
    app = ApplicationBuilder().with_actions(fan=parallel).with_state(words=words).build()
    assert [each.get_all() for each in alone] == app.run()[2]["ended"]


def test_maps() -> None:
    """Actions over one state, one over several, each over each: in the order of the actions, then of the states."""
    assert [1, 2, 3] == built(Several()).run()[2]["answers"]
    assert [1, 4, 9, 101, 104, 109] == built(Product()).run()[2]["answers"]
    parallel = map_reduce_action(
        square, lambda state, context, inputs: (state.update(number=n + inputs["by"]) for n in state["numbers"]),
        lambda state, states: state.update(answers=answers(states)), ["numbers"], ["answers"], ["by"],
    )  # fmt: skip
    assert isinstance(parallel, PassThroughMapActionsAndStates)
    assert [4, 9, 16] == built(parallel).run(inputs={"by": 1})[2]["answers"]


def test_a_branch_runs_a_graph_up_to_its_halt() -> None:
    """`create` makes one of an action, a function, a graph; a graph runs to its end, or halts where it is told."""
    graph = counter(3).build().graph

    def tasks(state: State[Any]) -> list[SubGraphTask]:
        begins: State[Any] = State({"count": 0})
        return [SubGraphTask(graph, {}, begins), SubGraphTask(RunnableGraph(graph, "count", ["count"]), {}, begins)]

    class Ends(Tasks):
        def reduce(self, state: State[Any], states: Any) -> State[Any]:
            return state.update(answers=[each.get_all() for each in states])

    assert [{"count": 3, "done": True}, {"count": 1}] == built(Ends(tasks)).run()[2]["answers"]
    assert ("square", ["square"]) == (RunnableGraph.create(square).entrypoint, RunnableGraph.create(square).halt_after)
    assert RunnableGraph.create(square.bind(plus=2).with_name("two")).halt_after == ["two"]
    made = RunnableGraph.create(graph)
    assert ("count", []) == (made.entrypoint, made.halt_after)
    assert made is RunnableGraph.create(made)


def test_the_order_is_that_of_the_tasks_whichever_ends_first() -> None:
    """Each branch waits for the one behind it; the answers stand in order, and several run at once."""
    ended = [threading.Event() for _ in range(4)]
    ended[3].set()

    @action(reads=["number"], writes=["answer"])
    def backwards(state: State[Any]) -> State[Any]:
        number = state["number"]
        ended[number].wait()
        if number:
            ended[number - 1].set()
        return state.update(answer=number)

    assert [0, 1, 2, 3] == built(Tasks(each_number(backwards)), [0, 1, 2, 3]).run()[2]["answers"]


def test_a_limit_holds() -> None:
    """Never more than `limit` branches run at once, whatever the executor could."""
    lock, here, most = threading.Lock(), [0], [0]

    @action(reads=["number"], writes=["answer"])
    def counted(state: State[Any]) -> State[Any]:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        threading.Event().wait(0.002)
        with lock:
            here[0] -= 1
        return state.update(answer=state["number"])

    made = builder(Tasks(each_number(counted), limit=3), list(range(12))).with_parallel_executor(lambda: ThreadPoolExecutor(8))
    assert list(range(12)) == made.build().run()[2]["answers"]
    assert most[0] <= 3


def test_ids_are_the_same_again_and_others_in_another_step() -> None:
    """A branch's id follows from the parent's, the step, and the task's key."""
    seen: list[tuple[str, str | None, Any]] = []

    @action(reads=["number"], writes=["answer"])
    def told(state: State[Any], __context: Any) -> State[Any]:
        seen.append((__context.app_id, __context.partition_key, state["number"]))
        return state.update(answer=0)

    def ids() -> dict[Any, str]:
        seen.clear()
        app = builder(Tasks(each_number(told))).with_transitions(("fan", "fan")).build()
        app.step()
        first = {number: app_id for app_id, _, number in seen}
        app.step()
        assert len({app_id for app_id, _, _ in seen}) == 6
        assert {"north"} == {partition for _, partition, _ in seen}
        return first

    assert ids() == ids()


def test_branches_cascade() -> None:
    """Persister and tracker are the application's, unless the action says None or another; branches know their parent."""
    persister, own = MemoryPersister(), MemoryPersister()

    class Kept(Squares):
        def state_initializer(self, **kwargs: Any) -> Any:
            return None

    class Apart(Kept):
        def state_persister(self, **kwargs: Any) -> Any:
            return own

    class Nowhere(Kept):
        def state_persister(self, **kwargs: Any) -> Any:
            return None

    for parallel, there, apart in ((Kept(), 4, 0), (Apart(), 4 + 1, 3), (Nowhere(), 4 + 2, 3)):
        name = type(parallel).__name__
        builder(parallel).with_identifiers(app_id=name).with_state_persister(persister).build().run()
        assert (there, apart) == (len(persister.list_app_ids("north")), len(own.list_app_ids("north")))


def test_a_tracker_sees_the_branches(tmp_path: Any) -> None:
    """Each branch is an application of its own in the tracker's project, spawned by the step."""
    tracker = LocalTrackingClient("project", tmp_path)
    builder(Squares()).with_tracker(tracker).build().run()
    assert 4 == len(tracker.list_app_ids("north"))
    assert 3 == (tmp_path / "project" / "parent" / "children.jsonl").read_text().count("spawn_start")


def test_branches_that_had_ended_are_not_run_again() -> None:
    """With a persister to go on from, a step that failed resumes its branches: what had ended is loaded, the rest runs."""
    persister, ran, mended = MemoryPersister(), [], [False]

    @action(reads=["number"], writes=["answer"])
    def once(state: State[Any]) -> State[Any]:
        ran.append(state["number"])
        if state["number"] == 3 and not mended[0]:
            raise ConnectionError("down")
        return state.update(answer=state["number"] * 7)

    def tasks(state: State[Any]) -> Any:
        for number in state["numbers"]:
            yield SubGraphTask(
                once, {}, state.update(number=number), f"branch {number}", None, persister, persister,
            )  # fmt: skip

    app = built(Tasks(tasks, fail="all"))
    with pytest.raises(BranchesFailed, match="1 of 3 branches of action fan failed"):
        app.run()
    mended[0] = True
    assert [7, 14, 21] == app.run()[2]["answers"]
    assert [1, 2, 3, 3] == sorted(ran)


@action(reads=["number"], writes=["answer"])
def failing(state: State[Any]) -> State[Any]:
    """Fails for odd numbers."""
    if state["number"] % 2:
        raise ArithmeticError(f"odd: {state['number']}")
    return state.update(answer=state["number"])


def test_fast_raises_the_first_by_order_and_leaves_no_trace() -> None:
    """The first of those that failed is raised, whichever failed first, and the state is as it was."""
    app = built(Tasks(each_number(failing), fail="fast"), [2, 5, 7])
    with pytest.raises(ArithmeticError, match="odd: 5") as caught:
        app.run()
    assert ["in branch 1 of action fan"] == caught.value.__notes__
    assert {"numbers": [2, 5, 7]} == app.state


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 9) | st.none(), st.sampled_from(["fast", "all"]))
@settings(max_examples=30, deadline=None)
def test_failures_are_those_of_running_one_after_the_other(numbers: list[int], limit: int | None, fail: str) -> None:
    """fast raises what the first failing task raises, all what each does, in order; without a failure there is a result."""
    app = built(Tasks(each_number(failing), fail=fail, limit=limit, least=0), numbers)
    told = [f"odd: {number}" for number in numbers if number % 2]
    if not told:
        assert numbers == app.run()[2]["answers"]
        return
    with pytest.raises((ArithmeticError, BranchesFailed)) as caught:
        app.run()
    error = caught.value
    assert (told[:1] if fail == "fast" else told) == [str(each) for each in getattr(error, "exceptions", [error])]


def test_fast_begins_no_other() -> None:
    """After a failure no branch is begun that had not."""
    app = built(Tasks(each_number(failing), limit=1), [1, 3, 5])
    ran: list[str] = []

    class Counting(PostRunStepHook):
        def post_run_step(self, *, app_id: str, **kwargs: Any) -> None:
            ran.append(app_id)

    def tracked(state: State[Any], context: Any, inputs: dict[str, Any]) -> Any:
        for task in each_number(failing)(state, context, inputs):
            task.tracker = Counting()
            yield task

    with pytest.raises(ArithmeticError, match="odd: 1"):
        app.run()
    with pytest.raises(ArithmeticError, match="odd: 1"):
        built(Tasks(tracked, limit=1), [1, 3, 5]).run()
    assert 1 == len(ran)


def test_all_raises_a_group() -> None:
    """All end, and what they raised is raised together, in order."""
    app = built(Tasks(each_number(failing), fail="all"), [1, 2, 3])
    with pytest.raises(BranchesFailed, match="2 of 3 branches of action fan failed") as caught:
        app.run()
    assert ["odd: 1", "odd: 3"] == [str(each) for each in caught.value.exceptions]
    assert {"numbers": [1, 2, 3]} == app.state


def test_keep_hands_failures_to_reduce() -> None:
    """A failure stands in the place of the branch's state, with its key and what was raised, and is false."""
    kept: list[Any] = []

    class Kept(Tasks):
        def reduce(self, state: State[Any], states: Any) -> State[Any]:
            kept.extend(states)
            return state.update(answers=[each["answer"] if each else None for each in kept])

    assert [2, None, 4] == built(Kept(each_number(failing), fail="keep"), [2, 3, 4]).run()[2]["answers"]
    assert isinstance(kept[1], BranchFailure)
    assert ("1", "odd: 3") == (kept[1].key, str(kept[1].error))


@pytest.mark.parametrize("fail", ["fast", "all", "keep"])
def test_mistakes_are_never_kept(fail: str) -> None:
    """What is wrong with the program is raised as it is, whatever becomes of failures; it says in which branch."""

    @action(reads=["number"], writes=["answer"])
    def wrong(state: State[Any]) -> State[Any]:
        return state.update(anwser=1)

    with pytest.raises(UndeclaredWrite, match="anwser") as caught:
        built(Tasks(each_number(wrong), fail=fail)).run()
    assert ["in branch 0 of action fan"] == caught.value.__notes__


def test_a_task_is_tried_again_from_the_action_that_failed() -> None:
    """What a branch had done stays done; the attempts are each branch's own."""
    ran: list[str] = []

    @action(reads=["number"], writes=["half"])
    def begin(state: State[Any]) -> State[Any]:
        ran.append(f"begin {state['number']}")
        return state.update(half=state["number"])

    @action(reads=["half"], writes=["answer"])
    def flaky(state: State[Any]) -> State[Any]:
        ran.append(f"flaky {state['half']}")
        if ran.count(f"flaky {state['half']}") <= state["half"]:
            raise ConnectionError("down")
        return state.update(answer=state["half"])

    graph = GraphBuilder().with_actions(begin, flaky).with_transitions(("begin", "flaky")).build()
    app = built(Tasks(each_number(graph), task_retry=Retry(3, backoff=0)), [0, 1, 2])
    assert [0, 1, 2] == app.run()[2]["answers"]
    assert [1, 1, 1, 1, 2, 3] == [ran.count(f"{name} {n}") for name in ("begin", "flaky") for n in range(3)]
    ran.clear()
    with pytest.raises(ConnectionError):
        built(Tasks(each_number(graph, retry=Retry(2, backoff=0))), [2]).run()


def test_a_task_has_its_time() -> None:
    """A branch that takes too long is left to itself: ActionTimeout, which says which; with retries it begins anew."""
    gate, ran = threading.Event(), []

    @action(reads=["number"], writes=["answer"])
    def slow(state: State[Any]) -> State[Any]:
        ran.append(state["number"])
        if len(ran) == 1:
            gate.wait()
        return state.update(answer=state["number"])

    app = built(Tasks(each_number(slow), task_timeout=0.05), [5])
    with pytest.raises(ActionTimeout, match=r"fan \(branch 0\) took longer than its timeout of 0.05 s"):
        app.run()
    gate.set()
    ran.clear()
    gate.clear()
    assert [5] == built(Tasks(each_number(slow, retry=Retry(50, backoff=0), timeout=0.2)), [5]).run()[2]["answers"]
    gate.set()


def test_branches_within_branches() -> None:
    """A branch may have a parallel step of its own, in the same executors."""
    made: list[int] = []

    def executor() -> ThreadPoolExecutor:
        made.append(1)
        return ThreadPoolExecutor(2)

    def rows(state: State[Any]) -> Any:
        for row in ([1, 2], [3, 4]):
            yield SubGraphTask(Squares(), {}, State({"numbers": row}))

    class Rows(Tasks):
        def reduce(self, state: State[Any], states: Any) -> State[Any]:
            return state.update(answers=[each["answers"] for each in states])

    assert [[1, 4], [9, 16]] == builder(Rows(rows)).with_parallel_executor(executor).build().run()[2]["answers"]
    assert 3 == len(made)


def test_other_processes_run_branches() -> None:
    """With a ProcessPoolExecutor a branch goes to another process, and its state comes back."""
    app = builder(Squares()).with_parallel_executor(lambda: ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))).build()
    assert [1, 4, 9] == app.run()[2]["answers"]


def test_branches_take_what_they_take_of_the_inputs() -> None:
    """What the parallel action itself takes goes to the branches that take it too; the context is there by name."""

    class Given(Tasks):
        @property
        def inputs(self) -> Any:
            return ["plus", "times"]

    def tasks(state: State[Any], context: Any, inputs: dict[str, Any]) -> Any:
        assert isinstance(context, ApplicationContext)
        for number in state["numbers"] * inputs["times"]:
            yield SubGraphTask(square, inputs, state.update(number=number))

    assert [11, 14, 19] * 2 == built(Given(tasks)).run(inputs={"plus": 10, "times": 2})[2]["answers"]


def test_a_branch_begins_with_what_the_action_reads() -> None:
    """Without a state a branch begins with what its action reads, and what it does reaches the parent by `reduce` alone."""

    @action(reads=["numbers"], writes=["answer", "secret"])
    def whole(state: State[Any]) -> State[Any]:
        state["numbers"].append(99)
        return state.update(answer=sum(state["numbers"]), secret=1)

    app = builder(Tasks(lambda state: [SubGraphTask(whole)])).with_state(other=1).build()
    assert {"numbers": [1, 2, 3], "other": 1, "answers": [6]} == app.run()[2]


def test_a_task_runs_by_itself() -> None:
    """`run` takes a context: what tasks() is given, or any other."""
    context = ApplicationContext("parent", None, 3)
    task = SubGraphTask(RunnableGraph.create(square), {"plus": 1}, State({"number": 4}), "child")
    assert {"number": 4, "answer": 17} == task.run(context)


def test_a_class_says_what_it_is_in_one_line() -> None:
    """OfNumbers alone is no action; with tasks it is one that reads numbers."""
    assert "fan: numbers -> answers" == repr(built(Squares()).graph.actions[0])
    assert OfNumbers.reads == ["numbers"]
