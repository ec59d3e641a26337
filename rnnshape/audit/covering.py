"""Pairwise covering: a few points of a lattice that contain every pair of values.  Independent of layers.

>>> axes = {"a": (0, 1), "b": (0, 1), "c": (0, 1)}
>>> points = list(cover(axes, lambda point: Verdict.RUNS))
>>> len(points), {(point["a"], point["c"]) for point in points} == {(0, 0), (0, 1), (1, 0), (1, 1)}
(4, True)

A point has one value for each axis.  The first value of an axis is its default.
"""

from __future__ import annotations

from enum import Enum
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Axes: TypeAlias = Mapping[str, Sequence[Any]]
    Judge: TypeAlias = Callable[["Point"], "Verdict"]

Point: TypeAlias = dict[str, Any]
# The name of an axis and the index of a value, because the value may not be hashable.
_At: TypeAlias = tuple[str, int]
_Pair: TypeAlias = tuple[_At, _At]


class Verdict(Enum):
    """What theory says about a point."""

    IMPOSSIBLE = "there is no such layer"
    REJECTED = "Keras rejects it"
    RUNS = "it runs"


def cover(axes: Axes, judge: Judge) -> Iterator[Point]:
    """Points that contain every possible pair of values; the result is deterministic.

    If a pair runs with all other values at their defaults, it occurs in a point that runs, because a rejected point
    tests only the value that Keras rejects.
    """
    yield from _Cover(axes, judge).points()


def draw(axes: Axes, possible: Callable[[Point], bool], rng: random.Random) -> Point:
    """A random possible point of the lattice; each axis keeps its default with probability 1/2 or more."""
    point = _default(axes)
    for axis, values in axes.items():
        if rng.random() < 1 / 2 and len(values) > 1:
            changed = {**point, axis: rng.choice(values[1:])}
            if possible(changed):
                point = changed
    return point


def _default(axes: Axes) -> Point:
    return {axis: values[0] for axis, values in axes.items()}


class _Cover:
    def __init__(self, axes: Axes, judge: Judge) -> None:
        self._axes = axes
        self._judge = judge
        self._order = {axis: number for number, axis in enumerate(axes)}
        self._places: list[_At] = [(axis, place) for axis, values in axes.items() for place in range(len(values))]
        # A dict, because its order makes the result deterministic.
        self._open: dict[_Pair, None] = {
            (one, other): None for one, other in combinations(self._places, 2) if one[0] != other[0]
        }
        alone = {at: judge(self._point(dict([at]))) for at in self._places}
        self._rejected = {at for at, verdict in alone.items() if verdict is Verdict.REJECTED}

    def points(self) -> Iterator[Point]:
        yield self._taken(dict.fromkeys(self._axes, 0))
        while self._open:
            one, other = next(iter(self._open))
            seed = {**dict.fromkeys(self._axes, 0), **dict((one, other))}
            verdict = self._judge(self._point(seed))
            if verdict is Verdict.IMPOSSIBLE:
                del self._open[one, other]
                continue
            yield self._taken(self._filled(seed, {one[0], other[0]}, verdict))

    def _filled(self, seed: dict[str, int], fixed: set[str], verdict: Verdict) -> dict[str, int]:
        """The seed, extended with values of open pairs; it has the same verdict as the seed."""
        quick = self._changed(seed, fixed, lambda point: self._judge(point) is not Verdict.IMPOSSIBLE, verdict)
        if self._judge(self._point(quick)) is verdict:
            return quick
        return self._changed(seed, fixed, lambda point: self._judge(point) is verdict, verdict)

    def _changed(
        self, seed: dict[str, int], fixed: set[str], allowed: Callable[[Point], bool], verdict: Verdict
    ) -> dict[str, int]:
        places = {**seed}
        settled = [axis for axis in self._axes if axis in fixed]
        for axis, values in self._axes.items():
            if axis in fixed:
                continue
            gains = {place: self._gain((axis, place), settled, places) for place in range(len(values))}
            for place in sorted(gains, key=lambda place: -gains[place]):
                if verdict is Verdict.RUNS and (axis, place) in self._rejected:
                    continue
                if place == 0 or allowed(self._point({**places, axis: place})):
                    places[axis] = place
                    break
            settled.append(axis)
        return places

    def _gain(self, at: _At, settled: Sequence[str], places: Mapping[str, int]) -> int:
        return sum(self._ordered(at, (other, places[other])) in self._open for other in settled)

    def _taken(self, places: dict[str, int]) -> Point:
        for one, other in combinations(places.items(), 2):
            self._open.pop(self._ordered(one, other), None)
        return self._point(places)

    def _ordered(self, one: _At, other: _At) -> _Pair:
        order = self._order
        return (one, other) if order[one[0]] < order[other[0]] else (other, one)

    def _point(self, places: Mapping[str, int]) -> Point:
        return {axis: values[places.get(axis, 0)] for axis, values in self._axes.items()}
