"""The columns of a row, the same in all flat formats."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.render import View
    from rnnshape.report.rows import Row

    Structure = dict[str, Any]


def header(view: View) -> list[str]:
    """The names of the columns; the axes of the matrices follow the name."""
    first, *others = _COLUMNS
    return [first, *(f"matrix.{axis}" for axis in view.axes), *others]


def cells(row: Row, view: View) -> list[str]:
    """The row as one text for each column; empty if there is no value."""
    first, *others = _COLUMNS.values()
    said = [first(row), *(_text(row.run.axes.get(axis)) for axis in view.axes), *(cell(row) for cell in others)]
    return [*map(visible, said)]


def visible(text: str) -> str:
    """The text without what moves the cursor, changes colours or turns the direction: JSON alone has that as it is.

    >>> visible("a\\x1b[31mred")
    'a�[31mred'
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    kept = character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs"
    return character if kept else "\N{REPLACEMENT CHARACTER}"


def returned(row: Row) -> str:
    """The returned shapes in their containers; for an error, its first line."""
    if row.data["error"] is not None:
        return str(row.data["error"]["message"]).splitlines()[0]
    return _shapes(row)


def _brackets(structure: Structure, text: Callable[[Structure], str]) -> str:
    """As ``structure.brackets``, for a structure as JSON data."""
    if structure["kind"] == "tensor":
        return text(structure)
    inner = ", ".join(_brackets(item, text) for item in structure["items"])
    if structure["kind"] == "list":
        return f"[{inner}]"
    return f"({inner},)" if len(structure["items"]) == 1 else f"({inner})"


def _sizes(shape: list[int]) -> str:
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def _structure(row: Row, text: Callable[[Structure], str]) -> str:
    structure = row.data["observed"] or row.data["predicted"]
    return "" if structure is None else _brackets(structure, text)


def _shapes(row: Row) -> str:
    return _structure(row, lambda tensor: _sizes(tensor["shape"]))


def _input(row: Row) -> str:
    return "" if row.data["input"] is None else _sizes(row.data["input"]["shape"])


def _cudnn(row: Row) -> str:
    verdict = row.data["cudnn"]
    return "" if verdict is None or "unruled" in row.data else "eligible" if verdict["eligible"] else "ineligible"


def _checks(row: Row) -> str:
    """How many guaranteed equalities hold, such as ``3/3``; empty if none was checked."""
    verdicts = [check["holds"] for check in row.data["checks"] if check["guaranteed"]]
    return "" if None in verdicts or not verdicts else f"{sum(verdicts)}/{len(verdicts)}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "name": lambda row: row.run.name or "",
    "layer": lambda row: row.run.asked or "",
    "input": _input,
    "structure": lambda row: _structure(row, lambda tensor: str(tensor["role"])),
    "shapes": _shapes,
    "params": lambda row: _text(row.data["params"]),
    "cudnn": _cudnn,
    "agrees": lambda row: _text(row.data["agrees"]),
    "checks": _checks,
    "ok": lambda row: _text(row.ok),
    "why": lambda row: "; ".join(failure.message for failure in row.failures),
}
