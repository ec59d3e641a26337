"""The arguments of Keras' layers: their names, their defaults and the allowed values.

An argument is declared once.  The flag and its help, the YAML key, the keyword of an expression, the check of its
value, its JSON Schema and the canonical text all come from this declaration.  Keras accepts ``units=True``,
``dropout=1.5`` or ``return_sequences="no"`` without an error; here the kind of an argument rejects them, before
TensorFlow is loaded.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.layers import names
from rnnshape.layers.kinds import (
    INT64,
    AnyCase,
    DropRate,
    Flag,
    Kind,
    MaskValue,
    Maybe,
    Named,
    Nested,
    Number,
    OneOf,
    Sizes,
    Whole,
)
from rnnshape.layers.release import KERAS_3, Release, asked, dotted
from rnnshape.layers.tuples import (
    Arrays,
    Axes,
    Axis,
    AxisOfEach,
    Margins,
    NoiseShape,
    Numbers,
    Order,
    TargetShape,
    Unwritten,
)


class Implementation(OneOf, frozen=True):
    """1 or 2; the 0 of old code means 2 (``keras/src/layers/rnn/lstm.py: LSTMCell.call`` compares with 1 only)."""

    def meant(self, value: Any) -> Any:
        return 2 if type(value) is int and value == 0 else value


class LayerName(Kind, frozen=True):
    """The name of a layer.  Keras 3 rejects a slash, and TensorFlow text that is not UTF-8."""

    allowed = "a string without '/', or None"

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, str):
            return value is None
        if "/" in value and asked() >= KERAS_3:
            return False
        return not any("\ud800" <= character <= "\udfff" for character in value)


REQUIRED: Any = type("Required", (), {"__repr__": lambda self: "REQUIRED"})()

DTYPES = ("float32", "float16", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16")


class Argument(Struct, frozen=True):
    """One constructor argument of one or more classes.

    ``flag`` says whether a command has an option for it; ``short`` is the one-letter form.  ``since`` is the first
    release of Keras with it, ``placed`` the first one that takes it by position (``in_2``: Keras 2 did too).  ``until``
    is the first release without it, and ``was`` the default before Keras 3 if it was different.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    help: str = ""
    flag: bool = False
    short: str = ""
    cli_default: Any = REQUIRED
    since: Release = ()
    placed: Release = ()
    until: Release = ()
    was: Any = REQUIRED
    in_2: bool = False

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def usual(self) -> Any:
        """The value in a command without its flag."""
        return self.default if self.cli_default is REQUIRED else self.cli_default

    @property
    def told(self) -> str:
        """The help line with the default; if the help ends in a colon, the possible values follow."""
        text = self.help
        if isinstance(self.kind, OneOf) and text.endswith(":"):
            text += f" {', '.join(self.kind.texts)}."
        if self.usual is None or isinstance(self.kind, Flag):
            return text
        return f"{text} Default: {str(self.usual).lower()}."

    def by_position(self, release: Release) -> bool:
        """Whether this release takes it by position, if its place is before the keywords."""
        return self.missing_in(release) is None and self._had(release, self.placed)

    def _had(self, release: Release, since: Release) -> bool:
        return release >= since or (self.in_2 and release < KERAS_3)

    def missing_in(self, release: Release) -> str | None:
        """Why this release of Keras does not have the argument; None if it has it."""
        if not self._had(release, self.since):
            return f"has no {self.name} in Keras {dotted(release)}: it came with Keras {dotted(self.since)}"
        if self.until and release >= self.until:
            return f"has no {self.name} any more: it was removed in Keras {dotted(self.until)}"
        return None


def initializer(name: str, default: str | None) -> Argument:
    return Argument(name, Named.among(names.INITIALIZERS), default)


def regularizer(name: str) -> Argument:
    return Argument(name, Named.among(names.REGULARIZERS), None)


def constraint(name: str) -> Argument:
    return Argument(name, Named.among(names.CONSTRAINTS), None)


def activation(name: str, default: str | None, purpose: str) -> Argument:
    return Argument(name, Named.among(names.ACTIVATIONS), default, purpose, True)


