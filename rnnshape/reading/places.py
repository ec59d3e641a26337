"""Where things stand in a file, and how a mistake is shown there.

>>> source = Source("runs.yaml", "runs:\\n- unit: 3\\n")
>>> print(source.show(Place(2, 3, 7), "unknown key 'unit' (did you mean 'units'?)"))
runs.yaml:2:3: unknown key 'unit' (did you mean 'units'?)
  |
2 | - unit: 3
  |   ^~~~
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from rnnshape.errors import RnnshapeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Scalar: TypeAlias = "bool | int | float | str | None"
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"
Path: TypeAlias = "tuple[str | int, ...]"

MAX_BYTES = 2 * 2**20
"""Of a file, and of a line of JSON Lines.  PyYAML in pure Python reads 0.15 to 0.5 MB a second."""
SHOWN_COLUMNS = 100
"""A longer line is shown in part, around the place."""

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def marked_as(data: bytes) -> tuple[bytes, str]:
    """The byte order mark that these bytes begin with, and the encoding that it stands for; without one UTF-8."""
    return next((known for known in _MARKS if data.startswith(known[0])), (b"", "utf-8"))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of one line.  Lines and columns count characters from 1; ``end_column`` is one past the end."""

    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong at one place: what it is, and what is allowed.

    ``also`` is the other place that it is about: the first of two keys of one name.
    """

    place: Place
    message: str
    also: Place | None = None


@dataclass(frozen=True)
class Source:
    """A text, the name it goes by, and the number of its first line (1, but for one line of JSON Lines)."""

    name: str
    text: str
    first_line: int = 1

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    @classmethod
    def decode(cls, data: bytes, name: str, first_line: int = 1) -> Source:
        """The text of these bytes: UTF-8, or UTF-16 with its byte order mark.

        Raises ``Unreadable`` for what is longer than ``MAX_BYTES``, or is not text.
        """
        if len(data) > MAX_BYTES:
            message = (
                f"too large: {len(data):,} bytes, at most {MAX_BYTES:,}; use 'matrix:' or JSON Lines for more runs"
            )
            raise Unreadable(cls(name, "", first_line), [Mistake(Place(first_line, 1, 2), message)])
        mark, encoding = marked_as(data)
        data = data.removeprefix(mark)
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            source = cls(name, data.decode(encoding, "replace"), first_line)
            start = len(data[: error.start].decode(encoding))
            wrong, at = data[error.start], error.start + len(mark)
            message = f"not {encoding.upper()}: 0x{wrong:02x} at byte {at:,} (counted from 0); save the file as UTF-8"
            raise Unreadable(source, [Mistake(source.place(start, start + 1), message)]) from None
        if (zero := text.find("\0")) >= 0:
            source = cls(name, text, first_line)
            message = "not text: U+0000 stands here; a text in UTF-16 or UTF-32 has to be saved as UTF-8"
            raise Unreadable(source, [Mistake(source.place(zero, zero + 1), message)])
        return cls(name, text, first_line)

    def place(self, start: int, end: int) -> Place:
        """The place of the characters ``start`` to ``end``: as far as they stand on the first line, at least one."""
        index = bisect_right(self._starts, start) - 1
        first = self._starts[index]
        line = self.line(index + self.first_line)
        if end > first + len(line):
            end = first + len(line.rstrip())
        return Place(index + self.first_line, start - first + 1, max(end, start + 1) - first + 1)

    def line(self, number: int) -> str:
        """The text of the line of this number, without its line break."""
        index = number - self.first_line
        end = self._starts[index + 1] if index + 1 < len(self._starts) else None
        return self.text[self._starts[index] : end].rstrip("\r\n")

    def show(self, place: Place, message: str) -> str:
        """``name:line:column: message``, then the line with ``^~~`` under the place, the way actionlint does it."""
        head = f"{self.name}:{place.line}:{place.column}: {message}"
        line = self.line(place.line)
        if not line.strip():
            return head
        shown, mark = marked(line, place.column - 1, place.end_column - 1)
        number = str(place.line)
        blank = " " * len(number)
        return f"{head}\n{blank} |\n{number} | {shown}\n{blank} | {mark}"


class Unreadable(RnnshapeError):
    """A file cannot be read; every mistake at once, in the order of their places.  ``str`` shows them all."""

    kind = "unreadable"

    def __init__(self, source: Source, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.place))
        super().__init__("\n".join(source.show(mistake.place, mistake.message) for mistake in self.mistakes))


@dataclass(slots=True)
class Node:
    """A value and where it stands: a scalar, or the children by key (each with its key's node) or by position.

    ``size`` counts the values in it, ``height`` the containers on the longest way down.  The node
    of an alias is the node of its anchor, so the tree of a small file may be large when walked.
    """

    start: int
    end: int
    value: Scalar = None
    children: dict[str, tuple[Node, Node]] | list[Node] | None = None
    size: int = 1
    height: int = 0

    def plain(self) -> Plain:
        """Plain Python data; what an alias repeats is made anew, so that no two places share an object."""
        if isinstance(self.children, dict):
            return {key: node.plain() for key, (_, node) in self.children.items()}
        if self.children is not None:
            return [node.plain() for node in self.children]
        return self.value

    def at(self, path: Path, *, key: bool = False) -> Node:
        """The node (or the node of its key) that a path leads to, or the nearest one around it that is there."""
        node = found = self
        for step in path:
            if isinstance(node.children, dict) and isinstance(step, str) and step in node.children:
                found, node = node.children[step]
            elif isinstance(node.children, list) and isinstance(step, int) and 0 <= step < len(node.children):
                found = node = node.children[step]
            else:
                return node
        return found if key else node


class Document:
    """What a file says, as plain data, with the place of every key and value.

    >>> from rnnshape.reading.batch.documents import read_yaml
    >>> document = read_yaml(b"runs:\\n- layer: 'LSTM(x)'\\n", "runs.yaml")
    >>> document.data
    {'runs': [{'layer': 'LSTM(x)'}]}
    >>> document.place(("runs", 0, "layer"))
    Place(line=2, column=10, end_column=19)
    >>> document.place(("runs", 0, "layer"), key=True)
    Place(line=2, column=3, end_column=8)
    >>> document.inner(("runs", 0, "layer"), 5, 6)
    Place(line=2, column=16, end_column=17)

    What an alias or a merge repeats is placed where it is written.  A path that leads nowhere is
    placed at the nearest value around it, so a key that is missing has its mapping's place.
    """

    def __init__(self, source: Source, data: Plain, compose: Callable[[Source], Node]) -> None:
        """``compose`` is called when the first place is asked for: most lines of JSON are never asked."""
        self.source = source
        self.data = data
        self._compose = compose

    @cached_property
    def _root(self) -> Node:
        return self._compose(self.source)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value of this path stands, or its key."""
        node = self._root.at(path, key=key)
        return self.source.place(node.start, node.end)

    def inner(self, path: Path, start: int, end: int) -> Place:
        """Where the characters ``start`` to ``end`` of a text stand.

        The whole text is meant where it is not written as it reads: on several lines, or with backslashes.
        """
        node = self._root.at(path)
        raw, value = self.source.text[node.start : node.end], node.value
        if not isinstance(value, str):
            return self.place(path)
        if raw == value:
            first, doubled = node.start, ""
        elif raw == f'"{value}"':
            first, doubled = node.start + 1, ""
        elif raw == "'" + value.replace("'", "''") + "'":
            first, doubled = node.start + 1, "'"  # the only escape of single quotes: one is written as two
        else:
            return self.place(path)
        start, end = (min(at, len(value)) + (value.count(doubled, 0, at) if doubled else 0) for at in (start, end))
        return self.source.place(first + start, first + end)


def underlined(text: str, span: tuple[int, int], columns: int = SHOWN_COLUMNS) -> str:
    """The line of a pasted text in which the span begins, with ``^~~~`` under the span.

    Of a long line so many ``columns`` are shown.

    >>> print(underlined("LSTM(8, unit=3)", (8, 12)))
        LSTM(8, unit=3)
                ^~~~
    """
    begin = text.rfind("\n", 0, span[0]) + 1
    line = text[begin:].split("\n", 1)[0]
    shown = marked(line, span[0] - begin, span[1] - begin, columns)
    return "\n".join(f"    {part}" for part in shown)


def marked(line: str, start: int, end: int, columns: int = SHOWN_COLUMNS) -> tuple[str, str]:
    """A line, or the part of a long one around these characters, and what stands under it: ``^~~`` below them."""
    shown, before, under = _window(line, start, end, columns)
    return shown, " " * before + "^" + "~" * (under - 1)


def _window(line: str, start: int, end: int, columns: int) -> tuple[str, int, int]:
    """The part of a line to show, how many columns stand before the place in it, and how many it takes."""
    left = max(0, min(start - columns // 2, len(line) - columns))
    right = left + columns
    head, tail = "..." * (left > 0), "..." * (right < len(line))
    before = len(head) + sum(map(_columns, line[left:start]))
    under = max(1, sum(map(_columns, line[start : min(end, right)])))
    return head + "".join(map(_shown, line[left:right])) + tail, before, under


def _shown(character: str) -> str:
    if character == "\t":
        return "    "  # the same width whatever stands before it, and whatever the terminal's tab stops
    if unicodedata.category(character) == "Zs":
        return " "
    # What does not print could move the cursor, or turn the direction of the text.
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _columns(character: str) -> int:
    shown = _shown(character)
    if unicodedata.category(shown[0]) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(shown[0]) in "WF" else len(shown)
