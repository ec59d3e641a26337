"""``--resume``: what a former output already holds is not asked again.

A row counts when it was ok and says of itself that the same was asked (``run``, but for the name), of the same
versions, in the same way (theory alone, or the real layer).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.report.environment import environment, installed
from rnnshape.spec.data import to_data

if TYPE_CHECKING:
    from rnnshape.spec import Spec


class Former:
    """The rows of a JSON Lines file that an earlier run wrote.

    Only where each row stands is held: an output may be larger than memory.

    Raises:
        Invalid: the file cannot be opened, or a line that is not its last is no report.
    """

    def __init__(self, name: str, *, predict: bool, values: bool) -> None:
        self._predict, self._values = predict, values
        self._places: dict[str, int] = {}
        try:
            self._stream = Path(name).open("rb")  # noqa: SIM115  open while rows are taken from it
        except OSError as error:
            raise Invalid([Problem("--resume", f"{name}: {error.strerror}")]) from None
        broken, place = None, 0
        for number, line in enumerate(self._stream, 1):
            if broken is not None:
                raise Invalid([Problem("--resume", f"{name}:{broken}: this is no report: JSON Lines are wanted")])
            if line.strip():
                key = self._key_of(line)
                broken = number if key is None else None  # the last line may have been cut off
                if key:
                    self._places[key] = place
            place += len(line)
        self.held = len(self._places)

    def answer(self, spec: Spec) -> dict[str, Any] | None:
        """The row that answers this Spec already."""
        place = self._places.get(_key(to_data(spec), environment(spec, installed(), None, None)))
        if place is None:
            return None
        self._stream.seek(place)
        row: dict[str, Any] = json.loads(self._stream.readline())
        return row

    def _key_of(self, line: bytes) -> str | None:
        """The key of a row; empty when it must be asked anew, None when it is none."""
        try:
            row = json.loads(line)
            ok, run, versions = row["ok"], row["run"], row["environment"]
            mode = (row["observed"] is None, self._has_values(row["observed"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        wanted = (self._predict, self._values and not self._predict)
        return _key(run, versions) if ok is True and run and mode == wanted else ""

    @staticmethod
    def _has_values(structure: Any) -> bool:
        while isinstance(structure, dict) and structure.get("items"):
            structure = structure["items"][0]
        return isinstance(structure, dict) and "values" in structure


_VERSIONS = ("rnnshape", "tensorflow", "keras", "python")


def _key(run: dict[str, Any], versions: dict[str, Any]) -> str:
    asked = {key: value for key, value in run.items() if key != "name"}
    return json.dumps([asked, [versions.get(name) for name in _VERSIONS]], sort_keys=True)
