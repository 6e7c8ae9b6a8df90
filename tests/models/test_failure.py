"""How calls of models fail: each way has its class and says what to do, and what may be asked again is."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

import gvstore as gv
from gvstore.errors import ComponentRaised
from gvstore.models import Settings, chat, complete, failure, using
from gvstore.models.attempts import NO_RETRY, Backoff
from gvstore.models.failure import retry_after_s
from gvstore.models.fault import ContextOverflow, ModelFailed
from tests.models.endpoint import Handler, LoopbackServer, Reply, delta, events, hang_up, silent, status
from tests.models.endpoint import chat as whole

MODEL = "openai:gpt-test"


def error(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, **more}}


def half_of_a_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


WAYS: dict[str, tuple[Reply, type[ModelFailed], str]] = {
    "key": (status(401, error("Incorrect API key", code="invalid_api_key")), failure.KeyRefused, "401 Incorrect API key"),
    "forbidden": (status(403, {"detail": "not yours"}), failure.KeyRefused, "403 not yours"),
    "model": (status(404, error("no such model")), failure.ModelNotFound, "404 no such model"),
    "refused": (status(400, {"message": "bad temperature"}), failure.RequestRefused, "400 bad temperature"),
    "unprocessable": (status(422, {"detail": [{"loc": ["body"], "msg": "no"}]}), failure.RequestRefused, '422 .*"msg": "no"'),
    "too long": (status(400, error("x", code="context_length_exceeded")), ContextOverflow, "400 x"),
    "too long, in words": (status(400, error("maximum context length is 8192 tokens")), ContextOverflow, "8192"),
    "quota": (status(429, error("You exceeded your quota", code="insufficient_quota")), failure.QuotaUsedUp, "quota"),
    "rate": (status(429, {"error": "slow down"}), failure.RateLimited, "429 slow down"),
    "server": (status(500, b"<html><style>b{}</style><b>Oh</b> no</html>"), failure.EndpointFailed, "500 Oh no"),
    "overloaded": (status(529, error("overloaded", type="overloaded_error")), failure.EndpointFailed, "529 overloaded"),
    "gateway": (status(504, b""), failure.EndpointTimedOut, "504"),
    "moved": (status(307, b"", location="http://elsewhere/"), failure.RequestRefused, "has moved to http://elsewhere/"),
    "no JSON": (status(200, b"<html>Welcome</html>"), failure.AnswerBroken, "no JSON object: '<html>Welcome</html>'"),
    "deep JSON": (status(200, b"[" * 100_000), failure.AnswerBroken, "no JSON object"),
    "nothing": (status(200, b""), failure.AnswerBroken, "answers with nothing"),
    "a list": (status(200, [1]), failure.AnswerBroken, "no JSON object"),
    "another form": (status(200, {"choices": "none"}), failure.AnswerBroken, "otherwise than chat completions do"),
    "no choices": (status(200, {"choices": []}), failure.AnswerEmpty, "without an answer"),
    "no text": (whole(""), failure.AnswerEmpty, "the answer is empty"),
    "all thought": (whole(None, finish="length"), failure.AnswerEmpty, "no text within max_tokens, 5 were spent"),
    "filtered": (whole("", finish="content_filter"), failure.AnswerFiltered, "filter"),
    "refusal": (whole(None, refusal="I would rather not"), failure.AnswerFiltered, "I would rather not"),
    "hung up": (hang_up, failure.AnswerCut, "broke the connection off"),
    "half": (half_of_a_body, failure.AnswerCut, "broke the connection off"),
    "unpackable": (status(200, b"no gzip", **{"content-encoding": "gzip"}), failure.AnswerBroken, "cannot be unpacked"),
    "error as answer": (status(200, error("boom", code=503)), failure.EndpointFailed, "503 boom"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_fail(way: str, server: LoopbackServer) -> None:
    """It has its class, the endpoint's own words, and a status of 20; it is asked once where that is all that may be."""
    reply, kind, says = WAYS[way]
    server.plan(reply)
    with using(Settings(backoff=NO_RETRY)), pytest.raises(kind, match=says) as caught:
        complete("Hi", model=MODEL)

    assert kind is type(caught.value)
    assert isinstance(caught.value, ComponentRaised) and 20 == caught.value.exit_code
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert 1 == len(server.asked)


