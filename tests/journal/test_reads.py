"""Files that calls and modules read, libraries, and classes in arguments: what of it makes which call stale, and why."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gvstore.code.libraries import differs, distributions_of, installed, normalised
from gvstore.journal.repository import Repository
from gvstore.objects.blob import get_blob
from gvstore.repo.files import read_files
from tests.conftest import CommandLine

STORY = """
import os
from pathlib import Path

import gvstore as gv
import tables
from shapes import Policy, shout


def prompt(name):
    return (Path("prompts") / f"{name}.txt").read_text().strip()


@gv.register
def draft(topic: str) -> str:
    return f"{prompt('draft')} {topic}"


@gv.register
def revise(text: str) -> str:
    fd = os.open("prompts/revise.txt", os.O_RDONLY)
    try:
        return f"{os.read(fd, 100).decode().strip()} {text}"
    finally:
        os.close(fd)


@gv.register
def look_up(text: str) -> str:
    return tables.NAMES.get(text, text)


@gv.register
def cut(text: str, policy: Policy, how=shout) -> str:
    return how(policy.cut(text))


@gv.register
def write(topic: str = "otters") -> str:
    return cut(look_up(revise(draft(topic))), Policy())
"""
TABLES = """
import json

with open("names.json") as file:
    NAMES = json.load(file)
"""
SHAPES = """
from dataclasses import dataclass


def clean(text):
    return text.strip()


def shout(text):
    return text.upper()


@dataclass
class Policy:
    limit: int = 60

    def cut(self, text):
        return clean(text)[: self.limit]
