"""Paste what you wrote: a Keras constructor call, read and never evaluated.

>>> parse("tf.keras.layers.Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')").node.text
"Bidirectional(LSTM(64, return_sequences=True), merge_mode='sum')"
>>> parse("a, b = LSTM(8, return_state=True)(x)").targets
2

The text becomes a syntax tree by way of ``ast`` and the tree is walked: constructor calls of classes
in the table and literals, nothing else.  Whatever else stands there is an error with its place.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem, nearest
from rnnshape.layers import TABLE, Node
from rnnshape.layers.arguments import REQUIRED, Nested
from rnnshape.spec import leftovers
from rnnshape.spec.calling import Called, Reader

if TYPE_CHECKING:
    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.base import LayerClass

LONGEST = 5_000
DEEPEST = 20
# An import path and the short names that people give to it.
_PREFIXES = {"tf.keras.layers", "tensorflow.keras.layers", "keras.layers", "layers", "L", "tfkl", "tf.keras", "keras"}
_ROLES = {"cell": ("cell",), "recurrent": ("recurrent",), "layer": ("layer", "recurrent", "stack")}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a line asks for: its layer, into how many names it unpacks (None: it does not say), and its call."""

    node: Node
    text: str
    targets: int | None = None
    called: Called = field(default_factory=Called)


def parse(text: str) -> Parsed:
    """Read an expression: ``LSTM(8)``, ``LSTM(8, return_sequences=True) | GRU(4)``, ``y, h = GRU(4)(x)``.

    Raises:
        Invalid: with every problem at once, each with its span in the stripped text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST:
        raise Invalid([Problem("", f"an expression has at most {LONGEST:,} characters, this one {len(text):,}")])
    if (deep := _too_deep(text)) is not None:
        raise Invalid([Problem("", f"brackets nest at most {DEEPEST} deep", (deep, deep + 1))], text)
    reader = _Reader(text)
    parsed = reader.line()
    if parsed is None or reader.problems:
        raise Invalid(reader.problems, text)
    return parsed


def _too_deep(text: str) -> int | None:
    """Where brackets nest too deep; told before anything recursive sees the text."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth > DEEPEST:
            return place
    return None


