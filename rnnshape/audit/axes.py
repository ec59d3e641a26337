"""The arguments of a class to vary in an audit, read from the table: a new class needs no change here.

>>> from rnnshape.layers import TABLE
>>> axes = axes_of(TABLE["SimpleRNN"])
>>> axes["return_state"], axes["dropout"], axes["initial_state"]
((False, True), (0.0, 0.5), (None, 'zeros', 'ones', 'random'))
>>> layer, options = asked(TABLE["RNN"], {"cell": "GRUCell", "reset_after": False, "time": 1})
>>> layer.text, options
('RNN(GRUCell(3, reset_after=False))', {'input': (2, 1, 4)})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE, Node
from rnnshape.layers.arguments import REQUIRED, TIME_MAJOR, USE_CUDNN, Flag, Nested, Number, OneOf, Sizes
from rnnshape.layers.kinds import Named
from rnnshape.layers.release import asked as keras
from rnnshape.spec.masks import MASK, MASKING
from rnnshape.spec.options import BATCH, CALLS, CHANNELS, INITIAL_STATE, INPUT, TIME, TRAINING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.audit.covering import Axes
    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass

_UNITS, _KERNEL, _ACTIVATION = 3, 2, "relu"
_SPACE = 4  # the smallest size that fits a dilated window
MIRRORED = "mirrored"
"""The value for a second layer: the first layer, in the other direction of time."""
_RUN: Axes = {
    TIME.name: (TIME.default, 1),
    MASK.name: (None, "right", "left:3,2", "random", "empty-last"),
    MASKING.name: (None, 0.0),
    INITIAL_STATE.name: (None, *INITIAL_STATE.kind.values),  # type: ignore[attr-defined]
    CALLS.name: (CALLS.default, 2),
    TRAINING.name: (False, True),
}


def audited() -> tuple[LayerClass, ...]:
    """The recurrent layers and cells of the table, and the layers that wrap a layer."""
    return tuple(
        cls for cls in TABLE.values() if cls.kind in ("recurrent", "cell") or (cls.kind == "layer" and _nested(cls))
    )


def axes_of(cls: LayerClass) -> Axes:
    """The values of each argument of a class and of its wrapped layer, and of each option of a run; the default first.

    If wrapper and wrapped layer have the same argument, that of the wrapped layer is named like ``layer.dtype``.
    Arguments that change only numbers (initializers, regularizers, constraints, seeds) keep their defaults.
    """
    own = {argument.name: values for argument in _varied(cls) if len(values := _values(cls, argument)) > 1}
    inner: dict[str, tuple[Any, ...]] = {}
    for held in _nested(cls):
        for other in _fitting(cls, held):
            for each in _varied(other):
                if not isinstance(each.kind, Nested) and len(values := _values(other, each)) > 1:
                    inner.setdefault(_inner(cls, held, each.name), values)
    return {**own, **inner, **_RUN}


def _varied(cls: LayerClass) -> list[Argument]:
    """The arguments that the release has, except ``time_major``, which fits no option of a run."""
    release = keras()
    return [one for one in cls.arguments if not one.missing_in(release) and one is not TIME_MAJOR]


def asked(cls: LayerClass, changed: Mapping[str, Any]) -> tuple[Node, dict[str, Any]] | None:
    """The layer with these values, and the options of its run.

    None if a value does not apply, such as ``reset_after`` to a Bidirectional(LSTM).
    """
    options = {name: value for name, value in changed.items() if name in _RUN}
    left = {name: value for name, value in changed.items() if name not in _RUN}
    node = _made(cls, left)
    letters = node.cls.letters(node, None)
    if left or (TIME.name in options and "T" not in letters) or (_slow(node) and "Z" in letters):
        return None
    sizes = {"N": BATCH.default, "T": options.pop(TIME.name, TIME.default), "C": CHANNELS.default}
    return node, {**options, INPUT.name: tuple(sizes.get(letter, _SPACE) for letter in letters)}


def _slow(node: Node) -> bool:
    """Whether a layer has channels first: for volumes on a CPU, Keras compiles it with XLA, in about ten seconds.

    Source: ``conv`` in ``keras/src/backend/tensorflow/nn.py`` (3.15.1).
    """
    return any(part.has("data_format") and part["data_format"] == "channels_first" for part in node.walk())


def _made(cls: LayerClass, values: dict[str, Any]) -> Node:
    """A node of this class; the values that it takes are removed from ``values``."""
    given: dict[str, Any] = {}
    for argument in cls.arguments:
        if isinstance(argument.kind, Nested) and argument.default is REQUIRED:
            given[argument.name] = _wrapped(cls, argument, values)
        elif argument.name in values and not isinstance(argument.kind, Nested):
            given[argument.name] = values.pop(argument.name)
        elif argument.default is REQUIRED:
            given[argument.name] = _KERNEL if isinstance(argument.kind, Sizes) else _UNITS
    for argument in cls.arguments:
        if isinstance(argument.kind, Nested) and argument.kind.none and values.pop(argument.name, None) == MIRRORED:
            first: Node = next(value for value in given.values() if isinstance(value, Node))
            given[argument.name] = first.but(go_backwards=not first["go_backwards"])
    return Node.of(cls, given)


def _wrapped(cls: LayerClass, argument: Argument, values: dict[str, Any]) -> Node | tuple[Node, ...]:
    fitting = _fitting(cls, argument)
    named = values.pop(argument.name, fitting[0].name)
    inner = next(other for other in fitting if other.name == named)
    own = {each.name: _inner(cls, argument, each.name) for each in inner.arguments}
    taken = {name: values.pop(axis) for name, axis in own.items() if axis in values}
    node = _made(inner, taken)
    # StackedRNNCells gets this cell and one of another class.
    return (node, _made(next(other for other in fitting if other is not inner), {})) if cls.kind == "cell" else node


def _inner(cls: LayerClass, held: Argument, name: str) -> str:
    return f"{held.name}.{name}" if name in cls.by_name else name


def _nested(cls: LayerClass) -> list[Argument]:
    """The required arguments of a class that are layers or cells."""
    return [each for each in cls.arguments if isinstance(each.kind, Nested) and each.default is REQUIRED]


def _fitting(cls: LayerClass, argument: Argument) -> list[LayerClass]:
    role = argument.kind.role  # type: ignore[attr-defined]
    kind = "cell" if role == "cell" else "recurrent"
    return [other for other in TABLE.values() if other.kind == kind and other is not cls]


def _values(cls: LayerClass, argument: Argument) -> tuple[Any, ...]:
    """The values to try, the default first; at most one if the argument is not varied."""
    if argument.default is REQUIRED:
        return tuple(other.name for other in _fitting(cls, argument)) if isinstance(argument.kind, Nested) else ()
    return (argument.default, *(value for value in _others(argument) if value != argument.default))


def _others(argument: Argument) -> tuple[Any, ...]:
    match argument.kind:
        case Flag():
            return (False, True)
        case Named():
            # Only activations are varied, because they decide whether cuDNN is used.
            return (_ACTIVATION,) if argument.flag else ()
        case OneOf(values=values):
            # use_cudnn=True is an error without a GPU; with a GPU, "auto" uses cuDNN too.
            return tuple(value for value in values if argument is not USE_CUDNN or value is not True)
        case Sizes():
            return (_KERNEL,)
        case Number(least=0, most=1):
            return (1 / 2,)
        case Nested(none=True):
            return (MIRRORED,)
        case _:
            return ()
