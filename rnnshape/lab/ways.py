"""The ways of calling a layer: running it, ``Model.predict``, a symbolic call, or ``compute_output_shape``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.lab.build import Stack
from rnnshape.lab.execution import prepared
from rnnshape.lab.feed import beside, handed
from rnnshape.lab.tensorflow import keras, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.spec import Spec


def asked(way: str, spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    """The call of a built layer in this way (``spec.comparison.WAYS``)."""
    ask: Callable[..., Callable[[], Any]] = _CALLS.get(way) or partial(_running, way)
    return ask(spec, layer, inputs)


def last_of(layer: Any, result: Any, inputs: Any) -> Any:
    """The result of the last layer of a stack; any other result unchanged."""
    return layer.result(result, inputs) if isinstance(layer, Stack) and isinstance(result, list) else result


def _running(way: str, spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    return partial(prepared(way, handed(spec, layer)), *inputs)


def _predicting(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    """``Model.predict`` of a functional model with only this layer."""
    nest = load().nest
    tensors = {name: value for name, value in beside(spec).items() if name != "training"}
    given = inputs, tensors
    first, more = ends = _stand_ins(given)
    model = keras().Model(nest.flatten(ends), last_of(layer, layer(*first, **more), first))
    fed = nest.flatten(given)
    return partial(model.predict, fed if len(fed) > 1 else fed[0], batch_size=spec.input[0], verbose=0)


def _symbolic(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    return partial(handed(spec, layer), *_stand_ins(inputs))


def _stand_ins(tensors: Any) -> Any:
    """A ``keras.Input`` for each tensor, in the same containers."""
    tensorflow = load()
    return tensorflow.nest.map_structure(
        lambda tensor: keras().Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype.name), tensors
    )


def _asking_shapes(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> Callable[[], Any]:
    def ask() -> Any:
        shape: Any = spec.input
        for part in layer.layers if isinstance(layer, Stack) else [layer]:
            shape = part.compute_output_shape(shape)
        return shape

    return ask


_CALLS = {"predict": _predicting, "symbolic": _symbolic, "compute_output_shape": _asking_shapes}
