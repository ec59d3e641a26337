"""The lab's part of a comparison: every variant runs with the same input and weights.

Each variant is a separate layer with the weights of the first (``sides.py``).  Its result becomes an ``Observation``,
as for a single layer; the ways that compute only shapes give a structure without values.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.errors import RnnshapeError
from rnnshape.lab.execution import prepared
from rnnshape.lab.feed import handed
from rnnshape.lab.kernel import traced_or_none
from rnnshape.lab.observe import Observation, explained, one_at_a_time, seen_of
from rnnshape.lab.sides import Outcome, Side, all_ready
from rnnshape.lab.tensorflow import held_back, load
from rnnshape.lab.timing import interleaved
from rnnshape.lab.ways import last_of
from rnnshape.layers import release
from rnnshape.layers.base import CUDNN
from rnnshape.layers.release import KERAS_3
from rnnshape.layers.release import asked as asked_release
from rnnshape.structure import Nest, Structure, Tensor, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.spec import Spec
    from rnnshape.spec.comparison import Comparison

_ENOUGH_STEPS = 8


def side_by_side(comparison: Comparison) -> tuple[Outcome, ...]:
    """The outcome of each variant; an error of one does not stop the others.

    Raises:
        Unavailable: TensorFlow is missing or broken.
    """
    with one_at_a_time:
        ready = all_ready(comparison)
        kernels: dict[tuple[Any, ...], str | None] = {}
        outcomes = [_looked_at(side, kernels) if isinstance(side, Side) else side for side in ready]
        if not comparison.timing:
            return tuple(outcomes)
        fit = [
            side if isinstance(side, Side) and isinstance(outcome.seen, Observation) else None
            for side, outcome in zip(ready, outcomes, strict=True)
        ]
        return tuple(replace(one, times=times) for one, times in zip(outcomes, _times(fit), strict=True))


def timed(comparison: Comparison) -> tuple[tuple[float, ...], str]:
    """The seconds of each run of the only variant, and how it was run.

    Raises:
        RnnshapeError: Keras rejects the layer, or it cannot run here.
    """
    with one_at_a_time:
        (side,) = all_ready(comparison)
        if isinstance(side, Outcome):
            assert isinstance(side.seen, RnnshapeError)
            raise side.seen
        return _times([side])[0], side.way


# -- observing ----------------------------------------------------------------------------------


def _looked_at(side: Side, kernels: dict[tuple[Any, ...], str | None]) -> Outcome:
    tensorflow = load()
    try:
        with release.of(side.variant.spec.keras), held_back(), tensorflow.device(side.device), explained(tensorflow):
            for _ in range(side.variant.spec.calls):  # the last one is observed
                result = side.call()
            if side.way == "compute_output_shape":
                return Outcome(None, side.way, static=_shapes(result), unmapped=side.unmapped)
            result = last_of(side.layer, result, side.inputs)
            if side.variant.static:
                return Outcome(None, side.way, static=describe(result, _stand_in), unmapped=side.unmapped)
            kernel = _kernel(side, kernels)
            seen = seen_of(side.variant.spec, side.layer, result, side.device, side.way)
            seen = replace(seen, cudnn_used=CUDNN in (kernel or ""), warnings=side.warned)
            return Outcome(seen, side.way, None, kernel, side.unmapped)
    except RnnshapeError as error:
        return Outcome(error, side.way, unmapped=side.unmapped)


def _stand_in(value: Any, path: str) -> Tensor:
    shape = tuple(value.shape)
    return Tensor("unknown", path, shape, tuple(map(str, shape)), str(value.dtype))


def _shapes(value: Any, path: str = "") -> Structure:
    """The structure that ``compute_output_shape`` returns: tuples of sizes in containers, without dtypes."""
    if all(size is None or isinstance(size, int) for size in value):
        shape = tuple(value)
        return Tensor("unknown", path, shape, tuple(map(str, shape)), "")
    items = tuple(_shapes(item, f"{path}[{i}]") for i, item in enumerate(value))
    return Nest("list" if isinstance(value, list) else "tuple", items)


def _kernel(side: Side, known: dict[tuple[Any, ...], str | None]) -> str | None:
    """The kernels in the graph that Keras traces; traced once for each layer.

    None where tracing fails: a graph is stricter than Python and needs one dtype in a loop.
    """
    spec = side.variant.spec
    if asked_release() < KERAS_3:  # its kernel is inside a function that the graph calls
        return None
    key = (spec.layer, side.device, spec.mask)
    if key not in known:
        few, inputs = _few_steps(spec, side.inputs)
        found = traced_or_none(side.layer, handed(few, side.layer), *inputs)
        known[key] = None if found is None else " + ".join(dict.fromkeys(found))
    return known[key]


def _few_steps(spec: Spec, inputs: tuple[Any, ...]) -> tuple[Spec, tuple[Any, ...]]:
    """The first steps of a long input: the kernel is the same, and tracing an unrolled graph takes long."""
    first, *rest = inputs
    if "T" not in spec.letters or first.shape[axis := spec.letters.index("T")] <= _ENOUGH_STEPS:
        return spec, inputs
    mask = spec.mask and tuple(row[:_ENOUGH_STEPS] for row in spec.mask)
    return replace(spec, mask=mask), (load().gather(first, range(_ENOUGH_STEPS), axis=axis), *rest)


# -- timing -------------------------------------------------------------------------------------


def _times(sides: list[Side | None]) -> list[tuple[float, ...]]:
    """The seconds of each run of every side that computes; empty for the others."""
    tensorflow = load()
    calls = []
    for side in sides:
        # Model.predict has no backward pass.
        able = side is not None and not (side.variant.spec.training and side.way == "predict")
        calls.append(_timed_call(side) if side is not None and able else None)
    devices = {side.device for side in sides if side is not None}
    sync = tensorflow.test.experimental.sync_devices if any("GPU" in device for device in devices) else None
    with held_back(), explained(tensorflow):
        return interleaved(calls, sync)


def _timed_call(side: Side) -> Callable[[], Any]:
    tensorflow = load()
    call = side.call
    if side.variant.spec.training:
        call = partial(prepared(side.way, _forward_and_backward(side)), *side.inputs)

    def placed() -> None:
        with tensorflow.device(side.device):
            call()

    return placed


def _forward_and_backward(side: Side) -> Callable[..., Any]:
    """A forward pass with ``training=True`` and the gradients of every weight."""
    tensorflow = load()
    layer = handed(side.variant.spec, side.layer)

    def step(*inputs: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            result = tensorflow.nest.flatten(last_of(side.layer, layer(*inputs), inputs))
            loss = tensorflow.add_n([tensorflow.reduce_sum(tensorflow.cast(one, "float32")) for one in result])
        return tape.gradient(loss, side.layer.trainable_weights)

    return step
