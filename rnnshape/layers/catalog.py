"""The table of Keras' initializers, regularizers, constraints and activation layers: names, arguments, defaults.

Read in 3.15.1; ``tests/reading/test_objects.py`` compares names, order and defaults with Keras.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.layers import names
from rnnshape.layers.arguments import DTYPE, NAME, SEED, Argument
from rnnshape.layers.kinds import FLOAT32, INT64, Kind, Maybe, Number, OneOf
from rnnshape.layers.names import snake
from rnnshape.layers.objects import Made
from rnnshape.layers.release import KERAS_3


class Float32(Number, frozen=True):
    """A number that TensorFlow can convert to float32 or int64; ``above`` excludes the minimum itself."""

    above: bool = False

    @property
    def allowed(self) -> str:  # type: ignore[override]
        if math.isinf(self.least):
            return "a number within float32"
        return f"a number {f'above {self.least:g}' if self.above else f'from {self.least:g}'} within float32"

    def accepts(self, value: Any) -> bool:
        if self.above and value == self.least:
            return False
        return super().accepts(value) and abs(value) <= (INT64 if type(value) is int else FLOAT32)


class Axes(Kind, frozen=True):
    """The axes of a norm, which Keras uses only in training."""

    allowed = "a whole number, a list of them, or None"

    def accepts(self, value: Any) -> bool:
        axes = value if isinstance(value, tuple) else (value,)
        return value is None or all(type(axis) is int for axis in axes)


class ObjectClass(Struct, frozen=True):
    """One class of Keras: the kind of its objects, its other names, and its arguments in order.

    ``renamed`` has the new names of Keras 2's arguments; with ``understood``, Keras 3 still accepts the old ones.
    """

    what: str
    name: str
    arguments: tuple[Argument, ...] = ()
    aliases: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    understood: bool = False

    @property
    def positional(self) -> int:
        """The number of arguments by position; those of every layer are keywords only."""
        return len([one for one in self.arguments if one not in (DTYPE, NAME)])

    def made(self, values: dict[str, Any], default: Any) -> Any:
        """The object, or an equivalent name; if the argument's default is equivalent, that one."""
        given = tuple((one.name, values[one.name]) for one in self.arguments if _differs(one, values))
        if given:
            return Made(self.what, self.name, given)
        name = snake(self.name)
        if name == _SAME.get(default, default):
            return default
        return name if name in names.of(self.what).usable else Made(self.what, self.name)


# Defaults whose name is not their class in snake case.
_SAME = {"uniform": "random_uniform"}


def _differs(argument: Argument, values: dict[str, Any]) -> bool:
    return argument.name in values and values[argument.name] != argument.default


def _number(name: str, default: float | None, least: float = float("-inf"), **how: Any) -> Argument:
    kind: Kind = Float32(least, **how)
    return Argument(name, kind, default)


def _maybe(argument: Argument) -> Argument:
    return Argument(argument.name, Maybe(argument.kind), argument.default)


# The input and output axes change only the range of the random numbers.
_FANS = tuple(Argument(name, OneOf((None,)), None, since=(3, 15)) for name in ("input_axes", "output_axes"))
_MODE = Argument("mode", OneOf(("fan_in", "fan_out", "fan_avg")), "fan_in")
_DISTRIBUTION = Argument(
    "distribution", OneOf(("truncated_normal", "untruncated_normal", "uniform", "normal")), "truncated_normal"
)
_AXIS = Argument("axis", Axes(), 0)
_NORMAL = (_number("mean", 0.0), _number("stddev", 0.05), SEED)
_SLOPES = {"alpha": "negative_slope"}
_OF_LAYERS = (DTYPE, NAME)


def _initializer(name: str, arguments: tuple[Argument, ...], *others: str) -> ObjectClass:
    """An initializer, with its other names besides that in snake case."""
    return ObjectClass("initializer", name, arguments, (snake(name), *others))


CLASSES = (
    _initializer("Constant", (_number("value", 0.0),), "constant_initializer"),
    _initializer("Zeros", (), "zeros_initializer"),
    _initializer("Ones", (), "ones_initializer"),
    _initializer("Identity", (_number("gain", 1.0),), "IdentityInitializer"),
    _initializer("Orthogonal", (_number("gain", 1.0), SEED), "OrthogonalInitializer"),
    _initializer("RandomNormal", _NORMAL, "random_normal_initializer"),
    _initializer("TruncatedNormal", _NORMAL),
    _initializer(
        "RandomUniform", (_number("minval", -0.05), _number("maxval", 0.05), SEED), "random_uniform_initializer"
    ),
    _initializer("VarianceScaling", (_number("scale", 1.0, 0.0, above=True), _MODE, _DISTRIBUTION, SEED, *_FANS)),
    *(
        _initializer(f"{by}{shape}", (SEED, *_FANS))
        for by in ("Glorot", "He", "Lecun")
        for shape in ("Normal", "Uniform")
    ),
    ObjectClass("regularizer", "L1", (_maybe(_number("l1", 0.01, 0.0)),), ("l1",), {"l": "l1"}),
    ObjectClass("regularizer", "L2", (_maybe(_number("l2", 0.01, 0.0)),), ("l2",), {"l": "l2"}),
    ObjectClass("regularizer", "L1L2", tuple(_maybe(_number(name, 0.0, 0.0)) for name in ("l1", "l2")), ("l1_l2",)),
    ObjectClass(
        "regularizer",
        "OrthogonalRegularizer",
        (_number("factor", 0.01, 0.0), Argument("mode", OneOf(("rows", "columns")), "rows")),
        ("orthogonal_regularizer",),
    ),
    ObjectClass("constraint", "Constraint"),
    ObjectClass("constraint", "MaxNorm", (_number("max_value", 2), _AXIS), ("max_norm",), {"m": "max_value"}),
    ObjectClass("constraint", "NonNeg", (), ("non_neg",)),
    ObjectClass("constraint", "UnitNorm", (_AXIS,), ("unit_norm",)),
    ObjectClass(
        "constraint",
        "MinMaxNorm",
        (_number("min_value", 0.0), _number("max_value", 1.0), _number("rate", 1.0), _AXIS),
        ("min_max_norm",),
        {"m": "min_value"},
    ),
    ObjectClass(
        "activation",
        "LeakyReLU",
        (
            replace(_number("negative_slope", 0.3, 0.0), since=KERAS_3),
            replace(_number("alpha", 0.3, 0.0), until=KERAS_3),
            *_OF_LAYERS,
        ),
        (),
        _SLOPES,
        understood=True,
    ),
    ObjectClass(
        "activation",
        "ReLU",
        (
            Argument("max_value", Maybe(Float32(0.0)), None),
            _number("negative_slope", 0.0, 0.0),
            _number("threshold", 0.0, 0.0),
            *_OF_LAYERS,
        ),
    ),
    ObjectClass("activation", "ELU", (_number("alpha", 1.0), *_OF_LAYERS)),
    # Over another axis it would mix samples or steps.
    ObjectClass("activation", "Softmax", (Argument("axis", OneOf((-1,)), -1), *_OF_LAYERS)),
)
_BY_NAME = {(one.what, name): one for one in CLASSES for name in (one.name, *one.aliases)}


def find(what: str, name: str) -> ObjectClass | None:
    """The class of this name, if Keras has one."""
    return _BY_NAME.get((what, name))


def names_of(what: str) -> tuple[str, ...]:
    """All names of the classes of a kind."""
    return tuple(name for kind, name in _BY_NAME if kind == what)
