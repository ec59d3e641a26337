"""Make the runs of an audit from the classes of the table.

>>> from rnnshape.layers import TABLE
>>> runs = lattice([TABLE["LSTM"]])
>>> runs[0].name, runs[0].asked, dict(runs[0].axes)
('LSTM 1', 'LSTM(3)', {'class': 'LSTM'})
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from rnnshape import theory
from rnnshape.audit.axes import asked, audited, axes_of
from rnnshape.audit.covering import Verdict, cover, draw
from rnnshape.errors import Invalid, Refused
from rnnshape.reading.batch.entries import Run
from rnnshape.reading.finishing import finish
from rnnshape.spec.expect import Expectations
from rnnshape.spec.options import SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rnnshape.audit.covering import Axes, Point
    from rnnshape.layers.node import LayerClass
    from rnnshape.spec import Spec

CLASS = "class"
"""The axis with the class of a run; the other axes are its values that are not Keras' defaults."""
_DRAWN = 300
"""The number of random layers of each class, in addition to those that cover the pairs."""


def lattice(classes: Iterable[LayerClass] = (), *, full: bool = False, seed: int = 0) -> list[Run]:
    """The runs that cover each pair of values of each class; with ``full``, also random layers drawn with ``seed``.

    Without ``classes``, all audited classes.  ``seed`` is also that of weights, input and random masks.  If theory
    says that Keras rejects a layer, its run expects this error, so the run is ok if Keras rejects it.
    """
    return [run for cls in classes or audited() for run in _of_class(cls, full=full, seed=seed)]


def _of_class(cls: LayerClass, *, full: bool, seed: int) -> Iterator[Run]:
    axes = axes_of(cls)

    def spec_of(point: Point) -> Spec | None:
        return _spec(cls, _changed(axes, point), seed)

    def judge(point: Point) -> Verdict:
        spec = spec_of(point)
        if spec is None:
            return Verdict.IMPOSSIBLE
        return Verdict.RUNS if theory.predict(spec).refusal is None else Verdict.REJECTED

    points = cover(axes, judge)
    if full:
        rng = random.Random(f"{cls.name} {seed}")  # noqa: S311  must be reproducible
        points = chain(points, (draw(axes, lambda drawn: spec_of(drawn) is not None, rng) for _ in range(_DRAWN)))
    known: dict[Spec, Point] = {}
    for point in points:
        if (spec := spec_of(point)) is not None:
            known.setdefault(spec, point)
    for number, (spec, point) in enumerate(known.items(), 1):
        expect = None if theory.predict(spec).refusal is None else Expectations(error=Refused.kind)
        named = replace(spec, name=f"{cls.name} {number}", expect=expect)
        yield Run(named.name, named.layer.text, spec=named, axes={CLASS: cls.name, **_changed(axes, point)})


def _changed(axes: Axes, point: Point) -> dict[str, Any]:
    """The values of a point that are not the default."""
    return {axis: value for axis, value in point.items() if value != axes[axis][0]}


def _spec(cls: LayerClass, changed: Mapping[str, Any], seed: int) -> Spec | None:
    """The Spec of a point; None if the point is impossible."""
    made = asked(cls, changed)
    if made is None:
        return None
    node, options = made
    try:
        return finish(node, {**options, SEED.name: seed})
    except Invalid:
        return None
