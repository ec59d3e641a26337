"""The Python code of a file, a module or the cells of a notebook, and the places of its lines."""

from __future__ import annotations

import io
import json
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

from rnnshape.reading.code.copied import INVISIBLE, is_python, of_python_3, without_magics
from rnnshape.reading.files import is_saved
from rnnshape.reading.places import marked_as

MAX_BYTES = 16 * 2**20
"""The largest file that is read; the limit is high because notebooks contain pictures."""


class NotRead(Exception):
    """A file cannot be read as Python or a notebook, or is too large; the message says why."""


@dataclass(frozen=True, slots=True)
class Text:
    """Python code and the file's name; for a notebook, ``cells`` has the cell and its line for each line of code."""

    name: str
    code: str
    cells: tuple[tuple[int, int], ...] = ()

    def at(self, line: int) -> tuple[int | None, int]:
        """The cell (None for a module) and the line in it of a line of code."""
        return self.cells[line - 1] if 0 < line <= len(self.cells) else (None, line)


def read(path: str) -> Text:
    """The text of a file.

    Raises:
        NotRead: it is not text, not a notebook, or too large.
        OSError: it cannot be opened.
    """
    if is_saved(path) and not path.endswith("/"):
        raise NotRead(f"a saved model, not code; rnnshape show {path} reads it")
    file = Path(path)
    if file.stat().st_size > MAX_BYTES:
        raise NotRead(f"more than {MAX_BYTES // 2**20} MiB")
    return of_bytes(file.read_bytes(), path)


def of_bytes(data: bytes, name: str) -> Text:
    """The text of a file's bytes; raises as ``read``."""
    mark, encoding = encoding_of(data, name)
    try:
        text = data.removeprefix(mark).decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise NotRead(f"not {encoding.upper()} (byte {error.start + len(mark) + 1:,}): save it as UTF-8") from None
    if name.endswith(".ipynb") or (name == "<stdin>" and text.lstrip().startswith("{") and '"cells"' in text):
        return _notebook(text, name)
    return Text(name, text)


def encoding_of(data: bytes, name: str) -> tuple[bytes, str]:
    """The byte order mark of a file, and its encoding: that of the mark, of Python's ``# coding:`` comment, or UTF-8.

    Raises:
        NotRead: the encoding in the comment is unknown.
    """
    mark, encoding = marked_as(data)
    if mark or name.endswith(".ipynb"):
        return mark, encoding
    try:
        named = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        "".encode(named)  # some codecs are not text encodings
    except LookupError as error:
        raise NotRead(str(error)) from None
    except SyntaxError as error:
        # Without a comment, the bytes are not UTF-8; decoding them later says which byte.
        if _COMMENT.search(data):
            raise NotRead(str(error)) from None
        named = "utf-8"
    return mark, named


_COMMENT = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*coding[:=]")


def _notebook(text: str, name: str) -> Text:
    try:
        cells = [*enumerate(json.loads(text)["cells"], 1)]
        # The source of a cell is a text, or the list of its lines.
        sources = [(number, "".join(cell["source"])) for number, cell in cells if cell.get("cell_type") == "code"]
    except json.JSONDecodeError as error:
        said = f"{error.msg[:1].lower()}{error.msg[1:]} in line {error.lineno}, column {error.colno}"
        raise NotRead(f"not a notebook: {said} of its JSON") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotRead("not a notebook: its JSON has no list of cells of format 4") from None
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    for number, source in sources:
        own = _as_python(source)
        lines += own
        places += [(number, line) for line in range(source.count("\n") + 2 - len(own), source.count("\n") + 2)]
    return Text(name, "\n".join(lines), tuple(places))


def _as_python(source: str) -> list[str]:
    """The lines of a cell, without magics; empty lines if it is not Python, so that the other cells are read.

    IPython ignores an indent of the whole cell: the lines are then those of an ``if True:``, which is one line more.
    """
    nothing = [""] * (source.count("\n") + 1)
    if source.startswith("%%") and not source.startswith(("%%time", "%%capture")):
        return nothing
    written = source.replace("\r\n", "\n")
    plain = without_magics(written).translate(INVISIBLE)
    ways = (written, plain, f"if True:\n{plain}", of_python_3(plain))
    return next((way.split("\n") for way in ways if is_python(way)), nothing)
