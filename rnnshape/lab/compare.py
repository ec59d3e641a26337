"""The lab's part of a comparison: one input and one set of weights, in every variant.

Each variant is a layer of its own, which gets the weights of the first.  What it returned becomes an
``Observation``, as for a single layer; the ways that only say shapes give a structure without values.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.errors import RnnshapeError
from rnnshape.lab.build import Stack, build
from rnnshape.lab.execution import prepared
from rnnshape.lab.feed import feed, handed, states
from rnnshape.lab.further import kept_states
from rnnshape.lab.kernel import traced_or_none
from rnnshape.lab.masked import mask_on
from rnnshape.lab.observe import Observation, bare, explained, one_at_a_time, one_line, tidy
from rnnshape.lab.seeds import seeded
from rnnshape.lab.tensorflow import gpus, held_back, keras, load, place, tf32
from rnnshape.lab.timing import interleaved
from rnnshape.lab.ways import asked, last_of
from rnnshape.layers import release
from rnnshape.layers.base import CUDNN
from rnnshape.layers.release import KERAS_3
from rnnshape.layers.release import asked as asked_release
from rnnshape.spec.comparison import RULES
from rnnshape.structure import Nest, Structure, Tensor, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from rnnshape.spec import Spec
    from rnnshape.spec.comparison import Comparison, Variant

_ENOUGH_STEPS = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one variant.

    ``seen`` is what the layer returned, or why it could not be had, and None for a way that only says
    shapes: ``static`` is then their structure.  ``way`` is how it was asked in the end, ``kernel`` what the
    traced graph computes the steps with, ``unmapped`` why it could not get the first one's weights, ``times``
    the seconds of each run, in the order in which they were taken.
    """

    seen: Observation | RnnshapeError | None
    way: str
    static: Structure | None = None
    kernel: str | None = None
    unmapped: str | None = None
    times: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Side:
    """A variant made ready: the built layer with its weights, its inputs, and the call to make."""

    variant: Variant
    way: str
    device: str
    layer: Any
    inputs: tuple[Any, ...]
    call: Callable[..., Any]
    unmapped: str | None
    warned: tuple[str, ...]


def side_by_side(comparison: Comparison) -> tuple[Outcome, ...]:
    """What each variant gives; an error of one is no end of the others.

    Raises:
        Unavailable: no TensorFlow.
    """
    with one_at_a_time:
        ready = _all_ready(comparison)
        kernels: dict[tuple[Any, ...], str | None] = {}
        outcomes = [_looked_at(side, kernels) if isinstance(side, _Side) else side for side in ready]
        if not comparison.timing:
            return tuple(outcomes)
        fit = [
            side if isinstance(side, _Side) and isinstance(outcome.seen, Observation) else None
            for side, outcome in zip(ready, outcomes, strict=True)
        ]
        return tuple(replace(one, times=times) for one, times in zip(outcomes, _times(fit), strict=True))


def timed(comparison: Comparison) -> tuple[tuple[float, ...], str]:
    """The seconds of each run of the only variant, and how it was run.

    Raises:
        RnnshapeError: what Keras refuses, or what cannot be done here.
    """
    with one_at_a_time:
        (side,) = _all_ready(comparison)
        if isinstance(side, Outcome):
            assert isinstance(side.seen, RnnshapeError)
            raise side.seen
        return _times([side])[0], side.way


# -- making ready -------------------------------------------------------------------------------


def _all_ready(comparison: Comparison) -> list[_Side | Outcome]:
    """Each variant made ready, or its error; the first that is ready lends the others its weights."""
    tensorflow = load()
    tidy(tensorflow)
    auto = _way_of_all(comparison)
    sides: list[_Side | Outcome] = []
    lent: list[np.ndarray[Any, Any]] | None = None
    for variant in comparison.variants:
        way = auto if variant.way == "auto" else variant.way
        if way == RULES:
            sides.append(Outcome(None, way))
            continue
        try:
            with release.of(variant.spec.keras):
                side = _ready(variant, way, lent)
        except RnnshapeError as error:
            sides.append(Outcome(error, way))
            continue
        if lent is None:
            lent = [weight.numpy() for weight in side.layer.weights]
        sides.append(side)
    return sides