"""


@pytest.fixture
def story(gv: CommandLine) -> CommandLine:
    """A recorded program that reads two prompts and a table, and gives a policy and a function to its last step."""
    for path, text in {"story.py": STORY, "tables.py": TABLES, "shapes.py": SHAPES, "names.json": '{"a": "b"}'}.items():
        gv.write(path, text)
    gv.folder.joinpath("prompts").mkdir()
    gv.write("prompts/draft.txt", "Draft of\n")
    gv.write("prompts/revise.txt", "Revised:\n")
    gv("init")
    assert "REVISED: DRAFT OF OTTERS" in gv("run", "story.py:write").out
    assert "nothing to do" in gv("replay").out
    return gv


def planned(gv: CommandLine, *words: str) -> dict[str, str]:
    """Returns what a plan says of each component that it runs: its reason."""
    plan = json.loads(gv("replay", "--plan", "--json", *words).out)
    return {each["component"].partition(".")[2]: each["reason"] for each in plan["calls"] if each["action"] == "run"}


BELOW = "a call below it runs"


def test_only_the_call_that_read_the_file_is_stale(story: CommandLine) -> None:
    """An edited prompt makes the call run that read it, and those that depend on it; the plan shows the edit."""
    story.write("prompts/revise.txt", "Polished:\n")

    assert planned(story) == {"write": BELOW, "revise": "story.revise: file prompts/revise.txt changed"}
    assert "-Revised:\n+Polished:" in story("replay", "--plan").out
    done = story("replay")
    assert "POLISHED: DRAFT OF OTTERS" in done.out and "1 reused, 3 executed" in done.out
    assert "stale: story.revise: file prompts/revise.txt changed" in done.err
    assert "nothing to do" in story("replay").out
    story.write("prompts/revise.txt", "Revised:\n")
    assert planned(story, "run/1") == {}


def test_a_file_that_is_gone_or_comes_is_a_change(gv: CommandLine) -> None:
    """A file that was looked for and not found is one that is read."""
    gv.write(
        "prog.py",
        "from pathlib import Path\nimport gvstore as gv\n\n\n@gv.register\ndef look(n: int) -> str:\n    try:\n        return Path('extra.txt').read_text()\n"
        "    except FileNotFoundError:\n        return 'none'\n\n\n@gv.register\ndef main(n: int = 1) -> str:\n    return look(n)\n",
    )
    gv("init")
    assert "main() = 'none'" in gv("run", "prog.py:main").out
    gv.write("extra.txt", "some")
    assert planned(gv)["look"] == "prog.look: file extra.txt is there now"
    assert "main() = 'some'" in gv("replay").out
    gv.folder.joinpath("extra.txt").unlink()
    assert planned(gv)["look"] == "prog.look: file extra.txt is gone"


def test_what_a_module_reads_is_its_reachers(story: CommandLine) -> None:
    """A file that is read at import counts for what reaches the module, and says which."""
    story.write("names.json", '{"a": "c"}')

    assert planned(story) == {
        "write": BELOW,
        "look_up": "story.look_up: file names.json, read when tables is imported, changed",
    }
    assert "3 reused, 1 executed" in story("replay").out


def test_classes_and_functions_in_arguments_count(story: CommandLine) -> None:
    """A method that only the argument brings, what it reaches, and a function that is handed over."""
    story.write("shapes.py", SHAPES.replace("self.limit]", "self.limit - 0]"))
    found = planned(story)
    assert found["cut"] == "story.cut: class shapes.Policy, in its arguments, changed"
    story.write("shapes.py", SHAPES.replace("text.strip()", "text.strip().strip()"))
    assert planned(story)["cut"].startswith("story.cut: class shapes.Policy, in its arguments: helper shapes.clean()")
    story.write("shapes.py", SHAPES.replace("text.upper()", "text.upper() + ''"))
    assert "shapes.shout" in planned(story)["cut"]
    story.write("shapes.py", SHAPES.replace("\n\n\ndef shout", "\n\n\nUNUSED = 1  # nobody looks at it\n\n\ndef shout"))
    assert planned(story) == {}


def test_trusted_components_are_answered_all_the_same(story: CommandLine) -> None:
    """`--trust` takes a stale answer for good, says so, and refuses a name that is none."""
    story.write("prompts/revise.txt", "Polished:\n")

    assert planned(story, "--trust", "revise") == {}
    done = story("replay", "--trust", "revise")
    assert "nothing to do" in done.out and "fresh" not in done.out
    assert "stale, and trusted: story.revise: file prompts/revise.txt changed" in done.err
    assert "no call of nobody" in story("replay", "--trust", "nobody", status=12).err


def test_products_and_the_environment_do_not_count(gv: CommandLine) -> None:
    """What the run wrote before, what the call writes itself, `.env` and sources are no input of a call."""
    gv.write(
        "prog.py",
        "from pathlib import Path\nimport gvstore as gv\n\n\n@gv.register\ndef make(n: int) -> int:\n    Path('made.txt').write_text(str(n))\n    return n\n\n\n"
        "@gv.register\ndef count(n: int) -> int:\n    seen = int(Path('count.txt').read_text())\n    Path('count.txt').write_text(str(seen + 1))\n"
        "    return seen\n\n\n@gv.register\ndef use(n: int) -> str:\n    import late\n    Path('.env').read_text()\n"
        "    return Path('made.txt').read_text() + late.WORD\n\n\n"
        "@gv.register\ndef main(n: int = 1) -> str:\n    return use(make(n)) + str(count(n))\n",
    )
    gv.write("late.py", "WORD = 'x'\n")
    gv.write("count.txt", "7")
    gv.write(".env", "COLOUR=red\n")
    gv("init")
    assert "main() = '1x7'" in gv("run", "prog.py:main").out
    gv.write("made.txt", "5")
    gv.write(".env", "COLOUR=blue\n")
    assert planned(gv) == {}


def test_what_a_script_reads_outside_of_calls_is_no_import(gv: CommandLine) -> None:
    """Under `if __name__ == "__main__":` a script is a program; above it, a module that reads."""
    gv.write(
        "prog.py",
        "from pathlib import Path\nimport gvstore as gv\n\nHEAD = Path('head.txt').read_text()\n\n\n@gv.register\ndef step(text: str) -> str:\n    return HEAD + text\n\n\n"
        "if __name__ == '__main__':\n    with gv.open('.'):\n        gv.run(step, Path('body.txt').read_text())\n",
    )
    gv.write("head.txt", "h")
    gv.write("body.txt", "b")
    gv("init")
    subprocess.run([sys.executable, "prog.py"], cwd=gv.folder, check=True)
    gv.write("body.txt", "c")
    assert planned(gv) == {}
    gv.write("head.txt", "i")
    assert planned(gv) == {"step": "prog.step: file head.txt, read when prog is imported, changed"}


def test_read_tells_what_cannot_be_seen(gv: CommandLine) -> None:
    """`gv.read` notes a file that another process opens."""
    gv.write(
        "prog.py",
        "import subprocess\nimport gvstore as gv\n\n\n@gv.register\ndef step(n: int) -> str:\n"
        "    return subprocess.run(['cat', gv.read('data.bin')], capture_output=True, text=True).stdout\n",
    )
    gv.write("data.bin", "one")
    gv("init")
    assert "step(1) = 'one'" in gv("run", "prog.py:step", "1").out
    gv.write("data.bin", "two")
    assert planned(gv) == {"step": "prog.step: file data.bin changed"}


def test_a_killed_run_keeps_what_its_calls_read(gv: CommandLine) -> None:
    """The journal tells the files too: what is carried on is stale where they changed."""
    gv.write(
        "prog.py",
        "import os\nimport signal\nfrom pathlib import Path\nimport gvstore as gv\n\n\n@gv.register\ndef step(n: int) -> str:\n    return Path(f'{n}.txt').read_text()\n\n\n"
        "@gv.register\ndef main() -> str:\n    found = step(1) + step(2)\n    if not os.path.exists('go'):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n    return found\n",
    )
    gv.write("1.txt", "a")
    gv.write("2.txt", "b")
    gv("init")
    killed = subprocess.run([sys.executable, "-m", "gvstore", "run", "prog.py:main"], cwd=gv.folder, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    gv.write("go", "")
    gv.write("2.txt", "c")
    done = gv("replay")
    assert "main() = 'ac'" in done.out and "1 reused" in done.out
    assert "prog.step: file 2.txt changed" in done.err


LIBRARY = "VERSION = 1\n\n\ndef ask(text):\n    return text\n"


def test_a_library_of_another_major_version_makes_stale(gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """`library asker 1.2 → 2.0` by default; a minor version with `exact`; nothing with `ignore`."""
    site = gv.folder.parent / "site-packages"
    site.mkdir()
    (site / "asker.py").write_text(LIBRARY)
    info = site / "asker-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: asker\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delenv("GV_PYTHON")
    gv.write(
        "prog.py",
        "import asker\nimport gvstore as gv\n\n\n@gv.register\ndef step(text: str) -> str:\n    return asker.ask(text)\n\n\n"
        "@gv.register\ndef other(text: str) -> str:\n    return text\n\n\n"
        "@gv.register\ndef main() -> str:\n    return step('a') + other('b')\n",
    )
    gv("init")
    assert "main() = 'ab'" in gv("run", "prog.py:main").out

    info = info.rename(site / "asker-1.3.dist-info")
    assert planned(gv) == {}
    gv("config", "replay.libraries", "exact")
    assert planned(gv)["step"] == "prog.step: library asker 1.2 → 1.3"
    gv("config", "replay.libraries", "major")
    info.rename(site / "asker-2.0.dist-info")
    assert planned(gv) == {"main": BELOW, "step": "prog.step: library asker 1.2 → 2.0"}
    gv("config", "replay.libraries", "ignore")
    assert planned(gv) == {}


def test_distributions_are_found_by_their_folders() -> None:
    """What is installed is there with its version, under one name for all spellings; the standard library is Python."""
    found = installed()
    assert found["click"] and found["msgspec"]
    assert normalised("Typing_Extensions") == "typing-extensions"
    assert distributions_of("json", found) == ("python",)
    assert distributions_of("click", found) == ("click",)
    assert distributions_of("yaml", {"pyyaml": "6"}) == (("pyyaml",) if "pyyaml" in found else ())
    assert distributions_of("no_such_library", found) == ()
    assert not differs("1.2", "1.3", "major") and differs("1.2", "2.0", "major") and differs("1.2", "1.3", "exact")
    assert not differs("1", "2", "ignore") and sys.version_info >= (3, 11)


def test_a_run_keeps_files_as_they_were_read(gv: CommandLine) -> None:
    """The snapshot holds what was in a file when the call opened it, whoever edits it while the program runs."""
    gv.write(
        "prog.py",
        "from pathlib import Path\nimport gvstore as gv\n\n\n@gv.register\ndef step() -> str:\n    text = Path('p.txt').read_text()\n"
        "    import subprocess\n    subprocess.run(['sh', '-c', 'echo edited > p.txt'])\n    return text\n",
    )
    gv.write("p.txt", "as read\n")
    gv("init")
    gv("run", "prog.py:step")
    assert Path(gv.folder / "p.txt").read_text() == "edited\n"
    repo = Repository.discover(gv.folder)
    with repo:
        code = repo.runs[1].record.code
        assert get_blob(repo.objects, read_files(repo.objects, code)["p.txt"].oid) == b"as read\n"
    assert planned(gv) == {"step": "prog.step: file p.txt changed"}


CARRIED = """
import os