STREAMS: dict[str, tuple[Reply, type[ModelFailed], str]] = {
    "cut": (events(delta("An "), cut=True), failure.AnswerCut, "broke the connection off"),
    "ended": (events(delta("An "), end=b""), failure.AnswerCut, "in the midst of it"),
    "nothing": (events(end=b""), failure.AnswerEmpty, "without an answer"),
    "only done": (events(), failure.AnswerEmpty, "without an answer"),
    "error": (events(delta("An "), error("overloaded", type="overloaded_error")), failure.EndpointFailed, "529 overloaded"),
    "no JSON": (events(b"data: {oh\n\n"), failure.AnswerBroken, "no JSON object: '{oh'"),
    "filter": (events(delta("An "), delta(finish="content_filter")), failure.AnswerFiltered, "filter"),
    "status": (status(401, error("no")), failure.KeyRefused, "401 no"),
}


@pytest.mark.parametrize("way", STREAMS)
def test_each_way_a_stream_fails(way: str, server: LoopbackServer) -> None:
    """The same, in the midst of an answer."""
    reply, kind, says = STREAMS[way]
    server.plan(reply)
    with using(Settings(backoff=NO_RETRY)), pytest.raises(kind, match=says) as caught:
        complete("Hi", model=MODEL, on_text=lambda _: None)

    assert kind is type(caught.value)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told at once, with the address: waiting does not start a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://ada:love@127.0.0.1:{taken.getsockname()[1]}/v1?k=secret")
        with pytest.raises(failure.Unreachable, match=r"http://127\.0\.0\.1:\d+/v1 cannot be reached: .*refused") as caught:
            chat("Hi", model=MODEL)

    assert "love" not in str(caught.value) and "secret" not in str(caught.value)


