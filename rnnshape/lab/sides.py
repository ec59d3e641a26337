"""Prepares the sides of a comparison: builds each variant, makes its input, and copies the weights of the first."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.errors import RnnshapeError
from rnnshape.lab.build import Stack, build
from rnnshape.lab.feed import feed
from rnnshape.lab.further import kept_states
from rnnshape.lab.observe import Observation, explained, tidy, warned
from rnnshape.lab.seeds import seeded
from rnnshape.lab.tensorflow import held_back, load, place
from rnnshape.lab.ways import asked
from rnnshape.layers import release
from rnnshape.spec.comparison import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from rnnshape.spec import Spec
    from rnnshape.spec.comparison import Comparison, Variant
    from rnnshape.structure import Structure


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one variant.

    ``seen`` is the observation or the error; None for a way that computes only shapes: ``static`` is their structure
    then.  ``way`` is how the variant was run, ``kernel`` the kernels in the traced graph.  ``unmapped`` says why the
    weights of the first could not be copied.  ``times`` are the seconds of each run, in order.
    """

    seen: Observation | RnnshapeError | None
    way: str
    static: Structure | None = None
    kernel: str | None = None
    unmapped: str | None = None
    times: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """A prepared variant: the built layer with its weights, its inputs, and the call to make."""

    variant: Variant
    way: str
    device: str
    layer: Any
    inputs: tuple[Any, ...]
    call: Callable[..., Any]
    unmapped: str | None
    warned: tuple[str, ...]


def all_ready(comparison: Comparison) -> list[Side | Outcome]:
    """Each variant prepared, or its error; the weights of the first prepared one are copied to the others."""
    load()
    tidy()
    auto = _way_of_all(comparison)
    sides: list[Side | Outcome] = []
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
    """The execution mode of all ``"auto"`` variants: the same for all, so that only the compared thing differs."""
    ways = {variant.spec.faster for variant in comparison.variants if variant.way == "auto"}
    return "graph" if ways == {"graph"} else "eager"


def _ready(variant: Variant, way: str, lent: list[np.ndarray[Any, Any]] | None) -> Side:
    tensorflow, spec = load(), variant.spec
    device = place(spec)
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
    return Side(variant, way, device, layer, inputs, call, unmapped, warned(said))


def _give_weights(spec: Spec, layer: Any, inputs: tuple[Any, ...]) -> None:
    """Let Keras create the weights, with one time step: they do not depend on the number of steps."""
    first, *rest = inputs
    if "T" in spec.letters:
        first = load().gather(first, range(1), axis=spec.letters.index("T"))
    layer(first, *rest)
    for part in layer.layers if isinstance(layer, Stack) else [layer]:
        inside = getattr(part, "layer", part)  # inside a TimeDistributed; kept_states handles a Bidirectional
        if getattr(inside, "stateful", False):  # the one step must not change its states
            for state in load().nest.flatten(kept_states(inside)):  # a stack of cells cannot be reset
                state.assign(load().zeros_like(state))


def _taken(layer: Any, lent: list[np.ndarray[Any, Any]]) -> str | None:
    """Copy these weights to the layer; return why they do not fit, or None."""
    own = layer.weights
    if len(own) != len(lent):
        return f"{len(own)} weights against {len(lent)}"
    for weight, value in zip(own, lent, strict=True):
        if tuple(weight.shape) != value.shape:
            return f"{weight.name} is {tuple(weight.shape)} against {value.shape}"
    for weight, value in zip(own, lent, strict=True):
        weight.assign(value)
    return None