UNITS = Argument("units", Whole(), help="H, the hidden size.", flag=True, short="u", cli_default=1)
ACTIVATION = activation("activation", "tanh", "Activation of the candidate and the output.")
RECURRENT_ACTIVATION = activation("recurrent_activation", "sigmoid", "Activation of the gates.")
USE_BIAS = Argument("use_bias", Flag(), True, "Use a bias.", True)
RESET_AFTER = Argument(
    "reset_after", Flag(), True, "Apply the reset gate after the matrix product (cuDNN's GRU).", True
)
UNIT_FORGET_BIAS = Argument("unit_forget_bias", Flag(), True)
DROPOUT = Argument("dropout", DropRate(), 0.0, "Fraction of the input to drop in training.", True)
RECURRENT_DROPOUT = Argument("recurrent_dropout", DropRate(), 0.0, "Fraction of the state to drop in training.", True)
SEED = Argument("seed", Maybe(Whole(-INT64 - 1, INT64)), None)
RNN_SEED = replace(SEED, since=KERAS_3)
# Keras 2 takes it by name only: its BaseRandomLayer reads it (tf_keras/src/engine/base_layer.py).
NAMED_SEED = replace(SEED, placed=KERAS_3)
RETURN_SEQUENCES = Argument("return_sequences", Flag(), False, "Return the output of every step.", True)
RETURN_STATE = Argument("return_state", Flag(), False, "Also return the final state.", True)
GO_BACKWARDS = Argument("go_backwards", Flag(), False, "Read the input backwards in time.", True)
STATEFUL = Argument("stateful", Flag(), False, "Start from the final state of the previous call.", True)
# Only in Keras 2.
TIME_MAJOR = Argument("time_major", Flag(), False, until=KERAS_3)
RETURN_RUNTIME = Argument("return_runtime", Flag(), False, until=KERAS_3)
UNROLL = Argument("unroll", Flag(), False, "Unroll the loop over time.", True)
ZERO_OUTPUT_FOR_MASK = Argument(
    "zero_output_for_mask", Flag(), False, "Return zeros at masked steps.", True, placed=KERAS_3
)
USE_CUDNN = Argument("use_cudnn", OneOf(("auto", True, False)), "auto", "Whether to use cuDNN:", True, since=KERAS_3)
IMPLEMENTATION = Argument("implementation", Implementation((1, 2)), 2)
DTYPE = Argument("dtype", OneOf((*DTYPES, None)), None)
TRAINABLE = Argument("trainable", Flag(), True)
NAME = Argument("name", LayerName(), None)
PLACED_NAME = replace(NAME, placed=KERAS_3)
AUTOCAST = Argument("autocast", Flag(), True)

KERNEL_INITIALIZERS = (
    initializer("kernel_initializer", "glorot_uniform"),
    initializer("recurrent_initializer", "orthogonal"),
    initializer("bias_initializer", "zeros"),
)
REGULARIZERS = tuple(map(regularizer, ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer")))
ACTIVITY_REGULARIZER = regularizer("activity_regularizer")
CONSTRAINTS = tuple(map(constraint, ("kernel_constraint", "recurrent_constraint", "bias_constraint")))
DROPOUTS = (DROPOUT, RECURRENT_DROPOUT)


def of_weights(*names: str) -> tuple[Argument, ...]:
    """Initializers, regularizers and constraints of the weights of a layer without states, in Keras' order."""
    return (
        *(initializer(f"{name}_initializer", "zeros" if name == "bias" else "glorot_uniform") for name in names),
        *(regularizer(f"{name}_regularizer") for name in names),
        ACTIVITY_REGULARIZER,
        *(constraint(f"{name}_constraint") for name in names),
    )


LORA = (
    Argument("lora_rank", Maybe(Whole(0)), None, since=KERAS_3),
    Argument("lora_alpha", Maybe(Number()), None, since=(3, 10)),
    Argument("quantization_config", Kind(), None, since=(3, 13)),
)
# The arguments of the base class of all layers (keras/src/layers/layer.py: Layer.__init__).
EVERY_LAYER = (DTYPE, TRAINABLE, NAME, AUTOCAST)
BASE = (*EVERY_LAYER, ACTIVITY_REGULARIZER)

__all__ = [
    "INT64", "AnyCase", "Argument", "Arrays", "Axes", "Axis", "AxisOfEach", "DropRate", "Flag", "Kind", "Margins",
    "MaskValue", "Maybe", "Named", "Nested", "NoiseShape", "Number", "Numbers", "OneOf", "Order", "Sizes",
    "TargetShape", "Unwritten", "Whole",
]  # fmt: skip
