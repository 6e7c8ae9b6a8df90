"""The table of keys: every key that a pipeline, its steps and `config.yml` may have.

Reading, the published JSON Schema and the documentation are made of this table;
who adds a key adds it here.  The first five keys of a step are OrchestrAI's.
"""

from __future__ import annotations

from gvstore.pipeline.kind import HOLE, Flag, Number, Words, whole
from gvstore.pipeline.kind_name import Condition, FilePath, Function, Name
from gvstore.pipeline.kind_table import Either, Key, Keys, Listed, Mapped, Raw
from gvstore.pipeline.model_config import PROVIDERS

MAX_ATTEMPTS, MAX_SAMPLES, MAX_ROUNDS = 100, 100, 100
MAX_SEED = 2**63 - 1
RETRIED = ("model", "timeout", "schema", "error")

MODEL_CONFIG = Keys(
    "a model_config",
    (
        Key("model", Words(least=1), "the model's name, as the provider knows it"),
        Key("temperature", Number(0, 2), "how freely it samples; 0: the likeliest each time"),
        Key("top_p", Number(0, 1, above=True), "sample among the likeliest, up to this much probability"),
        Key("max_tokens", whole(1, 10_000_000), "the longest answer, in tokens"),
        Key("frequency_penalty", Number(-2, 2), "against words that came often"),
        Key("presence_penalty", Number(-2, 2), "against words that came at all"),
        Key("stop", Either(Words(least=1), Listed(Words(least=1), 1, "a stop text"), takes="text, or a list of texts"), "texts at which the answer ends"),
        Key("provider", Words(PROVIDERS), "who answers"),
        Key("base_url", Words(secret=True, least=1), "the endpoint, where it is not the provider's own"),
        Key("api_key", Words(secret=True, least=1), "the key, as ${env:NAME}; never the key itself"),
        Key("headers", Mapped(Words(secret=True)), "headers that are sent along"),
    ),
    elsewhere=dict.fromkeys(("seed", "n", "schema", "tools", "timeout", "retry", "cache"), "beside model_config:"),
)

RETRY = Keys(
    "retry",
    (
        Key("max", whole(1, MAX_ATTEMPTS), "how many attempts at most, the first one counted", required=True),
        Key("backoff", Number(0, 3600), "seconds to wait before the second attempt; twice as long before each further one"),
        Key("on", Listed(Words(RETRIED), 1, "retry.on"), "what is tried again: model, timeout, schema, error"),
    ),
)

FALLBACK = Keys(
    "a fallback",
    (
        Key("module", Name(), "the module that runs instead"),
        Key("python", Function(), "the function that runs instead"),
        Key("model_config", MODEL_CONFIG, "how it asks its model; what is left out is as in the step"),
        Key("supplement", Words(secret=True), "what is added to its prompt, instead of the step's"),
    ),
)

ON_ERROR = Either(
    Words(("fail", "skip")),
    table=Keys(
        "on_error",
        (Key("fallback", FALLBACK, "what runs instead", required=True),),
        elsewhere={key.name: "below fallback:" for key in FALLBACK.keys},
    ),
    takes="fail, skip, or a mapping with fallback:",
)

NOT_HERE = {
    **{key.name: "below model_config:" for key in MODEL_CONFIG.keys},
    "max": "below retry:",
    "backoff": "below retry:",
    "fallback": "below on_error:",
}