def _way_of_all(comparison: Comparison) -> str:
    """How to run what may be run in any way: all alike, so that only what is compared differs."""
    ways = {variant.spec.faster for variant in comparison.variants if variant.way == "auto"}
    return "graph" if ways == {"graph"} else "eager"


def _ready(variant: Variant, way: str, lent: list[np.ndarray[Any, Any]] | None) -> _Side:
    tensorflow, spec = load(), variant.spec
    insists = any(node.has("use_cudnn") and node["use_cudnn"] is True for node in spec.layer.walk())
    device = place(spec.device, cudnn=insists)
    with (
        held_back(),
        tensorflow.device(device),
        explained(tensorflow),
        warnings.catch_warnings(record=True) as said,
        seeded(spec.seed),
    ):
        warnings.simplefilter("always")
        layer = build(spec.layer)
        inputs = feed(spec, layer)
        _give_weights(spec, layer, inputs)
        unmapped = None if lent is None else _taken(layer, lent)
        call = asked(way, spec, layer, inputs)
    warned = tuple(dict.fromkeys(one_line(one) for one in said if issubclass(one.category, UserWarning)))
    return _Side(variant, way, device, layer, inputs, call, unmapped, warned)


def _give_weights(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> None:
    """Let Keras make the weights, on one time step: they do not depend on how many there are."""
    first, *rest = inputs
    if "T" in spec.letters:
        first = load().gather(first, range(1), axis=spec.letters.index("T"))
    layer(first, *rest)
    for part in layer.layers if isinstance(layer, Stack) else [layer]:
        inside = getattr(part, "layer", part)  # of a TimeDistributed; a Bidirectional says itself what it holds
        if getattr(inside, "stateful", False):  # that one step may be no part of its past
            for state in load().nest.flatten(kept_states(inside)):  # a stack of cells cannot be reset
                state.assign(load().zeros_like(state))


def _taken(layer: Any, lent: list[np.ndarray[Any, Any]]) -> str | None:
    """Give the layer these weights, or say why they do not fit."""
    own = layer.weights
    if len(own) != len(lent):
        return f"{len(own)} weights against {len(lent)}"
    for weight, value in zip(own, lent, strict=True):
        if tuple(weight.shape) != value.shape:
            return f"{weight.name} is {tuple(weight.shape)} against {value.shape}"
    for weight, value in zip(own, lent, strict=True):
        weight.assign(value)
    return None


# -- looking ------------------------------------------------------------------------------------


def _looked_at(side: _Side, kernels: dict[tuple[Any, ...], str | None]) -> Outcome:
    tensorflow = load()
    try:
        with (
            release.of(side.variant.spec.keras),
            held_back(),
            tensorflow.device(side.device),
            explained(tensorflow),
        ):
            for _ in range(side.variant.spec.calls):  # the last one is looked at
                result = side.call()
            if side.way == "compute_output_shape":
                return Outcome(None, side.way, static=_shapes(result), unmapped=side.unmapped)
            result = last_of(side.layer, result, side.inputs)
            if side.variant.static:
                return Outcome(None, side.way, static=describe(result, _stand_in), unmapped=side.unmapped)
            kernel = _kernel(side, kernels)
            return Outcome(_observation(side, result, kernel), side.way, None, kernel, side.unmapped)
    except RnnshapeError as error:
        return Outcome(error, side.way, unmapped=side.unmapped)


def _observation(side: _Side, result: Any, kernel: str | None) -> Observation:
    import numpy as np

    tensorflow = load()
    return Observation(
        returned=describe(result, bare),
        values=tuple(np.asarray(tensor) for tensor in tensorflow.nest.flatten(result)),
        weights=tuple(tuple(weight.shape) for weight in side.layer.weights),
        twin=None,
        device=side.device,
        execution=side.way,
        gpu=bool(gpus()),
        tf32=tf32(side.device),
        traced=None,
        cudnn_used=CUDNN in (kernel or ""),
        flow=(),
        into=None,
        warnings=side.warned,
        versions={"tensorflow": tensorflow.__version__, "keras": keras().__version__},
        output_mask=mask_on(result),
        begun={role: tensor.numpy() for role, tensor in states(side.variant.spec).items()},
    )


def _stand_in(value: Any, path: str) -> Tensor:
    shape = tuple(value.shape)
    return Tensor("unknown", path, shape, tuple(map(str, shape)), str(value.dtype))


def _shapes(value: Any, path: str = "") -> Structure:
    """The structure of ``compute_output_shape``: tuples of sizes in Keras' containers, without dtypes."""
    if all(size is None or isinstance(size, int) for size in value):
        shape = tuple(value)
        return Tensor("unknown", path, shape, tuple(map(str, shape)), "")
    items = tuple(_shapes(item, f"{path}[{i}]") for i, item in enumerate(value))
    return Nest("list" if isinstance(value, list) else "tuple", items)


def _kernel(side: _Side, known: dict[tuple[Any, ...], str | None]) -> str | None:
    """What computes the time steps, read from the graph that Keras traces; traced once for each layer.

    None where it cannot be traced: a graph is stricter than Python, which wants no one dtype in a loop.
    """
    spec = side.variant.spec
    if asked_release() < KERAS_3:  # its kernel is in a function that the graph calls
        return None
    key = (spec.layer, side.device, spec.mask)
    if key not in known:
        few, inputs = _few_steps(spec, side.inputs)
        found = traced_or_none(side.layer, handed(few, side.layer), *inputs)
        known[key] = None if found is None else " + ".join(dict.fromkeys(found))
    return known[key]


def _few_steps(spec: Spec, inputs: tuple[Any, ...]) -> tuple[Spec, tuple[Any, ...]]:
    """The first steps of a long input: the kernel is the same, and an unrolled graph is long to trace."""
    first, *rest = inputs
    if "T" not in spec.letters or first.shape[axis := spec.letters.index("T")] <= _ENOUGH_STEPS:
        return spec, inputs
    mask = spec.mask and tuple(row[:_ENOUGH_STEPS] for row in spec.mask)
    return replace(spec, mask=mask), (load().gather(first, range(_ENOUGH_STEPS), axis=axis), *rest)


# -- timing -------------------------------------------------------------------------------------


def _times(sides: list[_Side | None]) -> list[tuple[float, ...]]:
    """The seconds of each run of every side that computes; of the others none."""
    tensorflow = load()
    calls = []
    for side in sides:
        # Model.predict knows no backward pass.
        able = side is not None and not (side.variant.spec.training and side.way == "predict")
        calls.append(_timed_call(side) if side is not None and able else None)
    devices = {side.device for side in sides if side is not None}
    sync = tensorflow.test.experimental.sync_devices if any("GPU" in device for device in devices) else None
    with held_back(), explained(tensorflow):
        return interleaved(calls, sync)


def _timed_call(side: _Side) -> Callable[[], Any]:
    tensorflow = load()
    call = side.call
    if side.variant.spec.training:
        call = partial(prepared(side.way, _forward_and_backward(side)), *side.inputs)

    def placed() -> None:
        with tensorflow.device(side.device):
            call()

    return placed


def _forward_and_backward(side: _Side) -> Callable[..., Any]:
    """A pass forward with ``training=True`` and the gradients of every weight."""
    tensorflow = load()
    layer = handed(side.variant.spec, side.layer)

    def step(*inputs: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            result = tensorflow.nest.flatten(last_of(side.layer, layer(*inputs), inputs))
            loss = tensorflow.add_n([tensorflow.reduce_sum(tensorflow.cast(one, "float32")) for one in result])
        return tape.gradient(loss, side.layer.trainable_weights)

    return step
