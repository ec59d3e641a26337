"""``matrix:`` makes several runs from one entry, as in GitHub Actions.

>>> matrix = {"units": [1, 8], "time": [3, 5], "exclude": [{"units": 8, "time": 5}]}
>>> [one.label for one in combinations(matrix)]
['units=1, time=3', 'units=1, time=5', 'units=8, time=3']
>>> [one.paths["units"] for one in combinations(matrix)]
[('units', 0), ('units', 0), ('units', 1)]

The lists are combined; the last one varies fastest.  ``exclude`` removes every combination that matches one of its
entries.  An entry of ``include`` adds its keys to every combination that it does not contradict; if there is none, it
is a combination of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.reading.places import Path

MOST = 100_000
"""The most combinations of one matrix."""
INCLUDE, EXCLUDE = "include", "exclude"
_NOT_IN_NAMES = ("name", "expect")


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination: its values, the path of each in the matrix, and ``axes``, the values that name it."""

    values: dict[str, Any]
    paths: dict[str, Path]
    axes: dict[str, Any]

    @property
    def label(self) -> str:
        """The combination as text: ``units=8, merge_mode=sum``."""
        return ", ".join(f"{key}={_said(value)}" for key, value in self.axes.items())


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_said, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def combinations(matrix: Mapping[str, Any]) -> Iterator[Combination]:
    """Every combination, in the order of declaration; the matrix must have passed ``mistakes``."""
    lists = _lists(matrix)
    excluded, included = matrix.get(EXCLUDE) or [], matrix.get(INCLUDE) or []
    homeless = set(range(len(included)))
    for indices in product(*(range(len(values)) for values in lists.values())) if lists else ():
        axes = {key: values[index] for (key, values), index in zip(lists.items(), indices, strict=True)}
        if any(_describes(entry, axes) for entry in excluded):
            continue
        made = Combination(dict(axes), {key: (key, index) for key, index in zip(axes, indices, strict=True)}, axes)
        for number, entry in enumerate(included):
            if _describes({key: value for key, value in entry.items() if key in axes}, axes):
                homeless.discard(number)
                _add(made, entry, number)
        yield made
    for number in sorted(homeless):
        entry = included[number]
        alone = Combination({}, {}, {key: value for key, value in entry.items() if key not in _NOT_IN_NAMES})
        _add(alone, entry, number)
        yield alone


def _lists(matrix: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {key: values for key, values in matrix.items() if key not in (INCLUDE, EXCLUDE)}


def _describes(entry: Mapping[str, Any], axes: Mapping[str, Any]) -> bool:
    return all(key in axes and _same(value, axes[key]) for key, value in entry.items())


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of one type: in Python ``True == 1``."""
    return type(left) is type(right) and left == right


def _add(to: Combination, entry: Mapping[str, Any], number: int) -> None:
    to.values.update(entry)
    to.paths.update({key: (INCLUDE, number, key) for key in entry if key not in to.axes or key not in to.paths})


def mistakes(matrix: Any) -> Iterator[tuple[Path, str]]:
    """The mistakes in a matrix, each with its path inside the matrix and a message."""
    if not isinstance(matrix, dict) or not matrix:
        yield (), "matrix must be a mapping of options to lists, such as {units: [1, 8], return_state: [false, true]}"
        return
    lists = _lists(matrix)
    wrong: list[tuple[Path, str]] = [
        ((key,), f"{key} must be a list of values" + (": an empty one makes an empty matrix" if values == [] else ""))
        for key, values in lists.items()
        if not isinstance(values, list) or not values
    ]
    wrong += [problem for key in (INCLUDE, EXCLUDE) if key in matrix for problem in _wrong_entries(key, matrix[key])]
    yield from wrong
    if wrong:
        return
    if (many := prod(map(len, lists.values()))) > MOST:
        yield (), f"this matrix has {many:,} combinations: at most {MOST:,}; use JSON Lines for more runs"
        return
    for number, entry in enumerate(matrix.get(EXCLUDE) or ()):
        for key, value in entry.items():
            if key not in lists:
                yield (
                    (EXCLUDE, number, key),
                    (
                        f"{key} is not a list of this matrix{nearest(key, lists)}; "
                        f"its lists are {', '.join(lists) or 'none'}"
                    ),
                )
            elif not any(_same(value, other) for other in lists[key]):
                yield (EXCLUDE, number, key), f"excludes nothing: {_said(value)} is not in the list of {key}"
    if not any(True for _ in combinations(matrix)):
        yield (EXCLUDE,) if EXCLUDE in matrix else (), "every combination is excluded: the matrix is empty"


def _wrong_entries(key: str, entries: Any) -> Iterator[tuple[Path, str]]:
    if not isinstance(entries, list) or not entries:
        yield (key,), f"{key} must be a list of mappings, such as [{{units: 8}}]"
        return
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not entry:
            yield (key, number), f"an entry of {key} must be a mapping, such as {{units: 8}}"
