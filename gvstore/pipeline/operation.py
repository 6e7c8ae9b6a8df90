"""One entry of `pipeline:`, read: keys, module, loop, everything that the entry alone can show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from gvstore.machine.finding import near
from gvstore.pipeline.answer import read_schema
from gvstore.pipeline.document import Entry, Items, Node, Scalar, Table, kind_of, plain_of
from gvstore.pipeline.expand import Instance, instances
from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.fill import ANY, Filler, Scope
from gvstore.pipeline.function_path import FunctionPath
from gvstore.pipeline.keys import BUILTIN, STEP
from gvstore.pipeline.kind import WRONG
from gvstore.pipeline.model_config import ModelConfig
from gvstore.pipeline.models import Models
from gvstore.pipeline.modules import MODULES, Modules, check_call
from gvstore.pipeline.name import why_no_name
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.place import Place
from gvstore.pipeline.step import Does, Retry, Step, Work

WORKS = ("module", "python", "pipeline")
UNFILLED = ("output_name", "when", "foreach", "matrix", "schema", "params")
_SAMPLING = ("n", "schema", "tools", "rounds")
IDLE = {  # keys that would do nothing there, of those that OrchestrAI does not have
    Does.BUILTIN: _SAMPLING,
    Does.FUNCTION: _SAMPLING,
    Does.PROMPT: (),
    Does.PIPELINE: (*_SAMPLING, "model_config", "supplement"),
}
Nested = Callable[[str, Place, Scope], Pipeline | None]


@dataclass(frozen=True, slots=True)
class Draft:
    """A step before its inputs are looked up: `asked` are their names with their places."""

    step: Step
    asked: tuple[tuple[str, Place], ...]
    when_place: Place | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An entry of the file: its name, and its steps; none if it is spoiled."""

    output_name: str
    place: Place
    drafts: tuple[Draft, ...]
    loop: bool