class _Reader:
    """One pass over one text; problems are gathered, not raised, so that all are told at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        self.problems: list[Problem] = []

    def _offset(self, line: int, column: int) -> int:
        """Characters from the beginning of the text; ``ast`` counts columns in bytes of UTF-8."""
        if line > len(self.lines):
            return len(self.text)
        before = sum(len(text) + 1 for text in self.lines[: line - 1])
        return before + len(self.lines[line - 1].encode(errors="replace")[:column].decode(errors="ignore"))

    def wrong(self, message: str, node: ast.expr | ast.keyword | ast.stmt) -> None:
        self.problems.append(Problem("", message, self.place(node)))

    def place(self, node: ast.expr | ast.keyword | ast.stmt) -> tuple[int, int]:
        """The half-open range of characters that a part of the text takes."""
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self._offset(node.lineno, node.col_offset), end

    def line(self) -> Parsed | None:
        """The whole text: a layer, perhaps called on an input, perhaps unpacked into names."""
        statement = self._statement()
        targets: int | None = None
        called = Called()
        match statement:
            case ast.Expr(value=value):
                pass
            case ast.Assign(targets=[target], value=ast.Call(func=ast.Call()) as value):
                targets = len(target.elts) if isinstance(target, ast.Tuple | ast.List) else None
            case ast.Assign(value=value):
                pass
            case _:
                return None
        match value:
            case ast.Call(func=ast.Call() as made) as call:
                node = self.layer(made)
                if node is not None:
                    called = Reader(self.wrong, self.place).read(node, call)
            case _:
                node = self.layer(value)
        return None if node is None else Parsed(node, self.text, targets, called)

    def _statement(self) -> ast.stmt | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an odd "\d" in a string is no concern of ours
                body = ast.parse(self.text).body
        except SyntaxError as error:
            place = self._offset(error.lineno or 1, 0) + max((error.offset or 1) - 1, 0)
            place = min(place, max(len(self.text) - 1, 0))
            self.problems.append(Problem("", f"this is not Python: {error.msg}", (place, place + 1)))
            return None
        except (ValueError, RecursionError, MemoryError) as error:
            self.problems.append(Problem("", f"this is not Python: {error or 'it nests too deep'}"))
            return None
        if len(body) == 1 and isinstance(body[0], ast.Expr | ast.Assign):
            return body[0]
        what = "one constructor call, such as LSTM(8, return_state=True)"
        if len(body) > 1:
            self.wrong(f"there must be {what}, and here the second begins", body[1])
        else:
            self.problems.append(Problem("", f"there must be {what}"))
        return None

    # -- layers ---------------------------------------------------------------------------------

    def layer(self, tree: ast.expr) -> Node | None:
        """A constructor call, or layers joined by ``|``."""
        match tree:
            case ast.BinOp(op=ast.BitOr()):
                parts = [self.layer(part) for part in _joined(tree)]
                layers = tuple(part for part in parts if part is not None)
                for part, source in zip(parts, _joined(tree), strict=True):
                    if part is not None and part.cls.kind == "cell":
                        self.wrong(f"{part.name} is a cell and computes one step: write RNN({part.name}(…))", source)
                return Node.of(TABLE["Sequential"], {"layers": layers}) if len(layers) == len(parts) else None
            case ast.Call():
                return self._constructed(tree)
            case ast.Name(id=name) if name in TABLE:
                self.wrong(f"{name} is not called: write {name}(…)", tree)
            case _:
                self.wrong("a layer must stand here, such as LSTM(8)", tree)
        return None

    def _constructed(self, call: ast.Call) -> Node | None:
        name = _dotted(call.func)
        if name is None:
            self.wrong("a class of Keras must stand here", call.func)
            return None
        prefix, _, short = name.rpartition(".")
        layer = TABLE.get(short)
        if layer is None or (prefix and prefix not in _PREFIXES):
            self.wrong(_unknown_class(name, short), call.func)
            return None
        return self._node(layer, call)

    def _node(self, layer: LayerClass, call: ast.Call) -> Node | None:
        before = len(self.problems)
        values = self._by_position(layer, call)
        self._by_keyword(layer, call, values)
        required = [argument.name for argument in layer.arguments if argument.default is REQUIRED]
        missing = [name for name in required if name not in values]
        # A misspelt keyword is one mistake, not also a missing argument.
        if missing and len(self.problems) == before:
            self.wrong(f"{layer.name} needs {' and '.join(missing)}", call)
        if len(self.problems) > before:
            return None
        node = Node.of(layer, values)
        for problem in layer.check(node):
            self.wrong(f"{problem.key}: {problem.message}" if problem.key else problem.message, call)
        return node if len(self.problems) == before else None

    def _by_position(self, layer: LayerClass, call: ast.Call) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for argument, tree in zip(layer.arguments[: layer.positional], call.args, strict=False):
            if isinstance(tree, ast.Starred):
                self.wrong("* cannot be read without running it: write the arguments out", tree)
            else:
                values[argument.name] = self._value(argument, layer, tree)
        if len(call.args) > layer.positional:
            extra = call.args[layer.positional]
            self.wrong(f"{layer.name} takes at most {layer.positional} arguments by position", extra)
        return values

    def _by_keyword(self, layer: LayerClass, call: ast.Call, values: dict[str, Any]) -> None:
        for keyword in call.keywords:
            if keyword.arg is None:
                self.wrong("** cannot be read without running it: write the arguments out", keyword)
            elif keyword.arg in values:
                self.wrong(f"{keyword.arg} is given twice", keyword)
            elif (known := layer.by_name.get(keyword.arg)) is None:
                self.wrong(_unknown_argument(keyword.arg, layer), keyword)
            else:
                values[known.name] = self._value(known, layer, keyword.value)

    def _value(self, argument: Argument, layer: LayerClass, tree: ast.expr) -> Any:
        if isinstance(argument.kind, Nested):
            return self._nested(argument, argument.kind, layer, tree)
        before = len(self.problems)
        value = self._literal(tree)
        if len(self.problems) == before and not argument.kind.accepts(value):
            self.wrong(f"{argument.name} {argument.kind.refusal(value)}", tree)
        return value

    def _nested(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Any:
        if kind.none and isinstance(tree, ast.Constant) and tree.value is None:
            return None
        if kind.many and isinstance(tree, ast.List | ast.Tuple):
            if not tree.elts:
                self.wrong(f"{argument.name}: must be a list of at least one {kind.role}", tree)
            return tuple(self._one(argument, kind, layer, item) for item in tree.elts)
        found = self._one(argument, kind, layer, tree)
        # RNN takes one cell or a list; where only a list may stand, one is a slip.
        if found is not None and kind.many and layer.name != "RNN":
            self.wrong(f"{argument.name} must be a list: [{found.text}]", tree)
        return found

    def _one(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Node | None:
        if not isinstance(tree, ast.Call | ast.BinOp | ast.Name | ast.Attribute):
            self.wrong(f"{argument.name} of {layer.name} must be {kind.allowed}", tree)
            return None
        node = self.layer(tree)
        if node is not None and node.cls.kind not in _ROLES[kind.role]:
            self.wrong(_wrong_role(layer, node, kind), tree)
        return node

    def _literal(self, tree: ast.expr) -> Any:
        match tree:
            case ast.Constant(value=bool() | int() | float() | str() | None as value):
                return value
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as value)
            ) if not isinstance(value, bool):
                return -value if isinstance(sign, ast.USub) else value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return tuple(map(self._literal, items))
            case ast.Call():
                name = _dotted(tree.func) or "this"
                self.wrong(
                    f"{name.rpartition('.')[2]} is called here: give its name as a string, such as 'zeros'", tree
                )
            case _:
                self.wrong("a literal must stand here: a number, a string, True, False, None, a list or a tuple", tree)
        return None


def _joined(tree: ast.expr) -> list[ast.expr]:
    """The parts of ``a | b | c``, in order and without recursion."""
    parts: list[ast.expr] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        parts.append(tree.right)
        tree = tree.left
    return [tree, *reversed(parts)]


def _dotted(tree: ast.expr) -> str | None:
    names: list[str] = []
    while isinstance(tree, ast.Attribute):
        names.append(tree.attr)
        tree = tree.value
    return ".".join([tree.id, *reversed(names)]) if isinstance(tree, ast.Name) else None


def _unknown_class(name: str, short: str) -> str:
    if gone := leftovers.of_class(short):
        return f"{short} {gone}"
    near = nearest(short, TABLE)
    return f"{name} is no layer that rnnshape knows" + (near or f"; it knows {', '.join(TABLE)}")


def _unknown_argument(name: str, layer: LayerClass) -> str:
    if why := leftovers.of_argument(name, layer):
        return f"{layer.name} takes no {name}: it {why}"
    return f"{layer.name} takes no argument {name}{nearest(name, layer.by_name)}"


def _wrong_role(layer: LayerClass, node: Node, kind: Nested) -> str:
    if node.cls.kind == "cell":
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a cell: write RNN({node.text})"
    if kind.role == "cell":
        cells = {"LSTM": "LSTMCell", "GRU": "GRUCell", "SimpleRNN": "SimpleRNNCell"}
        instead = f": use {cells[node.name]}" if node.name in cells else ""
        return f"{layer.name} takes {kind.allowed}, and {node.name} is a whole layer{instead}"
    return f"{layer.name} takes {kind.allowed}, which {node.name} is not"
