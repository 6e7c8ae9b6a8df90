"""Which module a name means: a built-in one, a function of modules.py, a prompt file, in this order."""

from __future__ import annotations

from dataclasses import dataclass

from gvstore.pipeline.config import Config
from gvstore.pipeline.document import Node
from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.fill import Filler, Scope
from gvstore.pipeline.function_path import FunctionPath
from gvstore.pipeline.functions import Signature
from gvstore.pipeline.keys import ASKING, BUILTIN
from gvstore.pipeline.place import Place
from gvstore.pipeline.project import Project, TextFile
from gvstore.pipeline.prompt import Prompt, compressed_tools, one_line, system_prompt
from gvstore.pipeline.step import Does

MODULES = "modules.py"
TOOL_PROMPT = "tools/tool_prompt.txt"


@dataclass(slots=True)
class Modules:
    """Finds modules, and what is known of them, in a project's files."""

    project: Project
    config: Config
    faults: Faults

    def does(self, name: str, place: Place) -> Does | None:
        """Returns what the module of this name does; None, with a fault, if there is none."""
        if name in BUILTIN:
            return Does.BUILTIN
        if name.isidentifier() and name in (self._functions() or {}):
            return Does.FUNCTION
        if self.project.has(f"system_prompts/{name}.txt"):
            return Does.PROMPT
        defined = [key for key, each in (self._functions() or {}).items() if each.known and not key.startswith("_")]
        known = [*self.project.prompt_names(), *BUILTIN, *defined]
        otherwise = f"there is no system_prompts/{name}.txt, no function of modules.py, and no built-in module of this name"
        self.faults.add(place, f"unknown module {quoted(name)}: {or_meant(name, known, otherwise=otherwise)}")
        return None

    def function(self, path: FunctionPath, what: str) -> Signature | None:
        """Returns what a function takes; None, with a fault, if its file does not define it."""
        found = self.project.functions(path.file, self.faults)
        if found is None:
            near = or_meant(path.file, self.project.python_files(), otherwise=f"it is looked for in {self.project.root}")
            self.faults.add(path.place, f"{what} {quoted(str(path))}: there is no file {path.file}; {near}")
            return None
        if path.function not in found:
            if found:  # else the file itself is told
                near = or_meant(path.function, [name for name in found if not name.startswith("_")])
                self.faults.add(path.place, f"{what} {quoted(str(path))}: {path.file} defines no {path.function}; {near}")
            return None
        return found[path.function]

    def system(self, name: str, place: Place, scope: Scope, filler: Filler) -> Prompt | None:
        """Returns the system prompt of a module that asks a model; None, with a fault, if its file is missing or empty.

        Where the step has parameters the files are texts with `${name}` in them, else they are taken as they stand.
        """
        file = self.project.prompt(name, self.faults)
        if file is None:
            if not self.project.has(f"system_prompts/{name}.txt"):
                self.faults.add(place, f"the module {name} asks a model: write what it is told into system_prompts/{name}.txt")
            return None
        if not file.text.strip():
            self.faults.add(file.start, "the prompt file is empty")
            return None
        general = self.project.read("general_system.txt", self.faults)
        tools = self._tool_prompt()
        return system_prompt(
            name,
            self._taken(file, scope, filler),
            general=self._taken(general, scope, filler) if general else "",
            tools=compressed_tools(tools.text) if tools else None,
        )

    def asks_model(self, name: str, does: Does) -> bool:
        """Returns whether a module has a system prompt."""
        return does is Does.PROMPT or (does is Does.BUILTIN and name not in ASKING)

    def _functions(self) -> dict[str, Signature] | None:
        return self.project.functions(MODULES, self.faults)

    def _tool_prompt(self) -> TextFile | None:
        if not self.config.tools:
            return None
        file = self.project.read(TOOL_PROMPT, self.faults)
        if file is None and not self.project.has(TOOL_PROMPT):
            self.faults.add(Place(str(self.project.root / TOOL_PROMPT)), "config.yml says tools_enabled, and there is no such file")
        return file

    def _taken(self, file: TextFile, scope: Scope, filler: Filler) -> Prompt:
        return filler.text(file.text, file.start, scope, own=one_line) if scope else one_line(file.text)


def check_call(signature: Signature, path: FunctionPath, given: dict[str, Node], faults: Faults) -> None:
    """Notes what a function module needs and is not given; it takes the prompt first, then model_config, then parameters."""
    if not signature.known:
        return
    if not signature.parameters and not signature.more:
        faults.add(path.place, f"{path} takes nothing: a module takes the prompt, `def {path.function}(prompt):`")
    for name in signature.required[1:]:
        if name != "model_config" and name not in given:
            faults.add(path.place, f"{path} needs {quoted(name)}: give it below params: of the step")