STEP = Keys(
    "a step",
    (
        Key("module", Name(), "a built-in module, a function of modules.py, or the prompt file system_prompts/<module>.txt"),
        Key("inputs", Listed(Name(address=True), each="an input"), "the output_names that the step is given; [] for none", required=True),
        Key("output_name", Name(), "what the step's result is called", required=True),
        Key("model_config", MODEL_CONFIG, "how the step asks its model; what is left out stands in config.yml"),
        Key("supplement", Words(secret=True), "what is added to the prompt"),
        Key("python", Function(), "a function instead of a module: file.py:function"),
        Key("pipeline", FilePath(), "another pipeline instead of a module; its last result is the step's"),
        Key("params", Raw({"type": "object"}), "parameters of this step alone, and options of built-in modules"),
        Key("when", Condition(), "the step runs if this is true of results and parameters: \"len(plan) > 0 and mode == 'fast'\""),
        Key("foreach", Raw({"anyOf": [{"type": ["array", "object"]}, HOLE]}), "the step runs once for each of these, as ${item}"),
        Key("matrix", Raw({"anyOf": [{"type": "object"}, HOLE]}), "the step runs once for each combination, as ${item.name}"),
        Key("n", whole(1, MAX_SAMPLES), "how many answers are sampled; with it the result is a list"),
        Key("seed", whole(0, MAX_SEED), "where sampling begins"),
        Key("schema", Either(FilePath(), table=Raw({"type": "object"}), takes="a JSON schema, or the path of one"), "what a structured answer looks like"),
        Key("tools", Listed(Function(), 1, "a tool"), "functions that the model may call: [tools.py:search]"),
        Key("rounds", whole(1, MAX_ROUNDS), "how often the model may call tools before it must answer"),
        Key("retry", Either(whole(1, MAX_ATTEMPTS), table=RETRY, takes="a number of attempts, or a mapping with max:"), "how often a step that failed is tried"),
        Key("timeout", Number(0, 7 * 86_400, above=True), "seconds that one attempt may take"),
        Key("on_error", ON_ERROR, "what happens when the step failed: fail, skip, or fallback:"),
        Key("cache", Flag(), "false: the step runs each time, also where nothing changed"),
    ),
    elsewhere=NOT_HERE,
    one_of=("module", "python", "pipeline"),
)

PIPELINE = Keys(
    "a pipeline",
    (
        Key("pipeline", Listed(STEP, 1, "a step"), "the steps", required=True),
        Key("params", Raw({"type": "object"}), "parameters, used as ${name}; --set name=value sets them"),
        Key("seed", whole(0, MAX_SEED), "where sampling begins, for steps that have no seed of their own"),
    ),
)

CONFIG = Keys(
    "config.yml",
    (
        Key("pipeline", Words(least=1), "the pipeline that runs: the name of a file in pipelines/, or its path"),
        Key("default_model", Words(least=1), "the model of steps that name none"),
        Key("default_temperature", Number(0, 2), "their temperature"),
        Key("default_max_tokens", whole(1, 10_000_000), "their longest answer, in tokens"),
        Key("default_top_p", Number(0, 1, above=True), "their top_p"),
        Key("default_frequency_penalty", Number(-2, 2), "their frequency_penalty"),
        Key("default_presence_penalty", Number(-2, 2), "their presence_penalty"),
        Key("default_provider", Words(PROVIDERS), "their provider"),
        Key("default_base_url", Words(secret=True, least=1), "their endpoint"),
        Key("wandb_enabled", Flag(), "whether runs are told to Weights & Biases"),
        Key("tools_enabled", Flag(), "whether tools/tool_prompt.txt is part of every system prompt"),
        Key("working_codebase_dirname", Name(), "the folder of generated_outputs/ that modules write code to"),
        Key("working_image_dirname", Name(), "the folder of generated_outputs/ for images"),
        Key("openai_api_key", Words(secret=True), "not read: keys stand in the environment"),
    ),
)

_ATTEMPTS = Key("attempts", whole(1, 20), "how often the model may try to mend the program")
_PROGRAM = Key("program", FilePath(), "what is run: a file of the working folder")
_LIMITS = (
    Key("seconds", Number(0, 86_400, above=True), "how long the program may run"),
    Key("memory_mb", whole(16, 1_000_000), "how much memory it may take, in MB"),
    Key("output_kb", whole(1, 1_000_000), "how much it may print, in kB"),
)
_ESCALATION = (
    Key("escalate_after", whole(1, 20), "after so many failed attempts, the model of escalate_to mends"),
    Key("escalate_to", MODEL_CONFIG, "how that model is asked"),
)
_QUESTION = Key("question", Words(least=1), "what is asked")

BUILTIN: dict[str, Keys] = {
    "start_module": Keys("params of start_module", (_QUESTION,)),
    "human_intervention": Keys("params of human_intervention", (_QUESTION,)),
    "engineer": Keys("params of engineer", ()),
    "debugger": Keys("params of debugger", (_ATTEMPTS, _PROGRAM, *_LIMITS, *_ESCALATION)),
    "modify_codebase": Keys("params of modify_codebase", (_QUESTION, _ATTEMPTS, _PROGRAM, *_LIMITS, *_ESCALATION)),
    "create_readme": Keys("params of create_readme", (Key("file", FilePath(), "where it is written: README.md"),)),
}
"""The built-in modules, with the options that `params:` of their steps may hold."""

ASKING = ("start_module", "human_intervention")  # they ask a person, and no model