@dataclass(slots=True)
class Reader:
    """Reads the operations of one file."""

    modules: Modules
    models: Models
    filler: Filler
    faults: Faults
    params: Scope
    seed: int | None
    nested: Nested
    spoiled: set[str] = field(default_factory=set)  # output names of operations that could not be read

    def read(self, node: Node) -> Operation | None:
        """Returns the operation; None if it has no name."""
        if not isinstance(node, Table):
            self.faults.add(node.place, f"a step is a mapping (module: ...), not {kind_of(node)}")
            return None
        named = node.get("output_name")
        name = named.value if isinstance(named, Scalar) and isinstance(named.value, str) else ""
        place = named.place if named else node.place
        loops = Table(node.place, tuple(each for each in node.entries if each.key in ("foreach", "matrix") and node.get(each.key)))
        filled = self.filler.fill(loops, self.params)
        turns = instances(filled, self.faults) if isinstance(filled, Table) else None
        drafts = [draft for turn in ([None] if turns is None else turns) if (draft := self._draft(node, name, turn))]
        if turns == []:
            self._draft(node, name, Instance("", ANY, ANY))  # for what else is wrong with it
        if not drafts:
            self.spoiled.add(name)
        return Operation(name, place, tuple(drafts), turns is not None) if name else None

    def _draft(self, node: Table, name: str, turn: Instance | None) -> Draft | None:
        """Returns one step, as far as it can be read; None if nothing of it can."""
        self.filler.used = set()
        scope = dict(self.params)
        if turn is not None:
            scope["item"] = turn.item
            if turn.key is not None:
                scope["key"] = turn.key
        own = self._own_params(node, scope)
        seen = {**scope, **own}
        filled = self.filler.fill(node, seen, but=UNFILLED)
        read = STEP.read(filled, "a step", self.faults)
        if not isinstance(filled, Table) or read is WRONG:
            return None
        work = self._work(filled, read, seen, own)
        options = self._options(filled, work, own) if work else {}
        visible = without(seen, own, work.module if work else "")
        step = Step(
            name=f"{name}@{turn.label}" if turn else name,
            output_name=name,
            place=node.place,
            work=work or Work(Does.PROMPT, ""),
            inputs=(),
            when=read.get("when"),
            scope={key: plain_of(value) for key, value in visible.items()},
            options=options,
            samples=read.get("n"),
            seed=read.get("seed", self.seed),
            schema=self._schema(filled, read),
            tools=self._tools(read),
            rounds=read.get("rounds", 8),
            retry=_retry(read.get("retry")),
            timeout_s=read.get("timeout"),
            skip_on_error=read.get("on_error") == "skip",
            fallback=self._fallback(filled, read, work, seen),
            cache=read.get("cache", True),
        )
        inputs, when = filled.get("inputs"), filled.get("when")
        asked = [(each.raw, each.place) for each in inputs.items if isinstance(each, Scalar) and (isinstance(each.value, str) or each.filled)] if isinstance(inputs, Items) else []
        return Draft(step, tuple(each for each in asked if not why_no_name(each[0].partition("@")[0])), when.place if when else None)

    def _own_params(self, node: Table, scope: Scope) -> dict[str, Node]:
        table = node.get("params")
        if table is None:
            return {}
        if not isinstance(table, Table):
            self.faults.add(table.place, f"params takes a mapping (name: value), not {kind_of(table)}")
            return {}
        check_param_names(table, self.faults)
        return self.filler.params(table, scope)

    def _work(self, filled: Table, read: dict[str, Any], scope: Scope, own: dict[str, Node]) -> Work | None:
        chosen = [key for key in WORKS if filled.get(key) is not None]
        names = {key.name for key in STEP.keys}
        if not chosen and any(near(each.key, WORKS) for each in filled.entries if each.key not in names):
            return None  # a misspelt one, which is told
        if len(chosen) != 1:
            entry = filled.entry(chosen[1]) if chosen else None
            both = f"a step has {' or '.join(chosen)}, not both" if chosen else "a step needs module: (or python:, or pipeline:)"
            self.faults.add(entry.place if entry else filled.place, both)
            return None
        key, node = chosen[0], filled.get(chosen[0])
        if key not in read or node is None:
            return None
        if key == "pipeline":
            nested = self.nested(read[key], node.place, own)
            work = Work(Does.PIPELINE, read[key], pipeline=nested) if nested else None
        else:
            work = self._module(key, read[key], node.place, without(scope, own, read[key]) if key == "module" else scope)
        if work is None:
            return None
        for idle in IDLE[work.does]:
            entry = filled.entry(idle)
            if entry is not None and idle in read:
                self.faults.add(entry.place, f"{idle} does nothing here: {_described(work)}")
        if work.function is not None and (signature := self.modules.function(work.function, key)) is not None:
            check_call(signature, work.function, own, self.faults)
        config = self._model_config(filled, read, asks=self.modules.asks_model(work.module, work.does))
        return replace(work, model_config=config, supplement=read.get("supplement"))

    def _module(self, key: str, value: Any, place: Place, scope: Scope) -> Work | None:
        if key == "python":
            return Work(Does.FUNCTION, value.function, function=value)
        does = self.modules.does(value, place)
        if does is None:
            return None
        if does is Does.FUNCTION:
            return Work(does, value, function=FunctionPath(MODULES, value, place))
        if not self.modules.asks_model(value, does):
            return Work(does, value)
        return Work(does, value, system=self.modules.system(value, place, scope, self.filler))

    def _model_config(self, filled: Table, read: dict[str, Any], *, under: ModelConfig | None = None, asks: bool = True) -> ModelConfig:
        """Returns what the step says over what config.yml, or `under`, says; if it `asks` a model, that has to be one."""
        table = filled.get("model_config")
        said = self.models.read(table, read.get("model_config") or {}) if isinstance(table, Table) else ModelConfig()
        whole = said.over(under or self.modules.config.defaults)
        if asks:
            node = table.get("model") if isinstance(table, Table) else None
            inherited = self.modules.config.model_place if under is None else None  # a step's own was looked at
            self.models.check(whole, node.place if node else inherited)
        return whole

    def _options(self, filled: Table, work: Work, own: dict[str, Node]) -> dict[str, Any]:
        """Returns the step's own parameters that its module takes; one that nothing uses is a fault."""
        table = filled.get("params")
        if not isinstance(table, Table):
            return {}
        taken: dict[str, Any] = {}
        known: set[str] = set()
        if work.does is Does.BUILTIN:
            keys = BUILTIN[work.module]
            known = {key.name for key in keys.keys}
            mine = Table(table.place, tuple(Entry(each.key, each.place, own[each.key]) for each in table.entries if each.key in known))
            taken = keys.read(mine, "params", self.faults)
            other = mine.get("escalate_to")
            if "escalate_to" in taken and isinstance(other, Table):
                taken["escalate_to"] = said = self.models.read(other, taken["escalate_to"])
                self.models.check(said.over(work.model_config), other.place)
        elif work.function is not None:
            signature = (self.modules.project.functions(work.function.file, self.faults) or {}).get(work.function.function)
            if signature is not None:
                open_ = not signature.known or signature.more
                taken = {name: plain_of(node) for name, node in own.items() if open_ or name in signature.parameters[1:]}
        if work.does is Does.PIPELINE:
            return taken
        used = self.filler.used | _words_of(filled.get("when"))
        for each in table.entries:
            if each.key not in taken and each.key not in used | known:
                why = or_meant(each.key, sorted(known), otherwise=f"neither the prompt nor the step has ${{{each.key}}}")
                self.faults.add(each.place, f"nothing uses the parameter {quoted(each.key)}: {why}")
        return taken

    def _schema(self, filled: Table, read: dict[str, Any]) -> Any:
        node = filled.get("schema")
        if node is None or "schema" not in read:
            return None
        return read_schema(read["schema"], node.place, self.modules.project, self.faults)

    def _tools(self, read: dict[str, Any]) -> tuple[FunctionPath, ...]:
        for path in read.get("tools", ()):
            self.modules.function(path, "the tool")
        return tuple(read.get("tools", ()))

    def _fallback(self, filled: Table, read: dict[str, Any], work: Work | None, scope: Scope) -> Work | None:
        said = read.get("on_error")
        on_error = filled.get("on_error")
        table = on_error.get("fallback") if isinstance(on_error, Table) else None
        if not isinstance(said, dict) or "fallback" not in said or not isinstance(table, Table) or work is None:
            return None
        if not table.entries:
            self.faults.add(table.place, "the fallback is empty: give it a module, a function (python:) or another model_config")
            return None
        chosen = [key for key in ("module", "python") if table.get(key)]
        if len(chosen) > 1:
            self.faults.add(table.place, "a fallback has module or python, not both")
            return None
        inner = said["fallback"]
        base: Work | None = work
        if chosen:
            node = table.get(chosen[0])
            base = self._module(chosen[0], inner[chosen[0]], node.place, scope) if node and chosen[0] in inner else None
            if base is not None and base.does is Does.BUILTIN and node:
                self.faults.add(node.place, f"a fallback is a prompt or a function, not the built-in module {base.module}")
            if base is not None and base.function is not None:
                self.modules.function(base.function, chosen[0])
        elif work.does is Does.PIPELINE:
            self.faults.add(table.place, "a fallback of a pipeline needs a module: or python:")
        if base is None:
            return None
        config = self._model_config(table, inner, under=work.model_config, asks=self.modules.asks_model(base.module, base.does))
        return replace(base, model_config=config, supplement=inner.get("supplement", work.supplement))


