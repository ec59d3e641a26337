"""The selection of findings: ``select`` and ``ignore`` of the command line and of pyproject.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.scan.codes import CODES, PAGE, chosen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rnnshape.scan.finding import Scanned

_FILE = "pyproject.toml"
_TABLE = "tool.rnnshape"
KEYS = ("select", "ignore")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The reported codes: all, or those of ``select``, without those of ``ignore``.

    >>> chosen = Chosen(select=("error", "info"), ignore=("long-unroll",))
    >>> chosen.includes("cudnn"), chosen.includes("long-unroll"), chosen.includes("swapped-states")
    (True, False, False)
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def includes(self, code: str) -> bool:
        return (not self.select or chosen(code, self.select)) and not chosen(code, self.ignore)

    def of(self, scanned: Scanned) -> Scanned:
        """The results of a file with only the reported findings."""
        return replace(scanned, findings=tuple(one for one in scanned.findings if self.includes(one.code)))


def unknown(words: tuple[str, ...], key: str) -> Iterator[Problem]:
    """A problem for each word that is not a code or severity."""
    names = [name for code, known in CODES.items() for name in (code, known.severity)]
    for word in words:
        if word.lower() not in names:
            allowed = nearest(word, names) or f" (error, warning, info; {PAGE} has the codes)"
            yield Problem(key, f"{word!r} is not a code or severity{allowed}")


def of_project(folder: Path) -> Chosen:
    """The selection in the nearest pyproject.toml, from a folder upwards.

    Raises:
        Invalid: the file is not TOML, or its table has an unknown key or a wrong value.
    """
    for one in (folder.resolve(), *folder.resolve().parents):
        file = one / _FILE
        if file.is_file():
            return _read(file)
    return Chosen()


def _read(file: Path) -> Chosen:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid([Problem(str(file), f"is not TOML: {error}")]) from None
    tool = data.get("tool")
    table: Any = tool.get("rnnshape", {}) if isinstance(tool, dict) else {}
    problems = []
    if not isinstance(table, dict):
        raise Invalid([Problem(str(file), f"{_TABLE} must be a table")])
    words: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        where = f"{file}: {_TABLE}.{key}"
        if key not in KEYS:
            problems.append(Problem(where, f"is unknown{nearest(key, KEYS)}; the keys are {', '.join(KEYS)}"))
        elif not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            problems.append(Problem(where, 'must be a list of codes, such as ["cudnn", "warning"]'))
        else:
            words[key] = tuple(value)
            problems += unknown(words[key], where)
    if problems:
        raise Invalid(problems)
    return Chosen(**words)