import gvstore as gv
from shapes import Draft
from texts import PROMPTS


@gv.register
def first(topic):
    return PROMPTS["first"] + topic


@gv.register
def second(draft):
    return draft.short()


@gv.register
def third(text):
    if os.path.exists("fail"):
        raise RuntimeError("too many requests")
    return text + "!"


@gv.register
def main():
    return [third("rain"), first("rain"), second(Draft("abcdef"))]
"""


@pytest.mark.parametrize("stop", ["failure", "limit"])
def test_what_is_carried_on_is_judged_by_the_code_that_made_it(gv: CommandLine, stop: str) -> None:
    """A replay that stopped answers nothing of the run before it that was stale then, and says why it is."""
    gv.write("prog.py", CARRIED)
    gv.write("texts.py", "import json\nfrom pathlib import Path\n\nPROMPTS = json.loads(Path('prompts.json').read_text())\n")
    shapes = "from dataclasses import dataclass\n\n\n@dataclass\nclass Draft:\n    text: str\n\n    def short(self):\n        return self.text[:4]\n"
    gv.write("shapes.py", shapes)
    gv.write("prompts.json", '{"first": "OLD "}')
    gv("init")
    gv("run", "prog.py:main")
    gv.write("prompts.json", '{"first": "NEW "}')
    gv.write("shapes.py", shapes.replace(":4", ":2"))
    gv.write("prog.py", CARRIED.replace('"!"', '"?"'))
    if stop == "failure":
        gv.write("fail", "")
        gv("replay", "run/1", status=20)
        (gv.folder / "fail").unlink()
    else:
        gv("replay", "run/1", "--max-calls", "1", status=1)

    found = planned(gv)
    assert found["first"] == "prog.first: file prompts.json, read when texts is imported, changed"
    assert found["second"] == "prog.second: class shapes.Draft, in its arguments, changed"
    assert "main() = ['rain?', 'NEW rain', 'ab']" in gv("replay").out
    assert planned(gv) == {}
    done = gv("replay", "run/2", "--as-recorded")
    assert "'OLD rain', 'abcd'" in done.out


def test_the_class_of_what_a_call_was_answered_counts(gv: CommandLine) -> None:
    """A method that a call uses of what another returned: its own text names it nowhere, its class is all the same part of it."""
    shapes = "from dataclasses import dataclass\n\n\n@dataclass\nclass Draft:\n    text: str\n\n    def short(self):\n        return self.text[:4]\n"
    gv.write("shapes.py", shapes)
    gv.write(
        "prog.py",
        "import gvstore as gv\nimport shapes\n\n\n@gv.register(version='1')\ndef make(text):\n    return shapes.Draft(text)\n\n\n"
        "@gv.register\ndef use(text):\n    return make(text).short()\n\n\n@gv.register\ndef main():\n    return use('abcdef')\n",
    )
    gv("init")
    gv("run", "prog.py:main")
    gv.write("shapes.py", shapes.replace(":4", ":2"))

    assert planned(gv)["use"] == "prog.use: class shapes.Draft, in its answers, changed"
    assert "main() = 'ab'" in gv("replay").out


def test_a_file_read_at_import_counts_for_the_name_it_went_into(gv: CommandLine) -> None:
    """What reaches another name of the module holds; where the statement binds none, the whole module counts."""
    gv.write(
        "texts.py",
        "from pathlib import Path\n\n\ndef load(name):\n    return Path(name).read_text()\n\n\nREVISE = load('revise.txt')\n"
        "ALL = {}\nfor name in ('a.txt', 'b.txt'):\n    ALL[name] = load(name)\nTWICE = load('a.txt')\nprint(load('told.txt'))\n",
    )
    gv.write(
        "prog.py",
        "import gvstore as gv\nimport texts\nfrom texts import load\n\n\n@gv.register\ndef draft():\n    return load('draft.txt')\n\n\n"
        "@gv.register\ndef revise():\n    return texts.REVISE\n\n\n@gv.register\ndef every():\n    return len(texts.ALL)\n\n\n"
        "@gv.register\ndef twice():\n    return texts.TWICE\n\n\n@gv.register\ndef main():\n    return [draft(), revise(), every(), twice()]\n",
    )
    for name in ("revise", "draft", "a", "b", "told"):
        gv.write(f"{name}.txt", name)
    gv("init")
    gv("run", "prog.py:main")
    for name, stale in (("revise", {"revise"}), ("b", {"every"}), ("a", {"every", "twice"}), ("draft", {"draft"})):
        gv.write(f"{name}.txt", "other")
        assert planned(gv).keys() - {"main"} == stale, name
        gv.write(f"{name}.txt", name)
    gv.write("told.txt", "other")
    assert planned(gv).keys() >= {"draft", "revise", "every", "twice"}
