"""What a scan found, drawn: one small module a format, found by its name.

A renderer takes the files as they are scanned, a text stream and whether findings are counted by code.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Scanned

    Renderer = Callable[[Iterable[Scanned], TextIO], None]

# Whether the format is written file by file.
_STREAMS = {
    "text": True,
    "json": False,
    "jsonl": True,
    "github": True,
    "sarif": False,
    "junit": False,
    "markdown": False,
    "html": False,
}
_ENDINGS = {
    "txt": "text",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "sarif": "sarif",
    "xml": "junit",
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
}
FORMATS = tuple(_STREAMS)


def by_ending(file: str) -> str | None:
    """The format that a file of this name holds, if its ending says so.

    >>> by_ending("findings.sarif"), by_ending("findings")
    ('sarif', None)
    """
    return _ENDINGS.get(PurePath(file).suffix.lower().removeprefix("."))


def streams(name: str) -> bool:
    """Whether a format is written file by file, and not at the end."""
    return _STREAMS[name]


def renderer(name: str) -> Renderer:
    """The function that writes what was found in this format."""
    write: Renderer = import_module(f"rnnshape.render.scan.{name}").write
    return write
