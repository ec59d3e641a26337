"""From the classes of the table to the runs of an audit.

>>> runs = lattice()
>>> runs[0].name, runs[0].asked, dict(runs[0].axes)
('LSTM 1', 'LSTM(3)', {'class': 'LSTM'})
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnshape import theory
from rnnshape.audit.axes import asked, audited, axes_of
from rnnshape.audit.covering import Verdict, cover, draw
from rnnshape.errors import Invalid, Refused
from rnnshape.reading.finishing import finish
from rnnshape.reading.runs import Run
from rnnshape.spec.expect import Expectations
from rnnshape.spec.options import SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rnnshape.audit.covering import Axes, Point
    from rnnshape.layers.node import LayerClass
    from rnnshape.spec import Spec

CLASS = "class"
"""The axis of a run that names its class; the others are those of its values that are not Keras' default."""
_DRAWN = 300
"""Layers of a class that are drawn beside those that cover the pairs."""
_PATIENCE = 4
"""Draws a layer that is wanted: two may be the same layer."""


def lattice(*, full: bool = False, seed: int = 0) -> list[Run]:
    """The runs that cover each pair of values of each class; with ``full`` some thousand drawn from ``seed`` as well.

    ``seed`` is that of the weights, the input and the random masks too.  A layer that theory says Keras rejects
    has this as its contract: its run is ok when Keras rejects it.
    """
    return [run for cls in audited() for run in _of_class(cls, full=full, seed=seed)]


def _of_class(cls: LayerClass, *, full: bool, seed: int) -> Iterator[Run]:
    axes = axes_of(cls)
    spec_of = partial(_spec, cls, axes, seed=seed)
    judge = partial(_judged, spec_of)
    points: Iterable[Point] = cover(axes, judge)
    known: dict[Spec, Point] = {}
    for point in points:
        known.setdefault(spec_of(point), point)
    if full:
        rng = random.Random(f"{cls.name} {seed}")  # noqa: S311  a draw that can be repeated
        wanted = len(known) + _DRAWN
        for point in islice(iter(partial(draw, axes, judge, rng), None), _PATIENCE * _DRAWN):
            known.setdefault(spec_of(point), point)
            if len(known) == wanted:
                break
    for number, (spec, point) in enumerate(known.items(), 1):
        named = replace(spec, name=f"{cls.name} {number}")
        if theory.predict(spec).refusal is not None:
            named = replace(named, expect=Expectations(error=Refused.kind))
        yield Run(named.name, named.layer.text, spec=named, axes={CLASS: cls.name, **_changed(axes, point)})


def _changed(axes: Axes, point: Point) -> dict[str, Any]:
    return {axis: value for axis, value in point.items() if value != axes[axis][0]}


def _spec(cls: LayerClass, axes: Axes, point: Mapping[str, Any], *, seed: int) -> Spec | None:
    """What a point asks; None where it cannot be asked."""
    made = asked(cls, _changed(axes, {**point}))
    if made is None:
        return None
    node, options = made
    try:
        return finish(node, {**options, SEED.name: seed})
    except Invalid:
        return None


def _judged(spec_of: Any, point: Point) -> Verdict:
    spec = spec_of(point)
    if spec is None:
        return Verdict.IMPOSSIBLE
    return Verdict.RUNS if theory.predict(spec).refusal is None else Verdict.REJECTED
