"""From files and pipes to runs: every mistake of every file at once, each at its place.

A YAML file has ``runs:``, a list, and ``defaults:``, which every run begins with; a run with a ``matrix:`` is
many.  A line of JSON is a run too; a wrong line is that row's error, for the lines after it are not
known yet.  What nobody foresaw is the error of one run, or of one file, in either.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, RnnshapeError, foreseen, nearest
from rnnshape.reading.batch.documents import read_json_line, read_yaml
from rnnshape.reading.batch.entries import Run, meanings, of_line, run_of, unread, wrong_run
from rnnshape.reading.batch.placing import placed
from rnnshape.reading.places import MAX_BYTES, Mistake, Unreadable, marked_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.reading.places import Document

_TOP = ("defaults", "runs")
_NOT_DEFAULTS = ("name", "matrix")
# The first line of a YAML document, in block or flow style, and not a run.
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
            return stream.read(MAX_BYTES + 1)  # more is refused, and need not be read
    except OSError as error:  # a name that was mistyped is what was asked, not what the machine lacks
        raise Invalid([Problem(str(path), error.strerror or str(error))]) from None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of JSON Lines that is not read yet."""

    text: bytes
    name: str
    number: int


def runs_of(piece: Line | Run) -> Iterable[Run]:
    """The runs that a line asks for."""
    return (piece,) if isinstance(piece, Run) else _line(piece.text, piece.name, piece.number)


def from_stream(stream: IO[bytes], name: str) -> Iterator[Line | Run]:
    """What a pipe asks for: JSON Lines as they come, without the empty ones, or the runs of one YAML document.

    Raises:
        Unreadable: it is YAML and has mistakes, before the first run.
    """
    lines = _lines(stream)
    head: list[bytes] = []
    written = 0
    for line in lines:
        head.append(line)
        written += bool(line.strip())
        # The line after the first one is asked too: a first line that is no JSON may be one broken row.
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
    """Line by line in UTF-8, without a mark; of one that is too long, no more is held than shows that it is."""
    pieces = _pieces(stream)
    for line in pieces:
        yield line
        while not line.endswith(b"\n") and (line := next(pieces, b"")):
            pass


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of UTF-8, or of UTF-16 with its mark, in UTF-8; one that is too long in several pieces."""
    piece = stream.readline(MAX_BYTES + 1)
    mark, encoding = marked_as(piece)
    piece = piece.removeprefix(mark)
    if encoding == "utf-8":
        while piece:
            yield piece
            piece = stream.readline(MAX_BYTES + 1)
        return
    # A byte 0x0A is a line break here, or half of another character; what ends in the middle of one has an odd length.
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
    assert isinstance(data, dict)  # the reader rejects what is no object
    try:
        yield from of_line(document, data)
    except Exception as error:  # noqa: BLE001  as above
        yield unread(data, error)


def _of_document(data: bytes, name: str) -> list[Run]:
    """The runs of a YAML document; one that nobody foresaw that it cannot be read is one, under its own name."""
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
        # What is wrong with the defaults, or with a matrix, is wrong with every run, and said once.
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
