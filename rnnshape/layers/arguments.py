"""The arguments of Keras' layers: their names, their defaults and what may stand there.

An argument is declared once.  From this one declaration come the flag and its help, the YAML key,
the keyword of an expression, the check of its value, its JSON Schema and the canonical text.  Keras itself accepts
``units=True``, ``dropout=1.5`` or ``return_sequences="no"`` without a word; here the kind of an
argument says what is allowed, before TensorFlow is loaded.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

from rnnshape.errors import nearest

REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()

ACTIVATIONS = (
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
)

_HUGE = sys.float_info.max

DTYPES = ("float32", "float16", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16")


class Kind:
    """What may stand for an argument.  ``allowed`` completes the sentence "must be …"."""

    allowed = "a literal: a number, a string, True, False, None, a list or a tuple"
    metavar = "VALUE"

    def accepts(self, value: Any) -> bool:
        """Whether ``value`` (a Python literal, lists already tuples) may stand here."""
        return True

    def from_text(self, text: str) -> Any:
        """The value that a flag's text means; text that means none comes back as it is."""
        return text

    def refusal(self, value: Any) -> str:
        """What is wrong with a value that is not accepted, and what is allowed."""
        return f"must be {self.allowed}"

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what is accepted, as YAML and JSON write it: a tuple is a list.

        JSON does not tell 2.0 from 2, so there ``2.0`` is a whole number; ``accepts`` is stricter.
        """
        return {}


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number with a least value, and perhaps a greatest.  ``True`` is none, nor is ``2.0``."""

    least: int = 1
    most: int | None = None
    metavar = "INT"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return (
            f"a whole number, {self.least} or more"
            if self.most is None
            else f"a whole number, {self.least} to {self.most}"
        )

    def accepts(self, value: Any) -> bool:
        return type(value) is int and value >= self.least and (self.most is None or value <= self.most)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least} | ({} if self.most is None else {"maximum": self.most})

    def from_text(self, text: str) -> Any:
        # int() would also take "1_000" and " 7 ", which are slips of the finger in a shell.
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(text) <= 30 else text


@dataclass(frozen=True)
class Flag(Kind):
    allowed = "True or False"
    metavar = ""

    def accepts(self, value: Any) -> bool:
        return type(value) is bool

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number(Kind):
    """A finite number between two bounds, both included."""

    least: float = -math.inf
    most: float = math.inf
    metavar = "FLOAT"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        if math.isinf(self.least):
            return "a number"
        return f"a number from {self.least:g} to {self.most:g}"

    def accepts(self, value: Any) -> bool:
        # math.isfinite() falls over a whole number that no float can hold: that one is as good as infinite.
        return type(value) in (int, float) and max(self.least, -_HUGE) <= value <= min(self.most, _HUGE)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": max(self.least, -_HUGE), "maximum": min(self.most, _HUGE)}

    def from_text(self, text: str) -> Any:
        try:
            return float(text) if "_" not in text else text
        except ValueError:
            return text


@dataclass(frozen=True)
class OneOf(Kind):
    """One of a few values.  In a shell ``True``, ``False`` and ``None`` are written in lower case."""

    values: tuple[Any, ...]
    metavar = "NAME"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return "one of " + ", ".join(map(repr, self.values))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(str(value).lower() for value in self.values)

    def accepts(self, value: Any) -> bool:
        return any(value is known or (value == known and type(value) is type(known)) for known in self.values)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}

    def from_text(self, text: str) -> Any:
        return dict(zip(self.texts, self.values, strict=True)).get(text.lower(), text)

    def refusal(self, value: Any) -> str:
        if isinstance(value, str) and value.lower() in self.texts:
            return f"must be {self.allowed} (did you mean {self.from_text(value)!r}, without quotes?)"
        return f"must be {self.allowed}{nearest(value, self.texts) if isinstance(value, str) else ''}"


@dataclass(frozen=True)
class Activation(OneOf):
    """The name of an activation function, or None, which is Keras' ``linear``."""

    values: tuple[Any, ...] = (*ACTIVATIONS, None)

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return "an activation of Keras (" + ", ".join(ACTIVATIONS) + ") or None"

    def refusal(self, value: Any) -> str:
        hint = nearest(value, ACTIVATIONS) if isinstance(value, str) else ""
        # The list is long; a near miss does not need it.
        return f"must be the name of a Keras activation{hint}" if hint else f"must be {self.allowed}"


@dataclass(frozen=True)
class Named(Kind):
    """A name that only Keras can judge (an initializer, a regularizer), passed on unchanged."""

    allowed = "a name that Keras knows, as a string, or None"
    metavar = "NAME"

    def accepts(self, value: Any) -> bool:
        return value is None or isinstance(value, str)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"]}

    def from_text(self, text: str) -> Any:
        return None if text.lower() == "none" else text