def test_no_answer_in_time(server: LoopbackServer) -> None:
    """One that is silent, and one that trickles without end."""

    def trickle(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        while not handler.server.over.wait(0.02):
            handler.wfile.write(b": still here\n\n")

    server.plan(silent, trickle)
    with using(Settings(backoff=NO_RETRY)):
        for listener in (None, lambda _: None):
            with pytest.raises(failure.EndpointTimedOut, match=r"no whole answer in 0\.15 s"):
                chat("Hi", model=MODEL, timeout_s=0.15, on_text=listener)


def test_what_may_be_asked_again_is(server: LoopbackServer, at_once: None) -> None:
    """Until it is answered; the completion tells of the attempts."""
    server.plan(status(429, error("slow down")), status(503, error("busy")), hang_up, whole("An otter."))

    answer = complete("Hi", model=MODEL)

    assert "An otter." == answer.text
    assert ("429 slow down", "503 busy") == answer.retried[:2]
    assert 3 == len(answer.retried)


def test_it_is_not_asked_for_ever(server: LoopbackServer, at_once: None) -> None:
    """The last failure tells of the first and of their number."""
    server.plan(status(500, error("first")), status(503, error("busy")))
    with pytest.raises(failure.EndpointFailed, match=r"503 busy \(after 4 attempts; first: 500 first\)") as caught:
        chat("Hi", model=MODEL)

    assert (4, 3) == (len(server.asked), len(caught.value.retried))


def test_what_was_heard_is_not_said_again(server: LoopbackServer, at_once: None) -> None:
    """A stream that breaks off is asked for again only as long as nobody has heard any of it."""
    server.plan(events(cut=True, end=b""), events(delta("An "), cut=True))
    heard: list[str] = []
    with pytest.raises(failure.AnswerCut):
        chat("Hi", model=MODEL, on_text=heard.append)

    assert (2, ["An "]) == (len(server.asked), heard)


def test_an_endpoint_says_how_long_to_wait(server: LoopbackServer) -> None:
    """Its word goes before our own wait; one that asks for more than can be meant has failed."""
    server.plan(status(429, error("slow"), **{"retry-after": "0.01"}), whole("Hi"))
    with using(Settings(backoff=Backoff(first_s=0.0))):
        assert ("429 slow",) == complete("Hi", model=MODEL).retried
    server.plan(status(429, error("slow"), **{"retry-after": "3600"}))
    with pytest.raises(failure.RateLimited) as caught:
        chat("Hi", model=MODEL)

    assert (3600.0, 3) == (caught.value.after_s, len(server.asked))


def test_an_endpoint_says_that_asking_again_is_of_no_use(server: LoopbackServer, at_once: None) -> None:
    """`x-should-retry: false`, as OpenAI says it."""
    server.plan(status(503, error("gone"), **{"x-should-retry": "false"}))
    with pytest.raises(failure.EndpointFailed):
        chat("Hi", model=MODEL)

    assert 1 == len(server.asked)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Fri, 20 Nov 2026 10:02:41 GMT"}, 30.0),
    ],
    ids=str,
)
def test_retry_after(headers: dict[str, str], seconds: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds, milliseconds or a date; nonsense is none."""
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:02:11Z")

    assert seconds == retry_after_s(headers)


def test_waits_grow_and_end() -> None:
    """By the factor up to the most, less a random part; the endpoint's own wait is kept to."""
    backoff = Backoff(attempts=5, first_s=1.0, factor=3.0, most_s=10.0, jitter=0.5, longest_s=60.0)

    assert [1.0, 3.0, 9.0, 10.0, None] == [backoff.wait_s(failed, None, 0.0) for failed in range(1, 6)]
    assert 0.5 == backoff.wait_s(1, None, 1.0)
    assert [20.0, None] == [backoff.wait_s(1, after, 0.0) for after in (20.0, 61.0)]


def test_an_answer_of_nothing_may_be_meant(server: LoopbackServer) -> None:
    """Where a stop text may stand at its beginning."""
    server.plan(whole(""))

    assert "" == chat("Hi", model=MODEL, stop=["."])


def test_an_answer_that_does_not_fit_its_schema(server: LoopbackServer) -> None:
    """No JSON, or the wrong: it is told where, and what was answered."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    for text, why in (("three", "it is no JSON"), ('{"n": "3"}', r"\$\.n is string, and integer is wanted")):
        server.plan(whole(text))
        with pytest.raises(failure.AnswerUnfit, match=why) as caught:
            complete("Hi", model=MODEL, schema=schema)

        assert text == caught.value.text


def test_a_failed_listener_frees_the_connection(server: LoopbackServer) -> None:
    """What it raises comes out as it is; the next request goes its way."""

    def listener(piece: str) -> None:
        raise KeyError(piece)

    server.plan(events(delta("An "), delta(finish="stop")), whole("Hi"))
    with pytest.raises(KeyError):
        chat("Hi", model=MODEL, on_text=listener)

    assert "Hi" == chat("Hi", model=MODEL)


def test_threads_share_connections(server: LoopbackServer) -> None:
    """Each gets its own answer."""

    def echo(handler: Handler) -> None:
        whole(handler.path.split("/")[1])(handler)

    server.plan(echo)
    names = [f"t{number}" for number in range(16)]

    def ask_as(name: str) -> str:
        with using(Settings(options={"openai": {"base_url": f"{server.url}/{name}/chat"}})):
            return chat("Hi", model=MODEL)

    with ThreadPoolExecutor(8) as pool:
        assert names == list(pool.map(ask_as, names))

    assert {f"/{name}/chat/chat/completions" for name in names} == {asked.path for asked in server.asked}


@gv.register
def ask(question: str, model: str = MODEL) -> str:
    return chat(question, model=model)


@pytest.fixture
def repo(tmp_path_factory: pytest.TempPathFactory) -> gv.Repository:
    return gv.init(tmp_path_factory.mktemp("work"))


def test_attempts_are_one_call(server: LoopbackServer, repo: gv.Repository) -> None:
    """In the record, and its tokens count once; a replay asks nobody."""
    server.plan(status(429, error("slow"), **{"retry-after": "0"}), whole("An otter."))
    with repo, using(Settings(backoff=Backoff(first_s=0.0))):
        run = gv.run(ask, "Hi")
        [call] = run.invocation.get_children()
        again = run.replay()

    assert ("complete", ("429 slow",)) == (call.name, call.output.retried)
    assert {"prompt_tokens": 12, "completion_tokens": 5} == {k: v for k, v in run.record.counts.items() if k.endswith("tokens")}
    assert ("An otter.", 2) == (again.output, len(server.asked))
    assert "prompt_tokens" not in again.record.counts


def test_a_failed_call_ends_its_run_and_is_asked_again_by_a_replay(server: LoopbackServer, repo: gv.Repository) -> None:
    """What was answered before is kept."""

    @gv.register
    def both() -> str:
        return chat("one", model=MODEL) + chat("two", model=MODEL)

    server.plan(whole("a"), status(401, error("no")), whole("b"))
    with repo:
        with pytest.raises(failure.KeyRefused):
            gv.run(both)
        again = repo.runs[1].replay()

    assert ("raised", "ab", 3) == (repo.runs[1].status, again.output, len(server.asked))
