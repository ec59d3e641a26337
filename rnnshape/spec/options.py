"""The options of a run: everything that can be set for a layer besides its constructor arguments.

Each is declared once and has the same name as a flag (``--seed``), as a YAML key and as a keyword of the Python API
(``seed``).
"""

from __future__ import annotations

import re
from typing import Any

from rnnshape.layers.arguments import DTYPES, INT64, Argument, Flag, Kind, Number, OneOf, Whole
from rnnshape.layers.release import LEGACY, NEWEST, OLDEST, dotted, releases
from rnnshape.spec.masks import MASK, MASKING


class Shape(Kind, frozen=True):
    """The input's whole shape: whole numbers, 1 or more, joined by commas in a shell."""

    allowed = "the input shape, two or more whole numbers from 1, such as 2,3,4 (in a file [2, 3, 4])"
    metavar = "INT,INT,…"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple) and len(value) >= 2 and all(map(Whole().accepts, value))

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": Whole().schema(), "minItems": 2}

    def from_text(self, text: str) -> Any:
        inner = text.strip().removeprefix("(").removesuffix(")").removeprefix("[").removesuffix("]")
        return tuple(Whole().from_text(part.strip()) for part in inner.split(","))


class Expression(Kind, frozen=True):
    """The text of a layer, read by ``reading.code.expression``."""

    allowed = "a Keras expression, such as LSTM(8)"
    metavar = "EXPR"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


_VERSIONS = f"(2|{re.escape(LEGACY)}|({'|'.join(map(re.escape, releases()[1:]))})(\\.[0-9]+)?)"


class Version(Kind, frozen=True):
    """A release of Keras whose rules are known: ``2``, or ``3.3`` to the newest; None is the installed one."""

    metavar = "VERSION"
    allowed = f"2 (tf_keras {LEGACY}), or a release from {dotted(OLDEST)} to {dotted(NEWEST)}, such as 3.10"

    def accepts(self, value: Any) -> bool:
        return value is None or (isinstance(value, str) and re.fullmatch(_VERSIONS, value) is not None)

    def refusal(self, value: Any) -> str:
        if isinstance(value, float):
            return "must be in quotes, because YAML reads 3.10 as 3.1: write '3.10'"
        if isinstance(value, int):
            return f"must be in quotes: write '{value}'"
        return super().refusal(value)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"], "pattern": f"^{_VERSIONS}$"}


class Let(Kind, frozen=True):
    """Values of names in an expression: ``latent_dim=256`` in a shell, a mapping in a file."""

    allowed = "NAME=VALUE, such as latent_dim=256 (in a file a mapping, {latent_dim: 256})"
    metavar = "NAME=VALUE"
    many = True

    def accepts(self, value: Any) -> bool:
        return isinstance(value, dict) and all(
            isinstance(name, str) and isinstance(each, int | float | str | bool | None) for name, each in value.items()
        )

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean", "null"]}}

    def from_texts(self, texts: list[str]) -> Any:
        """The mapping of several ``NAME=VALUE``; the text of the first one that is wrong."""
        values: dict[str, Any] = {}
        for text in texts:
            name, equals, value = text.partition("=")
            name, meant = name.strip(), _literal(value.strip())
            if not (equals and name) or values.get(name, meant) != meant:
                return text
            values[name] = meant
        return values

    def refusal(self, value: Any) -> str:
        if isinstance(value, str) and "=" in value.strip("="):
            return f"{value.partition('=')[0].strip()} has two values: give one"
        return super().refusal(value)


class Modules(Kind, frozen=True):
    """The dotted names of modules: one for each use of the flag in a shell, one or a list in a file."""

    allowed = "the dotted name of a module, such as package.module (in a file, or a list of them)"
    metavar = "MODULE"
    many = True

    def accepts(self, value: Any) -> bool:
        return (isinstance(value, str) and _dotted(value)) or (
            isinstance(value, tuple) and value != () and all(map(_dotted, value))
        )

    def schema(self) -> dict[str, Any]:
        name = {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*$"}
        return {"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}

    def from_texts(self, texts: list[str]) -> Any:
        return tuple(dict.fromkeys(texts))


def _dotted(name: Any) -> bool:
    return isinstance(name, str) and all(part.isidentifier() for part in name.split("."))


_WORDS = {"true": True, "false": False, "none": None, "null": None}


def _literal(text: str) -> Any:
    """The number, boolean or None that a text means in Python or YAML; any other text, without its quotes."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (Whole(-INT64), Number()):
        value = kind.from_text(text)
        if not isinstance(value, str):
            return value
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


BATCH = Argument("batch", Whole(), 2, "N, the batch size.", True, "n")
TIME = Argument("time", Whole(), 3, "T, the number of time steps.", True, "t")
CHANNELS = Argument("channels", Whole(), 4, "C, the channels (features) of one step.", True, "c")
INPUT = Argument("input", Shape(), None, "The whole input shape, instead of N, T and C.", True)
SEED = Argument("seed", Whole(0), 0, "Seed of the random weights and input.", True)
DEVICE = Argument("device", OneOf(("auto", "cpu", "gpu")), "auto", "Device of the real layer:", True)

EXECUTION = Argument(
    "execution", OneOf(("auto", "eager", "graph", "xla")), "auto", "Execution mode; auto picks the faster one:", True
)
INTO = Argument("into", Expression(), None, "A second layer that starts from the states of this one.", True)
DTYPE = Argument("dtype", OneOf((*DTYPES, None)), None, "Default dtype for layers without one:", True)

INITIAL_STATE = Argument(
    "initial_state", OneOf(("zeros", "ones", "random")), None, "Initial states passed to the call:", True
)
CALLS = Argument("calls", Whole(most=9), 1, "Number of calls, to see which states are kept.", True)
TRAINING = Argument(
    "training", Flag(), False, "Call with training=True; with --timing, include the backward pass.", True
)

KERAS = Argument("keras", Version(), None, "Answer for this Keras, instead of the installed one.", True)
LET = Argument("let", Let(), None, "Value of a name in the expression (repeatable).", True)

IMPORT = Argument(
    "import",
    Modules(),
    None,
    "Module with your own layers or cells (repeatable). This runs the code of the module.",
    True,
)

LETTERS = {BATCH: "N", TIME: "T", CHANNELS: "C"}
DIMENSIONS = tuple(LETTERS)
STATE_OPTIONS = (MASK, MASKING, INITIAL_STATE, CALLS, TRAINING)
RUN_OPTIONS = (*DIMENSIONS, INPUT, LET, IMPORT, KERAS, SEED, DTYPE, *STATE_OPTIONS, DEVICE, EXECUTION, INTO)
RUN = {option.name: option for option in RUN_OPTIONS}
_WORKED_IN = (*DIMENSIONS, INPUT, LET, IMPORT, DTYPE, MASK, MASKING, INTO)
KEPT = tuple(option for option in RUN_OPTIONS if option not in _WORKED_IN)
"""The options that a Spec keeps in a field of the same name; the others change its layer, input or mask."""
