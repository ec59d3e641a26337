"""Reads pasted Keras code as layers, with their calls; nothing is evaluated.

>>> parse("tf.keras.layers.Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')").node.text
"Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')"
>>> parse("a, b = LSTM(8, return_state=True)(x)").targets
2
>>> parsed = parse("Dense(1)(LSTM(8)(keras.Input((10, 4))))")
>>> parsed.node.text, parsed.fed.sizes
('LSTM(8) | Dense(1)', (None, 10, 4))

``ast`` parses the text.  The tree may have constructor calls of classes in the table, calls of these layers, and
literals; a single line with anything else is an error with its place.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers import TABLE
from rnnshape.layers.merges import MERGES
from rnnshape.layers.release import KERAS_3
from rnnshape.layers.release import asked as asked_release
from rnnshape.reading.code.asking import asked
from rnnshape.reading.code.chain import is_called
from rnnshape.reading.code.classes import Classes
from rnnshape.reading.code.copied import as_copied
from rnnshape.reading.code.merging import MERGING
from rnnshape.reading.code.naming import Names
from rnnshape.reading.code.one_line import OneLine
from rnnshape.reading.code.operating import BY_NUMBER
from rnnshape.reading.code.operating import NAMES as OPERATIONS
from rnnshape.reading.code.parsed import NothingMade, Parsed, Partly, Undecided
from rnnshape.reading.code.program import Program
from rnnshape.reading.code.syntax import Source, called, dotted
from rnnshape.spec.masks import MASK
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rnnshape.layers.release import Release

_BRACKET = re.compile(r"[()\[\]{}]")
LONGEST = 5_000
LONGEST_CODE = 500_000
DEEPEST = 20


def parse(text: str, let: Mapping[str, Any] | None = None, modules: tuple[str, ...] = ()) -> Parsed:
    """Read code with one layer or stack: ``LSTM(8)``, ``LSTM(8) | Dense(4)``, ``y, h = GRU(4, return_state=True)(x)``.

    Raises:
        Invalid: with every problem at once, each with its span in the stripped text.
    """
    parsed, *others = parse_all(text, let, (), modules)
    if others:
        what = f"this code has {1 + len(others)} layers or models, but only one is allowed here; see rnnshape show"
        raise Invalid([Problem("", what)], parsed.text)
    return parsed


def parse_all(
    text: str, let: Mapping[str, Any] | None = None, taken: Iterable[int] = (), modules: tuple[str, ...] = ()
) -> list[Parsed]:
    """Read code as it is: one line, or several statements with all the layers that they create.

    With ``modules``, an unknown class is expected in one of them; they are not imported here.

    Raises:
        Invalid: as ``parse``; ``Partly`` if other layers of the code have no mistake.
    """
    nameless = None if let or modules else _nameless(text, asked_release())
    return [*nameless] if nameless else _read(text, let or {}, taken, modules)


@lru_cache(maxsize=256)
def _nameless(text: str, release: Release) -> tuple[Parsed, ...] | None:
    """The questions of code without names, cached: many runs have the same layer.  None if names decide."""
    try:
        read = _read(text, {}, ())
    except Invalid:  # the caller reads it again and reports it
        return None
    return None if any(parsed.names or parsed.stands or parsed.open for parsed in read) else tuple(read)


def _read(text: str, let: Mapping[str, Any], taken: Iterable[int], modules: tuple[str, ...] = ()) -> list[Parsed]:
    source = opened(text)
    names = Names(source, let, taken, modules)
    try:
        read, unknown = _asked(source, names)
    except RecursionError:  # long chains of operators and attributes, which have no brackets
        raise Invalid([Problem("", "this is nested too deeply")], source.text) from None
    if source.problems:
        raise Partly(dict.fromkeys(source.problems), source.text, read)  # a problem in a loop occurs at each step
    if not read and (left := names.left_open()):
        raise Undecided(left, source.text)
    if not read:
        nothing = Problem("", "there is no layer here: write one as in Keras, such as LSTM(8)")
        raise NothingMade(unknown or [nothing], source.text)
    return read


def _asked(source: Source, names: Names) -> tuple[list[Parsed], list[Problem]]:
    """The questions of the code, and the problems with unknown layers."""
    body = source.body()
    line = _line(body[0]) if len(body) == 1 else None
    if line is not None and (isinstance(line[1], _NO_LINE) or _is_graph(line[1])):
        line = None
    if line is not None and not _unknown_around(line[1], Classes(names)):
        parsed = OneLine(names).read(*line)
        return [] if parsed is None or source.problems else [parsed], []
    program = Program(names)
    program.read(body)
    return [] if program.stopped else asked(program.values), program.unknown


def opened(text: str) -> Source:
    """The text without prompts, a common indent and blanks around it.

    Raises:
        Invalid: it is too long, or its brackets nest too deep.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    longest = LONGEST_CODE if "\n" in text else LONGEST
    if len(text) > longest:
        raise Invalid(
            [Problem("", f"an expression has at most {longest:,} characters, and this one has {len(text):,}")]
        )
    if (deep := _too_deep(text)) is not None:
        raise Invalid([Problem("", f"brackets nest at most {DEEPEST} deep", (deep, deep + 1))], text)
    return Source(as_copied(text))


