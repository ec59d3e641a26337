"""Finds the place in the document for each problem of a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.reading.places import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.errors import Problem
    from rnnshape.reading.places import Document, Place
    from rnnshape.reading.places import Path as At

# A message that continues its key, as in "units must be …"; any other message follows a colon.
_OF_THE_KEY = re.compile(r"(?:must|is|does|has|uses|cannot)\b")
_KEY_IS_WRONG = re.compile(r"is not an option|is not known|is not a list of|is also in the matrix")
_RUN_KEYS = ("layer", "name", "matrix", "expect")
_MATRIX_KEYS = ("layer", "expect", "include", "exclude")


def placed(document: Document, path: At, message: str) -> Mistake:
    """The mistake at the value of this path, or at its key if the key is wrong."""
    return Mistake(document.place(path, key=bool(_KEY_IS_WRONG.search(message))), message)


def mistake(document: Document, path: At, paths: Mapping[str, At], problem: Problem) -> Mistake:
    """The problem as a mistake at the place where its value is written."""
    if problem.span is not None:
        return Mistake(_inside(document, paths["layer"], problem.span), problem.message)
    if not problem.key:
        return Mistake(document.place(paths["layer"]), problem.message)
    first, *rest = problem.key.split(".") if problem.key not in paths else [problem.key]
    if first not in paths:
        return Mistake(document.place(path), f"{problem.key} {problem.message}".strip())
    at = (*paths[first], *(int(step) if step.isdigit() else step for step in rest))
    said = ".".join(step for step in (first, *rest) if not step.isdigit())
    unknown = bool(_KEY_IS_WRONG.search(problem.message))
    if unknown and isinstance(at[-1], int):  # a list of a matrix: the list's key is unknown
        at = at[:-1]
    message = f"{said}{'' if _OF_THE_KEY.match(problem.message) else ':'} {problem.message}"
    if message.endswith("is not an option here"):
        message += nearest(said, _MATRIX_KEYS if at[-2:-1] == ("matrix",) else _RUN_KEYS)
    return Mistake(document.place(at, key=unknown), message)


def _inside(document: Document, path: At, span: tuple[int, int]) -> Place:
    """The place inside an expression; spans count from its first character that is not a blank."""
    text: Any = document.data
    for step in path:
        text = text[step]
    blank = len(text) - len(text.lstrip())
    return document.inner(path, span[0] + blank, span[1] + blank)
