r"""Reads a YAML document, or one line of JSON Lines, into plain data with places.

>>> read_yaml(b"runs:\n- {layer: lstm, units: 8}\n", "runs.yaml").data
{'runs': [{'layer': 'lstm', 'units': 8}]}
>>> read_json_line('{"layer": "lstm", "units": 8}', "<stdin>", 1).data
{'layer': 'lstm', 'units': 8}
"""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnshape.reading.places import Document, Mistake, Node, Source, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

from rnnshape.reading.batch.composer import DEEP, HALF, MAX_DEPTH, MAX_MISTAKES, Composer, quoted
from rnnshape.reading.batch.scalars import KINDS, MAX_DIGITS

_JSON_TOKEN = re.compile(
    # The closing quote is optional, so that an unclosed string is not searched for again and again.
    rf'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{{]|[\]}}]|[0-9]{{{MAX_DIGITS + 1},}}|-?Infinity|NaN',
    re.DOTALL,
)


def read_yaml(data: bytes, name: str) -> Document:
    """The one YAML document in these bytes.

    Raises ``Unreadable`` with every mistake; after a syntax error, the rest is not read.
    """
    composer = Composer(Source.decode(data, name))
    root = composer.run()
    if root is None or composer.mistakes:
        raise Unreadable(composer.source, composer.mistakes)
    return Document(composer.source, root.plain(), lambda _: root)


def read_json_line(line: bytes | str, name: str, number: int) -> Document:
    """The JSON object in line ``number`` of JSON Lines; its places are computed on access.

    Raises ``Unreadable``: also for a duplicate key, and for NaN and Infinity, which JSON does not have.
    """
    raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    source = Source.decode(raw.rstrip(b"\r\n"), name, number)
    if mistakes := list(islice(_json_traps(source), MAX_MISTAKES)):
        raise Unreadable(source, mistakes)
    try:
        data, twice = _load_json(source.text)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        mistake = Mistake(source.place(error.pos, error.pos + 1), f"not JSON: {problem}; each line is one JSON object")
        raise Unreadable(source, [mistake]) from None
    if twice:
        composer = Composer(source)  # finds the places of the keys, if the line is also YAML
        composer.run()
        mistakes = [mistake for mistake in composer.mistakes if mistake.also]
        said = f"key {quoted(twice[0])} appears twice: keep one"
        raise Unreadable(source, mistakes or [Mistake(source.place(0, len(source.text)), said)])
    if not isinstance(data, dict):
        said = f"each line is one JSON object, not {KINDS[type(data)]}"
        raise Unreadable(source, [Mistake(source.place(0, len(source.text)), said)])
    return Document(source, data, _json_nodes)


def _load_json(text: str) -> tuple[Any, list[str]]:
    """The data, and the duplicate keys."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return made

    data = json.loads(text, object_pairs_hook=unique)
    if "\\u" in text:
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise json.JSONDecodeError(HALF, text, text.index("\\u")) from None
    return data, twice


def _json_traps(source: Source) -> Iterator[Mistake]:
    """Mistakes that Python's JSON reader accepts, or cannot handle."""
    text = source.text
    if not text.strip():
        yield Mistake(source.place(0, 1), "nothing to read: each line must be one JSON object")
    if len(text) <= MAX_DIGITS and text.count("[") + text.count("{") <= MAX_DEPTH and not re.search("NaN|Inf", text):
        return  # nearly every line
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        start, end = token.span()
        first = text[start]
        depth += (first in "[{") - (first in "]}")
        if depth > MAX_DEPTH:
            yield Mistake(source.place(start, end), DEEP)
            return
        if first.isdigit():
            yield Mistake(source.place(start, end), f"{end - start:,} digits are too many: at most {MAX_DIGITS:,}")
        elif first in "-IN":
            yield Mistake(source.place(start, end), f"JSON has no {token[0]}: write a number or null")


def _json_nodes(source: Source) -> Node:
    """The places in a line of JSON, read as YAML; the whole line if that fails (a tab, a key of 2,000 letters)."""
    return Composer(source).run() or Node(0, len(source.text))
