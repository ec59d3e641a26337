"""Places in a file, and how a mistake is shown there.

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
"""The limit of a file, and of a line of JSON Lines.  PyYAML in pure Python reads 0.15 to 0.5 MB a second."""
SHOWN_COLUMNS = 100
"""Of a longer line, the part around the place is shown."""

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def marked_as(data: bytes) -> tuple[bytes, str]:
    """The byte order mark at the start of the data, and its encoding; without a mark, UTF-8."""
    return next((known for known in _MARKS if data.startswith(known[0])), (b"", "utf-8"))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A part of one line.  Lines and columns count from 1; ``end_column`` is one past the end."""

    line: int
    column: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake at one place; the message says what is wrong and what is allowed.

    ``also`` is a second place, such as the first of two equal keys.
    """

    place: Place
    message: str
    also: Place | None = None


@dataclass(frozen=True)
class Source:
    """A text, its name, and the number of its first line (1, except for a line of JSON Lines)."""

    name: str
    text: str
    first_line: int = 1

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    @classmethod
    def decode(cls, data: bytes, name: str, first_line: int = 1) -> Source:
        """The text of these bytes: UTF-8, or UTF-16 with its byte order mark.

        Raises ``Unreadable`` if the data is longer than ``MAX_BYTES``, or not text.
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
            message = "not text: it contains U+0000; save a text in UTF-16 or UTF-32 as UTF-8"
            raise Unreadable(source, [Mistake(source.place(zero, zero + 1), message)])
        return cls(name, text, first_line)

    def place(self, start: int, end: int) -> Place:
        """The place of the characters ``start`` to ``end``, up to the end of the first line; at least one character."""
        index = bisect_right(self._starts, start) - 1
        first = self._starts[index]
        line = self.line(index + self.first_line)
        if end > first + len(line):
            end = first + len(line.rstrip())
        return Place(index + self.first_line, start - first + 1, max(end, start + 1) - first + 1)

    def line(self, number: int) -> str:
        """The text of the line with this number, without its line break."""
        index = number - self.first_line
        end = self._starts[index + 1] if index + 1 < len(self._starts) else None
        return self.text[self._starts[index] : end].rstrip("\r\n")

    def show(self, place: Place, message: str) -> str:
        """``name:line:column: message``, then the line with ``^~~`` under the place, as in actionlint."""
        head = f"{self.name}:{place.line}:{place.column}: {message}"
        line = self.line(place.line)
        if not line.strip():
            return head
        shown, mark = marked(line, place.column - 1, place.end_column - 1)
        number = str(place.line)
        blank = " " * len(number)
        return f"{head}\n{blank} |\n{number} | {shown}\n{blank} | {mark}"


class Unreadable(RnnshapeError):
    """A file cannot be read.  It has every mistake, in the order of their places; ``str`` shows them all."""

    kind = "unreadable"

    def __init__(self, source: Source, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.place))
        super().__init__("\n".join(source.show(mistake.place, mistake.message) for mistake in self.mistakes))


@dataclass(slots=True)
class Node:
    """A value and its place: a scalar, or children by key (each with the node of its key) or by position.

    ``size`` is the number of values in it, ``height`` the number of nested containers.  The node of an alias is the
    node of its anchor, so the tree of a small file may be large when walked.
    """

    start: int
    end: int
    value: Scalar = None
    children: dict[str, tuple[Node, Node]] | list[Node] | None = None
    size: int = 1
    height: int = 0

    def plain(self) -> Plain:
        """Plain Python data; a value that an alias repeats is copied, so that no two places share an object."""
        if isinstance(self.children, dict):
            return {key: node.plain() for key, (_, node) in self.children.items()}
        if self.children is not None:
            return [node.plain() for node in self.children]
        return self.value

    def at(self, path: Path, *, key: bool = False) -> Node:
        """The node at a path (or the node of its key); if there is none, the nearest node around it."""
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
    """The contents of a file as plain data, with the place of every key and value.

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

    A value that an alias or a merge repeats has the place where it is written.  A path without a value has the place
    of the nearest value around it, so a missing key has the place of its mapping.
    """

    def __init__(self, source: Source, data: Plain, compose: Callable[[Source], Node]) -> None:
        """``compose`` is called for the first place only: most lines of JSON need none."""
        self.source = source
        self.data = data
        self._compose = compose

    @cached_property
    def _root(self) -> Node:
        return self._compose(self.source)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value at this path, or of its key."""
        node = self._root.at(path, key=key)
        return self.source.place(node.start, node.end)

    def inner(self, path: Path, start: int, end: int) -> Place:
        """The place of the characters ``start`` to ``end`` of a text.

        It is the place of the whole text if that is written on several lines, or with backslashes.
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
            first, doubled = node.start + 1, "'"  # the only escape in single quotes: a doubled quote
        else:
            return self.place(path)
        start, end = (min(at, len(value)) + (value.count(doubled, 0, at) if doubled else 0) for at in (start, end))
        return self.source.place(first + start, first + end)


def underlined(text: str, span: tuple[int, int], columns: int = SHOWN_COLUMNS) -> str:
    """The line of a pasted text in which the span starts, with ``^~~~`` under the span.

    At most ``columns`` of a long line are shown.

    >>> print(underlined("LSTM(8, unit=3)", (8, 12)))
        LSTM(8, unit=3)
                ^~~~
    """
    begin = text.rfind("\n", 0, span[0]) + 1
    line = text[begin:].split("\n", 1)[0]
    shown = marked(line, span[0] - begin, span[1] - begin, columns)
    return "\n".join(f"    {part}" for part in shown)


def marked(line: str, start: int, end: int, columns: int = SHOWN_COLUMNS) -> tuple[str, str]:
    """A line, or the part of a long one around these characters, and the line below it with ``^~~``."""
    left = max(0, min(start - columns // 2, len(line) - columns))
    right = left + columns
    head, tail = "..." * (left > 0), "..." * (right < len(line))
    before = len(head) + sum(map(_columns, line[left:start]))
    under = max(1, sum(map(_columns, line[start : min(end, right)])))
    return head + "".join(map(_shown, line[left:right])) + tail, " " * before + "^" + "~" * (under - 1)


def _shown(character: str) -> str:
    if character == "\t":
        return "    "  # a fixed width, independent of tab stops
    if unicodedata.category(character) == "Zs":
        return " "
    # An unprintable character could move the cursor, or change the direction of the text.
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _columns(character: str) -> int:
    shown = _shown(character)
    if unicodedata.category(shown[0]) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(shown[0]) in "WF" else len(shown)
