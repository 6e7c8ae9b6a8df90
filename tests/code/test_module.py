"""Texts let go of their trees, and give them again."""

from __future__ import annotations

import gc
import threading

from gvstore.code.discover import discover_project
from gvstore.code.module import ModuleText, reading
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules

COUNT = 100
FILES = {
    f"m{n}.py": f"import gvstore as gv\nimport m{(n + 1) % COUNT} as following\n\nLIMIT = {n}\n\n\n"
    f"def helper(x):\n    return following.helper(x) + LIMIT\n\n\n"
    f"@gv.register\ndef step(x):\n    return helper(x)\n"
    for n in range(COUNT)
}


def reach(modules: TreeModules, name: str) -> Reached:
    project = Project(modules)
    module = project.module(name)
    assert module is not None
    number = module.number("step")
    assert number is not None
    return trace(project, module, number)


def test_few_trees_are_kept_and_the_others_come_again() -> None:
    """After many texts were read most have no tree; what is asked of them then is what it was."""
    modules = TreeModules(FILES.get)
    was = reach(modules, "m0")
    texts = [text for name in FILES if (text := modules.text(name)) is not None]

    assert sum("tree" in vars(text) for text in texts) < COUNT / 2
    assert 2 * COUNT == len(was.units)
    assert was.hash == reach(modules, "m0").hash == reach(TreeModules(FILES.get), "m0").hash
    assert "def helper(x):\n    return following.helper(x) + LIMIT\n" == was.units[0].source


def test_python_collects_again_afterwards() -> None:
    """Also after an error, and not where the program had switched it off."""
    try:
        with reading(), reading():
            assert not gc.isenabled()
            raise KeyError
    except KeyError:
        assert gc.isenabled()
    gc.disable()
    try:
        with reading():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_threads_find_the_same() -> None:
    """Several that read the same texts at once, trees coming and going, agree."""
    modules = TreeModules(FILES.get)
    expected = discover_project(FILES.items())
    found: list[bytes] = []

    def look(name: str) -> None:
        for _ in range(3):
            found.append(reach(modules, name).hash)
            text = modules.text(f"{name}.py")
            assert isinstance(text, ModuleText)
            text.let_go()

    threads = [threading.Thread(target=look, args=(f"m{n}",)) for n in (0, 0, 50, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    hashes = {name: each.identity.reach for name, each in expected.named().items()}
    assert 12 == len(found)
    assert {hashes["m0.step"], hashes["m50.step"]} == set(found)
