"""``--resume``: runs that an earlier output answers are not run again.

A row answers a run if it is ok and has the same ``run`` (except for the name), the same versions, and the same mode
(``--predict`` or the real layer, with or without values).
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import NoneType
from typing import IO, TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, not_opened
from rnnshape.report.environment import environment
from rnnshape.report.report import SCHEMA_VERSION
from rnnshape.spec.data import to_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.spec import Spec


@contextmanager
def former_rows(name: str, *, predict: bool, values: bool, note: Callable[[str], None]) -> Iterator[Former]:
    """The rows of the JSON Lines file that an earlier batch wrote; the file is open within the ``with``.

    ``note`` is called with a message if lines are JSON but not rows.

    Raises:
        Invalid: the file cannot be opened, or a line other than the last is not JSON.
    """
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise Invalid([Problem("--resume", f"{name}: {not_opened(error)}")]) from None
        former = Former(stream, name, predict=predict, values=values)
        if former.others:
            more = f", and {len(former.others) - 1:,} more lines" if len(former.others) > 1 else ""
            note(f"--resume: {name}:{former.others[0]}: not a row of rnnshape batch{more}: the run is run again")
        yield former


class Former:
    """The runs that an earlier output answers.  Only file positions are kept: the output may be larger than memory.

    ``others`` are the numbers of the lines that are JSON but not rows.
    """

    def __init__(self, stream: IO[bytes], name: str, *, predict: bool, values: bool) -> None:
        self._stream = stream
        self._wanted = (predict, values and not predict)
        self._places: dict[str, int] = {}
        self.others: list[int] = []
        broken, place = None, 0
        for number, line in enumerate(stream, 1):
            if broken is not None:
                raise Invalid([Problem("--resume", f"{name}:{broken}: not JSON: --resume needs JSON Lines")])
            if line.strip():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    broken = number  # the last line may have been cut off
                else:
                    self._take(row, number, place)
            place += len(line)

    def _take(self, row: Any, number: int, place: int) -> None:
        if not is_row(row):
            self.others.append(number)
        elif row["ok"] and row["run"] and (row["observed"] is None, _has_values(row["observed"])) == self._wanted:
            self._places[_key(row["run"], row["environment"])] = place

    def answer(self, spec: Spec) -> dict[str, Any] | None:
        """The earlier row that answers this Spec; None without one."""
        place = self._places.get(_key(to_data(spec), environment(spec)))
        if place is None:
            return None
        self._stream.seek(place)
        row: dict[str, Any] = json.loads(self._stream.readline())
        return row


def is_row(row: Any) -> bool:
    """Whether this is a row as a batch of this version writes it; checks only the keys that are read again."""
    return (
        isinstance(row, dict)
        and row.get("schema_version") == SCHEMA_VERSION
        and all(key in row and isinstance(row[key], kind) for key, kind in _ROW.items())
        and all(isinstance(check, dict) and check.keys() >= _CHECK for check in row["checks"])
        and all(row[side] is None or _is_structure(row[side]) for side in ("predicted", "observed"))
        and (row["input"] is None or _is_shape(row["input"].get("shape")))
        and (row["cudnn"] is None or "eligible" in row["cudnn"])
        and (row["error"] is None or {"kind", "message", "hint"} <= row["error"].keys())
        and not (row["ok"] and row["error"] is None and row["predicted"] is None)
    )


_SOME_OR_NONE = (dict, NoneType)
_ROW: dict[str, Any] = {
    "name": (str, NoneType),
    "expression": (str, NoneType),
    "input": _SOME_OR_NONE,
    "predicted": _SOME_OR_NONE,
    "observed": _SOME_OR_NONE,
    "agrees": (bool, NoneType),
    "checks": list,
    "weights": list,
    "params": (int, NoneType),
    "cudnn": _SOME_OR_NONE,
    "environment": dict,
    "error": _SOME_OR_NONE,
    "ok": bool,
    "run": _SOME_OR_NONE,
}
_CHECK = {"check", "guaranteed", "holds", "why"}


def _is_structure(structure: Any) -> bool:
    if not isinstance(structure, dict):
        return False
    if structure.get("kind") == "tensor":
        return isinstance(structure.get("role"), str) and _is_shape(structure.get("shape"))
    items = structure.get("items")
    return structure.get("kind") in ("tuple", "list") and isinstance(items, list) and all(map(_is_structure, items))


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and bool(shape) and all(type(size) is int for size in shape)


def _has_values(structure: Any) -> bool:
    while isinstance(structure, dict) and structure.get("items"):
        structure = structure["items"][0]
    return isinstance(structure, dict) and "values" in structure


_VERSIONS = ("rnnshape", "tensorflow", "keras", "python")


def _key(run: dict[str, Any], versions: dict[str, Any]) -> str:
    asked = {key: value for key, value in run.items() if key != "name"}
    return json.dumps([asked, [versions.get(name) for name in _VERSIONS]], sort_keys=True)
