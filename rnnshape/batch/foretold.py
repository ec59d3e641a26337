"""Theory's rows of a batch: runs that differ in seed and name alone have one answer, which is worked out once.

>>> from rnnshape.reading import make
>>> one, other = (foretold(make("lstm", {"seed": seed})) for seed in (1, 2))
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


def foretold(spec: Spec) -> Row:
    """The row of what ``api.predict`` says.

    Raises:
        RnnshapeError: as ``api.predict``.
    """
    with release.of(spec.keras):
        if spec.saved is not None:  # its file belongs to the answer
            return row_of(api.predict(spec), values=False)
        asked = _Asked(spec)
        first = _row(asked)
        if first.report is None or first.report.spec is spec:
            return first
        report = replace(first.report, spec=spec, environment=environment(spec))
        own = {"name": spec.name, "environment": report.environment, "run": asked.data}
        return Row(first.run, {**first.data, **own}, first.exit_code, report, first.expectations, first.trace)


class _Asked:
    """A Spec, equal to each one that has the same answer."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.data = to_data(spec)
        # As text: 1, 1.0 and True are equal, and are not written alike.
        said = repr({key: value for key, value in self.data.items() if key not in _OWN})
        self._key = release.asked(), said, spec.notes, spec.axes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(_MOST)
def _row(asked: _Asked) -> Row:
    return row_of(api.predict(asked.spec), values=False)