def check_param_names(table: Table, faults: Faults) -> None:
    """Notes parameters whose names cannot stand in `${name}`, or are taken."""
    for each in table.entries:
        if not re.fullmatch(r"[^\W\d]\w*", each.key, re.ASCII):
            faults.add(each.place, f"the parameter {quoted(each.key)}: a parameter's name is made of letters, digits and _")
        elif each.key == "item":
            faults.add(each.place, "the parameter 'item': this name is taken, by foreach and matrix")


def without(scope: Scope, own: dict[str, Node], module: str) -> Scope:
    """Returns the parameters that a module's prompt file sees: not the options of a built-in one."""
    options = {key.name for key in BUILTIN[module].keys} if module in BUILTIN else set()
    return {name: node for name, node in scope.items() if not (name in own and name in options)}


def _words_of(node: Node | None) -> set[str]:
    return set(re.findall(r"\w+", node.raw)) if isinstance(node, Scalar) else set()


def _retry(said: Any) -> Retry:
    if said is None:
        return Retry()
    if isinstance(said, int):
        return Retry(said)
    plain = Retry()
    return Retry(said.get("max", 1), said.get("backoff", plain.backoff_s), said.get("on", plain.on))


def _described(work: Work) -> str:
    match work.does:
        case Does.BUILTIN:
            return f"{work.module} is a built-in module"
        case Does.FUNCTION:
            return f"{work.module} is a Python function"
        case Does.PIPELINE:
            return "the step runs a pipeline"
    return "the step asks a model"
