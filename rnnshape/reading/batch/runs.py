"""Reads the runs of files and pipes; all mistakes of all files are reported at once, each with its place.

A YAML file has a list ``runs:`` and optional ``defaults:`` for every run; a ``matrix:`` makes several runs of one.  A
line of JSON is a run too; a mistake in it becomes the error of its row, because the lines after it are not read yet.
An unexpected exception becomes the error of its run (or file); the others go on.
"""

from __future__ import annotations

import codecs
import re
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from rnnshape.errors import Invalid, Problem, RnnshapeError, foreseen, nearest, not_opened
from rnnshape.reading.batch.documents import read_json_line, read_yaml
from rnnshape.reading.batch.entries import Run, meanings, of_line, run_of, unread, wrong_run
from rnnshape.reading.batch.placing import placed
from rnnshape.reading.places import MAX_BYTES, Mistake, Unreadable, marked_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.reading.places import Document

_TOP = ("defaults", "runs")
_NOT_DEFAULTS = ("name", "matrix")
# Matches the first line of a YAML document, in block or flow style, but not a run.
_DOCUMENT = re.compile(rb"\s*(?:\{\s*$|(?:\{\s*)?[\"']?(?:runs|defaults)[\"']?\s*:)")


def from_files(names: Iterable[str]) -> list[Run]:
    """The runs of YAML files, and of the ``*.yaml`` and ``*.yml`` files of folders, in order.

    Raises:
        RnnshapeError: ``unreadable``, with every mistake of every file.
        Invalid: a file cannot be opened.
    """
    runs: list[Run] = []
    broken = []
    for path in (path for name in names for path in _files(Path(name))):
        try:
            runs += _of_document(_read(path), str(path))
        except Unreadable as error:
            broken.append(error)
    if broken:
        raise RnnshapeError("\n".join(map(str, broken)), kind=Unreadable.kind)
    return runs


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml"))
    if not found:
        raise Invalid([Problem(str(path), "this folder contains no *.yaml or *.yml file")])
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)  # a larger file is an error and need not be read
    except OSError as error:
        raise Invalid([Problem(str(path), not_opened(error))]) from None


class Line(NamedTuple):
    """A line of JSON Lines that is not parsed yet."""

    text: bytes
    name: str
    number: int


def runs_of(piece: Line | Run) -> Iterable[Run]:
    """The runs of a line; a run itself is returned as it is."""
    return (piece,) if isinstance(piece, Run) else _line(piece.text, piece.name, piece.number)


def from_stream(stream: IO[bytes], name: str) -> Iterator[Line | Run]:
    """The runs of a pipe: the lines of JSON Lines as they arrive, without empty ones, or the runs of one YAML document.

    Raises:
        Unreadable: the YAML document has mistakes; raised before the first run.
    """
    lines = _lines(stream)
    head: list[bytes] = []
    written = 0
    for line in lines:
        head.append(line)
        written += bool(line.strip())
        # The second line is checked too, because a first line that is not JSON may be a broken row.
        if _DOCUMENT.match(line) or _is_run(line) or written == 2:
            break
    rest = chain(head, lines)
    if head and _is_run(head[-1]):
        yield from (Line(line, name, number) for number, line in enumerate(rest, 1) if line.strip())
    elif written:
        yield from _of_document(b"".join(rest), name)


def _is_run(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and not _DOCUMENT.match(line)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines in UTF-8, without a byte order mark; a line that is too long is cut just above the limit."""
    pieces = _pieces(stream)
    for line in pieces:
        yield line
        while not line.endswith(b"\n") and (line := next(pieces, b"")):
            pass


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of UTF-8, or of UTF-16 with a byte order mark, in UTF-8; a line that is too long in several pieces."""
    piece = stream.readline(MAX_BYTES + 1)
    mark, encoding = marked_as(piece)
    piece = piece.removeprefix(mark)
    if encoding == "utf-8":
        while piece:
            yield piece
            piece = stream.readline(MAX_BYTES + 1)
        return
    # In UTF-16 a byte 0x0A may be half of another character; a piece that ends inside a character has an odd length.
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    line = b""
    while piece:
        line += decoder.decode(piece + stream.read(len(piece) % 2)).encode("utf-8", "surrogatepass")
        if line.endswith(b"\n") or len(line) > MAX_BYTES:
            yield line
            line = b""
        piece = stream.readline(MAX_BYTES + 1)
    if line:
        yield line


def _line(line: bytes, name: str, number: int) -> Iterator[Run]:
    try:
        document = read_json_line(line, name, number)
    except Unreadable as error:
        yield Run(None, None, error=error)
        return
    except Exception as error:  # noqa: BLE001  the other lines can be read
        yield Run(None, line.decode("utf-8", "replace").strip(), error=foreseen(error))
        return
    data = document.data
    assert isinstance(data, dict)  # the reader accepts only an object
    try:
        yield from of_line(document, data)
    except Exception as error:  # noqa: BLE001  as above
        yield unread(data, error)


def _of_document(data: bytes, name: str) -> list[Run]:
    """The runs of a YAML document; an unexpected exception becomes one run with the name of the file."""
    try:
        return _runs(read_yaml(data, name))
    except RnnshapeError:
        raise
    except Exception as error:  # noqa: BLE001  the other files can be read
        return [Run(name, None, error=foreseen(error))]


def _runs(document: Document) -> list[Run]:
    data: Any = document.data
    mistakes = [*_wrong_shape(document, data)]
    if mistakes and (not isinstance(data, dict) or not isinstance(data.get("runs"), list)):
        raise Unreadable(document.source, mistakes)
    defaults: Any = data.get("defaults") or {}
    runs = []
    for index, own in enumerate(data["runs"]):
        path = ("runs", index)
        try:
            wrong = [placed(document, at, message) for at, message in wrong_run(own, path)]
            mistakes += wrong
            if not wrong and isinstance(defaults, dict):
                runs += [run_of(document, path, meant, mistakes) for meant in meanings(own, path, defaults)]
        except Exception as error:  # noqa: BLE001  the other runs can be read
            runs.append(unread(own, error))
    if mistakes:
        # A mistake in the defaults, or in a matrix, occurs in every run and is reported once.
        raise Unreadable(document.source, dict.fromkeys(mistakes))
    return [run for run in runs if run is not None]


def _wrong_shape(document: Document, data: Any) -> Iterator[Mistake]:
    if not isinstance(data, dict):
        yield Mistake(
            document.place(()), "a batch file is a mapping with runs:, a list of runs, and optionally defaults:"
        )
        return
    for key in data:
        if key not in _TOP:
            message = f"{key} is not known here{nearest(key, _TOP)}; a batch file has runs: and defaults:"
            yield Mistake(document.place((key,), key=True), message)
    defaults = data.get("defaults")
    if not isinstance(defaults, dict | None):
        yield Mistake(document.place(("defaults",)), "defaults must be a mapping of options")
    for key in _NOT_DEFAULTS:
        if isinstance(defaults, dict) and key in defaults:
            yield Mistake(document.place(("defaults", key), key=True), f"{key} belongs to a run, not to defaults")
    runs = data.get("runs")
    if not isinstance(runs, list) or not runs:
        yield Mistake(document.place(("runs",) if "runs" in data else ()), "runs must be a list of at least one run")
