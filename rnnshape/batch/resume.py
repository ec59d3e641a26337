"""``--resume``: what a former output already holds is not asked again.

A row counts when it was ok and says of itself that the same was asked (``run``, but for the name), of the same
versions, in the same way (theory alone, or the real layer).
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.report.environment import environment, installed
from rnnshape.spec.data import to_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec import Spec


@contextmanager
def former_rows(name: str, *, predict: bool, values: bool) -> Iterator[Former]:
    """The rows of the JSON Lines file that an earlier run wrote; it is open meanwhile.

    Raises:
        Invalid: the file cannot be opened, or a line that is not its last is no report.
    """
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise Invalid([Problem("--resume", f"{name}: {error.strerror}")]) from None
        yield Former(stream, name, predict=predict, values=values)


class Former:
    """Which runs an earlier output answers, and where: only places are held, an output may be larger than memory."""

    def __init__(self, stream: IO[bytes], name: str, *, predict: bool, values: bool) -> None:
        self._stream = stream
        self._wanted = (predict, values and not predict)
        self._places: dict[str, int] = {}
        broken, place = None, 0
        for number, line in enumerate(stream, 1):
            if broken is not None:
                raise Invalid([Problem("--resume", f"{name}:{broken}: this is no report: JSON Lines are wanted")])
            if line.strip():
                key = self._key_of(line)
                broken = number if key is None else None  # the last line may have been cut off
                if key:
                    self._places[key] = place
            place += len(line)

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
        return _key(run, versions) if ok is True and run and mode == self._wanted else ""

    @staticmethod
    def _has_values(structure: Any) -> bool:
        while isinstance(structure, dict) and structure.get("items"):
            structure = structure["items"][0]
        return isinstance(structure, dict) and "values" in structure


_VERSIONS = ("rnnshape", "tensorflow", "keras", "python")


def _key(run: dict[str, Any], versions: dict[str, Any]) -> str:
    asked = {key: value for key, value in run.items() if key != "name"}
    return json.dumps([asked, [versions.get(name) for name in _VERSIONS]], sort_keys=True)
