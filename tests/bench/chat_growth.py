"""A chat whose every call is given all messages so far.

A scripted model stands for the sampler: 400 (and 800) calls, messages of 400
characters, each passed the whole list.  Counted are all files under `.gv`, the
repository closed; an empty repository's own bytes are among them.  Beside it,
for scale: the same arguments written as JSON, call by call.

    python -m tests.bench.chat_growth
"""

from __future__ import annotations

import json
from pathlib import Path

import gvstore as gv
from tests.bench.measure import Prose, scratch, size_bytes, table

SIZES = (400, 800)
LENGTH = 400
SEED = 11

Message = dict[str, str]
script: list[str] = []  # what the model says, by the number of messages it is given


@gv.register
def reply(messages: list[Message]) -> str:
    """Returns the next message."""
    return script[len(messages)]


@gv.register
def chat(calls: int) -> int:
    """Returns how many messages a conversation has."""
    messages = [{"role": "user", "content": script[0]}]
    for at in range(calls):
        messages.append({"role": ("assistant", "user")[at % 2], "content": reply(messages)})
    return len(messages)


def recorded_bytes(folder: Path, calls: int) -> int:
    """Returns the bytes under `.gv` of a repository with one chat."""
    with gv.init(folder):
        run = gv.run(chat, calls)
        given = run.invocation.get_child(calls // 2).args["messages"]

        assert calls + 1 == run.output
        assert script[: calls // 2 + 1] == [message["content"] for message in given]
    return size_bytes(folder / ".gv")


def json_bytes(calls: int) -> int:
    """Returns the bytes of all calls' arguments as JSON."""
    sizes = [len(json.dumps({"role": "assistant", "content": text})) + 2 for text in script[: calls + 1]]
    return sum(sum(sizes[:at]) for at in range(1, calls + 1))


def main() -> None:
    """Prints the figures."""
    prose = Prose(SEED)
    script.extend(prose.take(LENGTH) for _ in range(max(SIZES) + 1))
    rows, before = [], 0
    with scratch() as folder:
        with gv.init(folder / "empty"):
            pass
        empty = size_bytes(folder / "empty" / ".gv")
        for calls in SIZES:
            found = recorded_bytes(folder / str(calls), calls)
            times = f"{found / before:.2f}" if before else ""
            rows.append([f"{calls} calls", f"{found / 1e6:.3f}", times, f"{json_bytes(calls) / 1e6:.1f}"])
            before = found
    print(table(["", "MB under .gv", "of the line above", "arguments as JSON, MB"], rows))
    print(
        f"an empty repository: {empty / 1e6:.3f} MB; the text itself, of {SIZES[0]} calls: {SIZES[0] * LENGTH / 1e6:.3f} MB"
    )


if __name__ == "__main__":
    main()
