"""Predicted rows of a batch.  Runs that differ only in seed and name have the same prediction: it is computed once.

>>> from rnnshape.reading import make
>>> one, other = (predicted_row(make("lstm", {"seed": seed})) for seed in (1, 2))
>>> one.data["cost"] is other.data["cost"], other.data["run"]["seed"]
(True, 2)
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape import api
from rnnshape.layers import release
from rnnshape.report.environment import environment
from rnnshape.report.rows import Row, row_of
from rnnshape.spec.data import to_data
from rnnshape.spec.options import SEED

if TYPE_CHECKING:
    from rnnshape.spec import Spec

_MOST = 256
_OWN = ("name", SEED.name)


def predicted_row(spec: Spec) -> Row:
    """The row of the answer of ``api.predict``.

    Raises:
        RnnshapeError: as ``api.predict``.
    """
    with release.of(spec.keras):
        if spec.saved is not None:  # the answer depends on the file
            return row_of(api.predict(spec), values=False)
        asked = _Asked(spec)
        first = _row(asked)
        if first.report is None or first.report.spec is spec:
            return first
        report = replace(first.report, spec=spec, environment=environment(spec))
        own = {"name": spec.name, "environment": report.environment, "run": asked.data}
        return Row(first.run, {**first.data, **own}, first.exit_code, report, first.expectations, first.trace)


class _Asked:
    """A Spec as a cache key: equal to every Spec with the same prediction."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.data = to_data(spec)
        # As text, because 1, 1.0 and True are equal, but are written differently.
        said = repr({key: value for key, value in self.data.items() if key not in _OWN})
        self._key = release.asked(), said, spec.notes, spec.axes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(_MOST)
def _row(asked: _Asked) -> Row:
    return row_of(api.predict(asked.spec), values=False)
