"""Scan one file: read it, walk over it, and collect the results of the rules.

>>> from rnnshape.scan.texts import Text
>>> code = "import keras\\nx = keras.layers.LSTM(8, recurrent_dropout=0.1)\\n"
>>> scan_text(Text("model.py", code)).findings[0].message
'LSTM cannot use cuDNN: drop recurrent_dropout=0.1'
"""

from __future__ import annotations

import ast
import re
from itertools import product
from typing import TYPE_CHECKING, Any

from rnnshape.errors import foreseen
from rnnshape.layers import release
from rnnshape.reading.code.naming import Names
from rnnshape.reading.code.syntax import Rejected, Source
from rnnshape.scan.arguments import Arguments
from rnnshape.scan.codes import CODES
from rnnshape.scan.comments import comments_of
from rnnshape.scan.contracts import contract_hits
from rnnshape.scan.finding import Finding, Scanned
from rnnshape.scan.hits import Hit
from rnnshape.scan.imports import Imports, constants, once_assigned
from rnnshape.scan.layers import found_in
from rnnshape.scan.masks import Masks
from rnnshape.scan.steps import Steps
from rnnshape.scan.texts import NotRead, Text, read
from rnnshape.scan.walk import Walk
from rnnshape.scan.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.scan.comments import Comments

# A file without these words has no findings, so most files are not parsed.
_WORTH = re.compile(r"LSTM|GRU|RNN|Bidirectional|TimeDistributed|RepeatVector")
_KERAS = re.compile(r"keras|tensorflow")
# Functions that give names to functions and classes.
_REGISTERED = re.compile(r"custom_object|register_keras_serializable")
_MOST_WALKS = 8
# The usual imports, for code on standard input without imports: a part of a file.
_PASTED = "<stdin>"
_USUAL = """
import keras, tensorflow as tf
from keras import Input, Model, Sequential, layers, models
from keras.layers import *
"""


def scan_file(path: str, *, layers: bool = False, keras: str | None = None) -> Scanned:
    """The results of a file; if it cannot be read, ``unread`` says why."""
    try:
        return scan_text(read(path), layers=layers, keras=keras)
    except (NotRead, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        return Scanned(path, unread=said or str(error))


def scan_text(text: Text, *, layers: bool = False, keras: str | None = None) -> Scanned:
    """The results of a text: the findings in order and, with ``layers``, its layers and models.

    ``keras`` is the Keras release (None: the installed one); for a text that imports ``tf_keras`` it is Keras 2.
    """
    if not (_WORTH.search(text.code) and (_KERAS.search(text.code) or text.name == _PASTED)):
        return Scanned(text.name)
    try:
        return _scanned(text, layers=layers, keras=keras)
    except RecursionError:
        return Scanned(text.name, unread="nested too deeply")
    except Exception as error:  # noqa: BLE001  one file must not end the others
        return Scanned(text.name, unread=foreseen(error).message)


def _scanned(text: Text, *, layers: bool, keras: str | None) -> Scanned:
    source = Source(text.code)
    body = source.body()
    if source.problems:
        return Scanned(text.name, unread=source.problems[0].message)
    # List the nodes once, because walking the tree takes most of the time.
    nodes = [*ast.walk(ast.Module(body, []))]
    if text.name == _PASTED and not any(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes):
        imports = Imports([*ast.walk(ast.parse(_USUAL)), *nodes])
    else:
        imports = Imports(nodes)
    if not imports.any_keras:
        return Scanned(text.name)
    with release.of("2" if imports.legacy else keras):
        return _looked_at(text, source, body, nodes, imports, layers=layers)


def _looked_at(
    text: Text, source: Source, body: list[ast.stmt], nodes: list[ast.AST], imports: Imports, *, layers: bool
) -> Scanned:
    comments = comments_of(text.code)
    held = constants(nodes, text.name)
    names = Names(source, {})
    names.bound.update(held)
    once_assigned(body, names)
    walks = _walks(text.code, body, imports.for_reader(nodes), held)
    hits = [*Arguments(source, imports, names).hits(nodes), *_in_all(walks, comments)]
    hits += _rejected(walks, source, nodes, hits)
    findings = {finding: None for hit in hits if (finding := _finding(hit, source, text, comments)) is not None}
    found = tuple(found_in(walks[0], text)) if layers else ()
    return Scanned(text.name, tuple(sorted(findings, key=_order)), found)


def _walks(code: str, body: list[ast.stmt], aliases: Mapping[str, str], held: Mapping[str, Any]) -> list[Walk]:
    """A walk for each combination of the open choices of a file; only one walk if there are too many."""
    first = Walk(code, body, aliases, held, {})
    choices = first.names.left_open()
    ways = [*product(*(choice.values for choice in choices))] if len(choices) < _MOST_WALKS else []
    if not choices or not 1 < len(ways) <= _MOST_WALKS:
        return [first]
    keys = [choice.key for choice in choices]
    return [Walk(code, body, aliases, held, dict(zip(keys, values, strict=True))) for values in ways]


def _in_all(walks: list[Walk], comments: Comments) -> Iterator[Hit]:
    """The hits that occur in every walk; none if there are too many open choices."""
    if walks[0].names.open:
        return
    found = []
    for walk in walks:
        steps = Steps(walk)
        hits = [*Wiring(walk, steps).hits(), *Masks(walk, steps).hits(), *contract_hits(steps, comments)]
        found.append({(hit.code, walk.source.place(hit.tree)): hit for hit in hits})
    yield from (hit for key, hit in found[0].items() if all(key in others for others in found[1:]))


def _rejected(walks: list[Walk], source: Source, nodes: list[ast.AST], hits: list[Hit]) -> Iterator[Hit]:
    """What Keras rejects in every walk, if no other rule has found it."""
    wrong = [{(one.message, one.span) for one in walk.source.problems if isinstance(one, Rejected)} for walk in walks]
    found = [(message, span) for message, span in set.intersection(*wrong) if span is not None]
    taken = [source.place(hit.tree) for hit in hits if CODES[hit.code].severity == "error"] if found else []
    places = {source.place(node): node for node in nodes if isinstance(node, ast.expr | ast.keyword)} if found else {}
    for message, span in found:
        if _REGISTERED.search(source.text) and isinstance(places.get(span), ast.Constant):
            continue  # perhaps the name of a function of the file
        if span in places and not any(start < span[1] and span[0] < end for start, end in taken):
            yield Hit("rejected", message, places[span])


def _finding(hit: Hit, source: Source, text: Text, comments: Comments) -> Finding | None:
    tree = hit.tree
    last = tree.end_lineno or tree.lineno
    if comments.ignores(hit.code, range(tree.lineno, last + 1)):
        return None
    start, end = source.place(tree)
    column = start - source.starts[tree.lineno - 1] + 1
    shown = source.lines[tree.lineno - 1]
    width = end - start if last == tree.lineno else len(shown) - column + 1
    cell, line = text.at(tree.lineno)
    return Finding(
        hit.code,
        hit.message,
        text.name,
        line,
        column,
        column + max(width, 1),
        shown,
        cell,
        () if text.cells else hit.edits,
        source.said(layer) if isinstance(layer := hit.layer or tree, ast.Call) else None,
    )


def _order(finding: Finding) -> tuple[int, int, int, str]:
    return finding.cell or 0, finding.line, finding.column, finding.code
