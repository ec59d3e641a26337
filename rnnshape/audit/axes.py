"""What can be varied of a class, read off the table: a class that is new there is audited without a change here.

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
_SPACE = 4  # as small as a dilated window allows
MIRRORED = "mirrored"
"""A second layer that is written out: the first one, in the other direction of time."""
_RUN: Axes = {
    TIME.name: (TIME.default, 1),
    MASK.name: (None, "right", "left:3,2", "random", "empty-last"),
    MASKING.name: (None, 0.0),
    INITIAL_STATE.name: (None, *INITIAL_STATE.kind.values),  # type: ignore[attr-defined]
    CALLS.name: (CALLS.default, 2),
    TRAINING.name: (False, True),
}


def audited() -> tuple[LayerClass, ...]:
    """The classes of the table that loop over time, compute a step of such a loop, or wrap what does."""
    return tuple(
        cls for cls in TABLE.values() if cls.kind in ("recurrent", "cell") or (cls.kind == "layer" and _nested(cls))
    )


def axes_of(cls: LayerClass) -> Axes:
    """The values of each argument of a class and of what it wraps, and of each option of a run; the default is first.

    An argument of the wrapped layer that the wrapper has as well is named ``layer.dtype``.  Arguments that change
    numbers only (initializers, regularizers, constraints, seeds) keep their defaults.
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
    """The arguments that the release has; ``time_major`` goes with none of the options of a run."""
    release = keras()
    return [one for one in cls.arguments if not one.missing_in(release) and one is not TIME_MAJOR]


def asked(cls: LayerClass, changed: Mapping[str, Any]) -> tuple[Node, dict[str, Any]] | None:
    """The layer in which these values are not the default, and the options of its run.

    None where a value is meant for a layer that is not in it: ``reset_after`` of a Bidirectional(LSTM).
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
    """Whether it has its channels first: in a volume Keras compiles that with XLA on a CPU, some ten seconds a layer.

    See ``conv`` in ``keras/src/backend/tensorflow/nn.py`` (read in 3.15.1).
    """
    return any(part.has("data_format") and part["data_format"] == "channels_first" for part in node.walk())


def _made(cls: LayerClass, values: dict[str, Any]) -> Node:
    """The node with those of the values that it takes; they are taken out of ``values``."""
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
    # A stack has two cells: this one, and another.
    return (node, _made(next(other for other in fitting if other is not inner), {})) if cls.kind == "cell" else node


def _inner(cls: LayerClass, held: Argument, name: str) -> str:
    return f"{held.name}.{name}" if name in cls.by_name else name


def _nested(cls: LayerClass) -> list[Argument]:
    """The layers or cells that a class must be given."""
    return [each for each in cls.arguments if isinstance(each.kind, Nested) and each.default is REQUIRED]


def _fitting(cls: LayerClass, argument: Argument) -> list[LayerClass]:
    role = argument.kind.role  # type: ignore[attr-defined]
    kind = "cell" if role == "cell" else "recurrent"
    return [other for other in TABLE.values() if other.kind == kind and other is not cls]


def _values(cls: LayerClass, argument: Argument) -> tuple[Any, ...]:
    """The values to ask, the default first; one or none where nothing is to be varied."""
    if argument.default is REQUIRED:
        return tuple(other.name for other in _fitting(cls, argument)) if isinstance(argument.kind, Nested) else ()
    return (argument.default, *(value for value in _others(argument) if value != argument.default))


def _others(argument: Argument) -> tuple[Any, ...]:
    match argument.kind:
        case Flag():
            return (False, True)
        case Named():
            return (_ACTIVATION,) if argument.flag else ()  # an activation decides whether cuDNN is used
        case OneOf(values=values):
            # use_cudnn=True is an error where there is no GPU, and where there is one "auto" uses cuDNN too.
            return tuple(value for value in values if argument is not USE_CUDNN or value is not True)
        case Sizes():
            return (_KERNEL,)
        case Number(least=0, most=1):
            return (1 / 2,)
        case Nested(none=True):
            return (MIRRORED,)
        case _:
            return ()
