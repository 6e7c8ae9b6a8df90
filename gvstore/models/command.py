"""Any program as a model: it reads the messages on stdin and writes the answer on stdout.

    command:./ask.sh --fast         split as a shell would, and run without one

Settings (`[models.command]`): `form` is "text" (the messages' texts, labelled
where there are several turns; the answer is what is written) or "json" (one
object with messages and options there, one object with "text" back);
`shell = true` hands the line to the shell; `timeout_s`, `most_bytes`.  The program
has the user's environment, as one typed in a terminal would.
"""

from __future__ import annotations

import atexit
import codecs
import json
import os
import shlex
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from queue import Empty, Queue
from typing import IO, TYPE_CHECKING, Any

from gvstore.models.endpoint import timeout_of
from gvstore.models.failure import AnswerBroken, AnswerEmpty, CommandFailed, EndpointTimedOut
from gvstore.models.fault import BadModelSetting
from gvstore.models.pieces import Pieces, spelled
from gvstore.models.protocol import Completion, Message, OnText, Options, format_message

if TYPE_CHECKING:
    import subprocess

MOST_BYTES = 16 << 20
_SHOWN = 400  # characters of what it said on stderr
_READ = 1 << 16
_LINGER_S = 1.0


class CommandModel:
    """A `ChatModel` that runs a program for each answer."""

    def __init__(
        self, line: str, *, form: str = "text", shell: bool = False, timeout_s: float = 600.0, most_bytes: int = MOST_BYTES,
        environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.name, self._form, self._timeout_s, self._most_bytes = line, form, timeout_s, most_bytes
        self._environment = environment
        try:
            self._arguments: str | list[str] = line if shell else shlex.split(line)
        except ValueError as e:
            raise BadModelSetting(f"command:{line}", f"is no command: {e}") from e
        self._shell = shell
        if not self._arguments:
            raise BadModelSetting("command:", "names no program", hint="It looks like `command:./ask.sh --fast`.")

    @classmethod
    def make(cls, name: str, environment: Mapping[str, str], settings: Mapping[str, object]) -> CommandModel:
        """Returns the model; nothing is run yet.

        Raises:
            BadModelSetting: a setting of `[models.command]` cannot be meant.
        """
        form, shell, most = settings.get("form", "text"), settings.get("shell", False), settings.get("most_bytes", MOST_BYTES)
        if form not in ("text", "json"):
            raise BadModelSetting("models.command.form", f"is text or json, not {form!r:.80}")
        if not isinstance(shell, bool):
            raise BadModelSetting("models.command.shell", f"is true or false, not {shell!r:.80}")
        if type(most) is not int or most < 1:
            raise BadModelSetting("models.command.most_bytes", f"is a number of bytes, not {most!r:.80}")
        timeout_s = timeout_of("command", settings)
        return cls(name, form=str(form), shell=shell, timeout_s=timeout_s, most_bytes=most, environment=environment)

    def complete(self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None) -> Completion:
        """Returns the program's answer; see `ChatModel.complete`.  Of several samples each is a run of it, with seeds that count up."""
        every = [
            self._ask(messages, replace(options, seed=options.seed + number, n=1), None if number else on_text)
            for number in range(options.n)
        ]
        if len(every) == 1:
            return every[0]
        tokens = [sum(getattr(each, name) for each in every) for name in ("prompt_tokens", "completion_tokens")]
        return replace(
            every[0], samples=tuple(each.text for each in every), prompt_tokens=tokens[0], completion_tokens=tokens[1]
        )

    def _ask(self, messages: Sequence[Message], options: Options, on_text: OnText | None) -> Completion:
        if self._form == "text":
            pieces = Pieces(on_text)
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            with closing(self._run(_as_text(messages).encode())) as parts:
                held = ""  # line ends, of which those at the very end are none of the answer, as in a shell's $(...)
                for piece in chain(map(decoder.decode, parts), map(decoder.decode, (b"",), (True,))):
                    whole = held + piece
                    held = whole[len(whole.rstrip("\r\n")) :]
                    pieces.add(whole[: len(whole) - len(held)])
            return self._completion({"text": pieces.end()}, options)
        data = b"".join(self._run(json.dumps(_as_json(messages, options)).encode()))
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("text"), str):
            shown = data[:80].decode("utf-8", "replace")
            raise AnswerBroken(self.name, f"it wrote no JSON object with a text: {shown!r}")
        completion = self._completion(found, options)
        if on_text is not None:
            on_text(completion.text)
        return completion

    def _completion(self, found: Mapping[str, Any], options: Options) -> Completion:
        text = spelled(found["text"])
        if not text.strip():
            raise AnswerEmpty(self.name, "it wrote nothing on stdout")
        counts = [value if type(value) is int and value >= 0 else 0 for value in map(found.get, ("prompt_tokens", "completion_tokens"))]
        return Completion(
            text, str(found.get("model") or self.name), counts[0], counts[1],
            "length" if found.get("finish_reason") == "length" else "stop", options.seed if self._form == "json" else None,
        )  # fmt: skip

    def _run(self, given: bytes) -> Generator[bytes, None, None]:
        """Yields what the program writes, as it comes; it, and what it started, is stopped at its limits and when nobody reads on."""
        import subprocess

        try:
            process = subprocess.Popen(
                self._arguments, shell=self._shell, env=None if self._environment is None else dict(self._environment),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as e:
            why = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
            raise CommandFailed(self.name, f"it cannot be run: {why}", hint="Is it there, and may it be executed?") from e
        talk = _Talk(process, given)
        atexit.register(talk.end)  # a thread that waits for a program is not told when the process is interrupted
        deadline = time.monotonic() + self._timeout_s
        try:
            yield from self._take(talk.queue, deadline)
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired as e:
                raise self._late() from e
            if process.returncode:
                raise self._failed(process.returncode, talk.said())
        finally:
            talk.end()
            atexit.unregister(talk.end)

    def _take(self, queue: Queue[bytes | None], deadline: float) -> Iterator[bytes]:
        total = 0
        while True:
            try:
                data = queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                data = b""
            if data is None:
                return
            if time.monotonic() >= deadline:
                raise self._late()
            total += len(data)
            if total > self._most_bytes:
                why = f"it wrote more than {self._most_bytes:,} bytes, and was stopped"
                raise CommandFailed(self.name, why, hint="`models.command.most_bytes` is the limit.")
            yield data

    def _late(self) -> EndpointTimedOut:
        late = EndpointTimedOut(self.name, f"it did not end within {self._timeout_s:g} s, and was stopped")
        late.again = False  # it would take as long again
        return late

    def _failed(self, status: int, said: bytes) -> CommandFailed:
        how = f"it ended with status {status}" if status > 0 else f"it was stopped by signal {-status}"
        text = " ".join(said.decode("utf-8", "replace").split())[-_SHOWN:]
        return CommandFailed(self.name, f"{how}: {text}" if text else how)


class _Talk:
    """What goes to and comes from a program, by a thread for each of its streams; `queue` ends with None."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes) -> None:
        self._process, self._given = process, given
        self.queue: Queue[bytes | None] = Queue(maxsize=64)
        self._said = bytearray()
        self._stopped = False
        works = {process.stdin: self._write, process.stdout: self._read, process.stderr: self._drain}
        self._workers = {
            stream: threading.Thread(target=work, args=(stream,), name="gvstore-command", daemon=True)
            for stream, work in works.items()
            if stream is not None
        }
        for worker in self._workers.values():
            worker.start()

    def said(self) -> bytes:
        """Returns the last of what the program said on stderr."""
        for stream, worker in self._workers.items():
            if stream is self._process.stderr:
                worker.join(_LINGER_S)
        return bytes(self._said)

    def end(self) -> None:
        """Stops what is left of the program and of what it started in its group, and waits for it."""
        import signal

        self._stopped = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):  # no groups here, or nobody is left in it
            self._process.kill()
        self._process.wait()
        while not self.queue.empty():  # a thread may wait for room in it
            self.queue.get_nowait()
        for stream, worker in self._workers.items():
            worker.join(_LINGER_S)
            if not worker.is_alive():  # else somebody who left the group holds the other end
                stream.close()

    def _write(self, stream: IO[bytes]) -> None:
        try:
            with stream:
                stream.write(self._given)
        except (OSError, ValueError):  # it does not read to the end, or has ended
            pass

    def _read(self, stream: IO[bytes]) -> None:
        try:
            while not self._stopped and (data := os.read(stream.fileno(), _READ)):
                self.queue.put(data)
        except (OSError, ValueError):
            pass
        if not self._stopped:
            self.queue.put(None)

    def _drain(self, stream: IO[bytes]) -> None:
        """Reads to the end, and keeps the last of it."""
        try:
            while data := os.read(stream.fileno(), _READ):
                self._said += data
                del self._said[: -4 * _SHOWN]
        except (OSError, ValueError):
            pass


def _as_text(messages: Sequence[Message]) -> str:
    """Returns the messages as one text: bare for a system prompt and one turn, labelled for a conversation."""
    if sum(message.role != "system" for message in messages) <= 1:
        return "\n\n".join(message.content for message in messages if message.content)
    return "\n\n".join(f"{message.role.upper()}: {message.content}" for message in messages)


def _as_json(messages: Sequence[Message], options: Options) -> dict[str, Any]:
    wanted = {
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "frequency_penalty": options.frequency_penalty,
        "presence_penalty": options.presence_penalty,
        "schema": options.schema,
    }
    asked = {key: value for key, value in wanted.items() if value is not None}
    return {"messages": [format_message(each) for each in messages], "seed": options.seed, "stop": list(options.stop), **asked}
