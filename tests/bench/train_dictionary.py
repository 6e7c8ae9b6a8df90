"""Makes `gvstore/odb/default.zd`, the zstd dictionary that ships with gvstore.

    python tests/bench/train_dictionary.py [--measure]

Deterministic: the samples come from a seeded generator of what repositories
hold: recorded calls and runs, chat messages, JSON answers, Python source, prose
and prompts.  Stores made with an older dictionary keep their own copy, so the
file may be made anew; its hash is its name.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import msgspec
import zstandard

from gvstore.odb.dictionary import Codec, plain, train

TARGET = Path(__file__).parents[2] / "gvstore" / "odb" / "default.zd"
SIZE = 32 << 10
SEED = 7


def _words(text: str) -> list[str]:
    return text.split()


NOUNS = _words(
    "answer question model prompt story character chapter scene outline draft revision summary paragraph sentence word "
    "function class method argument value result output input error message system user assistant tool call token "
    "response request data record list table number name title text code file line test case example step task goal "
    "plan idea problem solution reason detail point way time day year week world life hand part place person people "
    "group company customer product service price market report review document page section article source reference "
    "city country river mountain house door window room light water fire night morning friend mother father child dog"
)
VERBS = _words(
    "is was are were has have had will would can could should may might must do does did make makes made take takes took "
    "give gives gave find finds found know knows knew think thinks thought see sees saw come comes came want wants use "
    "uses used work works need needs seem seems become becomes became leave leaves left call calls called try tries ask "
    "asks asked keep keeps kept begin begins began show shows showed write writes wrote read reads run runs return "
    "returns explain describe generate include contain follow consider create improve compare choose decide understand"
)
ADJECTIVES = _words(
    "new good great first last long little own other old right big high different small large next early young important "
    "few public bad same able short clear simple specific general possible available similar relevant correct concise "
    "following previous final main current single whole common helpful careful original interesting strong quiet dark"
)
LINKS = _words(
    "the of and a to in that for it with as on at by this from they we but not or which you one all there when who what "
    "so if out up about into than them only some these then two may any like now over such because also after through "
    "most where between before should each just those how while however therefore although during without within"
)
OPENERS = (
    "I think that ", "Here is the ", "Here are some ", "Sure, here is ", "The following ", "In this ", "As a result, ",
    "For example, ", "You are a helpful assistant. ", "You are an expert ", "Please write a ", "Write a short story about ",
    "Summarize the following text: ", "Answer the question: ", "Can you explain ", "Once upon a time, ", "It is important to ",
    "On the other hand, ", "In addition, ", "According to the ", "Let me know if you ", "Do not ", "Make sure that ",
    "Return a JSON object with the keys ", "Think step by step. ", "First, ", "Finally, ", "However, ", "There are several ",
)  # fmt: skip
MODULES = _words(
    "agent story dice writer chat tools search plan evaluate pipeline data prompts review extract main llm model graph"
)
ACTIONS = _words(
    "write revise outline draft ask answer search score select parse load save render plan run step call fetch rank merge"
)
FIELDS = _words(
    "name text content role id type status value output input args kwargs prompt model temperature max_tokens top_p seed "
    "messages choices message finish_reason usage prompt_tokens completion_tokens total_tokens created object index score "
    "title summary items results query url source metadata timestamp started_at ended_at duration error description tags "
    "function arguments tool_calls tool_call_id user assistant system stop length parameters properties required data key"
)
MODELS = _words(
    "gpt-4o gpt-4o-mini gpt-4.1 claude-sonnet-4 claude-3-5-haiku llama-3.1-8b mistral-small gemini-2.0-flash local"
)


class Samples:
    """Makes the samples."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sentence(self) -> str:
        """Returns something like English."""
        r = self.random
        words = []
        for _ in range(r.randrange(4, 18)):
            words.append(
                r.choices((r.choice(LINKS), r.choice(NOUNS), r.choice(VERBS), r.choice(ADJECTIVES)), (40, 30, 20, 15))[
                    0
                ]
            )
            if r.random() < 0.35:
                words.append(
                    r.choice(("the", "a", "of the", "in the", "to", "and", "of", "is", "for the", "on the", "with"))
                )
        text = " ".join(words)
        if r.random() < 0.25:
            return r.choice(OPENERS) + text + r.choice((".", ".", "?", ":"))
        return text.capitalize() + r.choice((".", ".", ".", ",", "!", "?"))

    def prose(self, size: int) -> str:
        """Returns about `size` characters of sentences."""
        parts: list[str] = []
        while size > 0:
            parts.append(self.sentence())
            size -= len(parts[-1]) + 1
        return self.random.choice((" ", " ", " ", "\n", "\n\n", "\n- ")).join(parts)

    def name(self) -> str:
        """Returns a component's name."""
        return f"{self.random.choice(MODULES)}.{self.random.choice(ACTIONS)}_{self.random.choice(NOUNS)}"

    def oid(self) -> bytes:
        """Returns noise where an object's name stands."""
        return self.random.randbytes(32)

    def leaf(self) -> object:
        """Returns a small value."""
        r = self.random
        return r.choice(
            (
                r.randrange(100),
                r.randrange(1 << 20),
                round(r.random(), 3),
                r.choice(NOUNS),
                True,
                False,
                None,
                1.7e9 + r.random(),
            )
        )

    def payload(self, depth: int = 0) -> object:
        """Returns a value such as calls take and give."""
        r = self.random
        if depth > 2 or r.random() < 0.3:
            return self.prose(r.randrange(20, 300)) if r.random() < 0.5 else self.leaf()
        if r.random() < 0.3:
            return [self.payload(depth + 1) for _ in range(r.randrange(1, 5))]
        return {f: self.payload(depth + 1) for f in r.sample(FIELDS, r.randrange(1, 6))}

    def link(self) -> msgspec.msgpack.Ext:
        """Returns a link as objects hold them."""
        return msgspec.msgpack.Ext(1, self.oid())

    def recorded(self) -> bytes:
        """Returns bytes like those of an invocation: component, arguments, output, children."""
        r = self.random
        names = r.sample(FIELDS, r.randrange(1, 4))
        args = [[n, r.choice((self.leaf(), self.link(), self.prose(60)))] for n in names]
        children = [self.link() for _ in range(r.choice((0, 0, 0, 1, 2, 5)))]
        return r.choice((b"i", b"v", b"n", b"k")) + msgspec.msgpack.encode(
            [60, self.link(), args, self.leaf(), None, children]
        )

    def run(self) -> bytes:
        """Returns bytes like those of a run's header."""
        r = self.random
        facts = [
            1_700_000_000_000_000 + r.randrange(10**14),
            "ok",
            f"{r.choice(MODULES)}.py:{r.choice(ACTIONS)}",
            "main",
            "user",
            "host",
        ]
        return b"r" + msgspec.msgpack.encode(
            [61, self.link(), self.link(), *facts, ["gv", "run", self.name()], "3.11.7", "linux"]
        )

    def message(self) -> bytes:
        """Returns a chat message, as a value or as JSON."""
        r = self.random
        body = {"role": r.choice(("user", "assistant", "system", "tool")), "content": self.prose(r.randrange(40, 600))}
        return (
            b"v" + msgspec.msgpack.encode([17, *[x for kv in body.items() for x in kv]])
            if r.random() < 0.5
            else b"b" + json.dumps(body).encode()
        )

    def document(self) -> bytes:
        """Returns a JSON document as services answer."""
        r = self.random
        body = self.payload()
        if r.random() < 0.4:
            body = {"id": f"{r.getrandbits(64):016x}", "object": "chat.completion", "created": 1_700_000_000 + r.randrange(10**8),
                    "model": r.choice(MODELS), "choices": [{"index": 0, "message": {"role": "assistant", "content": self.prose(200)},
                    "finish_reason": r.choice(("stop", "length", "tool_calls"))}], "usage": {"prompt_tokens": r.randrange(4000),
                    "completion_tokens": r.randrange(900), "total_tokens": r.randrange(5000)}}  # fmt: skip
        return b"b" + json.dumps(body, indent=r.choice((None, None, None, 2))).encode()

    def source(self) -> bytes:
        """Returns a piece of a Python file."""
        r = self.random
        function, argument = f"{r.choice(ACTIONS)}_{r.choice(NOUNS)}", r.choice(NOUNS)
        body = [
            "from __future__ import annotations\n\nimport json\nimport gvstore as gv\nfrom dataclasses import dataclass\n",
            f'@gv.register\ndef {function}({argument}: str, *, temperature: float = 0.7) -> str:\n    """{self.sentence()}"""\n',
            f'    prompt = f"{self.sentence()} {{{argument}}}"\n    response = client.chat.completions.create(model="{r.choice(MODELS)}", messages=messages)\n',
            f"    for {argument} in {r.choice(NOUNS)}s:\n        if {argument} is None:\n            continue\n        results.append({argument})\n",
            f'    return "".join({argument} for {argument} in results)\n\n\ndef main() -> None:\n    print({function}("{r.choice(NOUNS)}"))\n',
            f'\n\n@dataclass\nclass {r.choice(NOUNS).capitalize()}:\n    """{self.sentence()}"""\n\n    name: str\n    value: int = 0\n\n    def __init__(self, name: str) -> None:\n        self.name = name\n',
            f'    try:\n        value = json.loads(response["{r.choice(FIELDS)}"])\n    except ValueError as error:\n        raise RuntimeError(f"{self.sentence()}") from error\n',
            'if __name__ == "__main__":\n    main()\n',
        ]
        return b"b" + "".join(r.sample(body, r.randrange(2, 6))).encode()

    def text(self) -> bytes:
        """Returns prose, as a file or as a string value."""
        body = self.prose(self.random.randrange(100, 900))
        return b"b" + body.encode() if self.random.random() < 0.5 else b"v" + msgspec.msgpack.encode(body)

    def all(self, count: int) -> list[bytes]:
        """Returns `count` samples of all sorts."""
        sorts = (
            self.recorded,
            self.recorded,
            self.run,
            self.message,
            self.message,
            self.document,
            self.source,
            self.text,
        )
        return [self.random.choice(sorts)() for _ in range(count)]


def main() -> None:
    """Writes the dictionary; says how well it does."""
    samples = Samples(SEED).all(12_000)
    trained = train(samples, size=SIZE)
    assert trained is not None
    packed = zstandard.ZstdCompressor(level=19).compress(trained.data)
    if "--measure" not in sys.argv:
        TARGET.write_bytes(packed)
    fresh = Samples(SEED + 1).all(2_000)
    raw = sum(map(len, fresh))
    for name, codec in (("without", plain()), ("with", Codec(trained.data))):
        size = sum(min(len(s), len(codec.compress(s))) for s in fresh)
        sys.stdout.write(f"{name} dictionary: {raw / size:.2f}x of {raw / len(fresh):.0f} bytes an object\n")
    sys.stdout.write(f"{len(trained.data)} bytes, {len(packed)} packed\n")


if __name__ == "__main__":
    main()