@dataclass(frozen=True)
class Sizes(Kind):
    """One whole number, or one for each spatial dimension, as a convolution takes them."""

    rank: int
    least: int = 1
    metavar = "INT[,INT…]"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"a whole number, {self.least} or more, or a tuple of {self.rank} of them"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) and len(value) == self.rank else (value,)
        return all(type(size) is int and size >= self.least for size in each)

    def schema(self) -> dict[str, Any]:
        size = Whole(self.least).schema()
        return {"anyOf": [size, {"type": "array", "items": size, "minItems": self.rank, "maxItems": self.rank}]}

    def from_text(self, text: str) -> Any:
        sizes = tuple(Whole(self.least).from_text(part) for part in text.split(","))
        return sizes[0] if len(sizes) == 1 else sizes


@dataclass(frozen=True)
class Nested(Kind):
    """Another layer or cell.  ``role`` says what it must be able to do."""

    role: str
    many: bool = False
    none: bool = False

    @property
    def allowed(self) -> str:  # type: ignore[override]
        what = {"cell": "an RNN cell", "recurrent": "a recurrent layer", "layer": "a layer"}[self.role]
        return what + (f", or a list of {self.role}s" if self.many else "") + (" or None" if self.none else "")

    def schema(self) -> dict[str, Any]:
        """Nothing: a layer is no value that YAML can write."""
        return {"not": {}}


@dataclass(frozen=True, slots=True)
class Argument:
    """One constructor argument of one or more classes.

    ``flag`` says whether a command offers it as an option, ``short`` its one-letter form.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    help: str = ""
    flag: bool = False
    short: str = ""
    cli_default: Any = field(default=REQUIRED)

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")


def _named(name: str, default: str | None = None) -> Argument:
    return Argument(name, Named(), default)


UNITS = Argument("units", Whole(), help="H, the hidden size.", flag=True, short="u", cli_default=1)
ACTIVATION = Argument("activation", Activation(), "tanh", "Activation of the candidate and the output.", True)
RECURRENT_ACTIVATION = Argument("recurrent_activation", Activation(), "sigmoid", "Activation of the gates.", True)
USE_BIAS = Argument("use_bias", Flag(), True, "Whether there is a bias.", True)
RESET_AFTER = Argument(
    "reset_after", Flag(), True, "Apply the reset gate after the matrix product (cuDNN's GRU).", True
)
UNIT_FORGET_BIAS = Argument("unit_forget_bias", Flag(), True)
DROPOUT = Argument("dropout", Number(0, 1), 0.0, "Fraction of the input to drop in training.", True)
RECURRENT_DROPOUT = Argument("recurrent_dropout", Number(0, 1), 0.0, "Fraction of the state to drop in training.", True)
SEED = Argument("seed", Whole(0), None)
RETURN_SEQUENCES = Argument("return_sequences", Flag(), False, "Return the output of every step.", True)
RETURN_STATE = Argument("return_state", Flag(), False, "Return the final state too.", True)
GO_BACKWARDS = Argument("go_backwards", Flag(), False, "Read the input from the end.", True)
STATEFUL = Argument("stateful", Flag(), False, "Begin where the last call ended.", True)
UNROLL = Argument("unroll", Flag(), False, "Unroll the loop over time.", True)
ZERO_OUTPUT_FOR_MASK = Argument("zero_output_for_mask", Flag(), False, "Return zeros at masked steps.", True)
USE_CUDNN = Argument("use_cudnn", OneOf(("auto", True, False)), "auto", "Whether to use cuDNN:", True)
IMPLEMENTATION = Argument("implementation", OneOf((1, 2)), 2)
DTYPE = Argument("dtype", OneOf((*DTYPES, None)), None)
TRAINABLE = Argument("trainable", Flag(), True)
NAME = Argument("name", Named(), None)

KERNEL_INITIALIZERS = (
    _named("kernel_initializer", "glorot_uniform"),
    _named("recurrent_initializer", "orthogonal"),
    _named("bias_initializer", "zeros"),
)
REGULARIZERS = (
    _named("kernel_regularizer"),
    _named("recurrent_regularizer"),
    _named("bias_regularizer"),
)
ACTIVITY_REGULARIZER = _named("activity_regularizer")
CONSTRAINTS = (
    _named("kernel_constraint"),
    _named("recurrent_constraint"),
    _named("bias_constraint"),
)
DROPOUTS = (DROPOUT, RECURRENT_DROPOUT)
EVERY_LAYER = (DTYPE, TRAINABLE, NAME)