# A single statement of these types is read as a program: it has several layers, a function, or no layer.
_NO_LINE = (ast.Lambda, ast.List, ast.ListComp, ast.Tuple, ast.Constant)


_BESIDE = (INITIAL_STATE.name, MASK.name)
_WIRING = {"Model", *MERGING, *OPERATIONS}


def _is_graph(value: ast.expr) -> bool:
    """Whether an expression is a graph: ``Model(x, LSTM(8)(x))``, ``Add()([LSTM(8)(x), z])``, ``LSTM(8)(x)[0]``."""
    parts = [part for part in ast.walk(value) if isinstance(part, ast.expr)]
    if isinstance(value, ast.IfExp) and is_called(value.body):
        return True
    if any((is_called(part) and called(part.func) in MERGES) or called(part) == "Lambda" for part in parts):
        return True
    if asked_release() < KERAS_3 and is_called(value) and any(map(_returns_a_list, filter(is_called, value.args))):
        return True
    wires = [part for part in parts if called(part) in _WIRING or _is_sum(part) or _is_slice(part)]
    for call in filter(is_called, parts):
        beside = {*_BESIDE[: max(len(call.args) - 1, 0)], *(keyword.arg for keyword in call.keywords)}
        if beside.intersection(_BESIDE) and is_called(call.args[0] if call.args else call):
            return True  # LSTM(8)(GRU(8)(x), mask=mask): a stack takes them only at its first layer
        wires += [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == INITIAL_STATE.name)]
    return any(is_called(part) for wire in wires for part in ast.walk(wire) if isinstance(part, ast.expr))


def _returns_a_list(call: ast.Call) -> bool:
    """Whether a call, or one inside it, may return a list: a recurrent layer of Keras 2 takes its items as states."""
    calls = [part for part in ast.walk(call) if isinstance(part, ast.Call)]
    return any(keyword.arg in ("return_state", "merge_mode") for part in calls for keyword in part.keywords)


def _is_slice(part: ast.expr) -> bool:
    return isinstance(part, ast.Subscript) and (isinstance(part.slice, ast.Tuple) or is_called(part.value))


def _is_sum(part: ast.expr) -> bool:
    negative = isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub)
    return negative or (isinstance(part, ast.BinOp) and isinstance(part.op, tuple(BY_NUMBER)))


def _line(statement: ast.stmt) -> tuple[list[ast.expr], ast.expr] | None:
    """The left sides and the value of a statement that may have a single layer; else None."""
    match statement:
        case ast.Assign(targets=left, value=value):
            return left, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return [target], value
        case ast.Return(value=ast.expr() as value):
            return [], value
        case ast.Expr(value=value):
            return [], _added(value)
    return None


def _added(value: ast.expr) -> ast.expr:
    """The layer in ``model.add(layer)``, or in an item of a list with its comma; else the value itself."""
    match value:
        case ast.Tuple(elts=[item]):
            return _added(item)
        case ast.Call(func=ast.Attribute(attr="add" | "append"), args=[item], keywords=[]):
            return item
    return value


def _unknown_around(value: ast.expr, named: Classes) -> bool:
    """Whether an unknown class that is not a misspelt known one is called on the result of known layers."""
    classes = [step.func.func for step in _steps(value) if isinstance(step.func, ast.Call)]
    unknown = [one for one in classes if not named.names_a_layer(one)]
    slips = [one for one in unknown if nearest((dotted(one) or "").rpartition(".")[2], TABLE)]
    return bool(unknown) and unknown[-1] is not classes[-1] and not slips


def _steps(value: ast.expr) -> Iterator[ast.Call]:
    """The nested calls of layers, outermost first."""
    while is_called(value):
        yield value
        if not value.args:
            return
        value = value.args[0]


def _too_deep(text: str) -> int | None:
    """Where brackets nest too deep; checked before any recursive function reads the text."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > DEEPEST:
            return bracket.start()
    return None
