"""Reads constructor calls of Keras' classes, with their arguments and the layers in them; nothing is evaluated."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.errors import nearest
from rnnshape.layers import TABLE, Node
from rnnshape.layers.arguments import REQUIRED, Nested
from rnnshape.layers.node import IMPORTED
from rnnshape.reading.code import keras_1, leftovers
from rnnshape.reading.code.arguments import Arguments
from rnnshape.reading.code.classes import Classes
from rnnshape.reading.code.declared import Declarations
from rnnshape.reading.code.lists import Lists, constant, shared
from rnnshape.reading.code.literals import MISSING
from rnnshape.reading.code.mistakes import (
    OWN,
    is_a_cell,
    is_unread,
    not_known,
    not_taken,
    of_another_library,
    of_the_code,
    unknown_class,
    wrong_role,
)
from rnnshape.reading.code.named_arguments import NamedArguments
from rnnshape.reading.code.objects import Objects
from rnnshape.reading.code.own import OwnClasses
from rnnshape.reading.code.settings import Settings
from rnnshape.reading.code.syntax import dotted, is_none, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass
    from rnnshape.reading.code.tensors import Tensors

_ROLES = {"cell": ("cell",), "recurrent": ("recurrent",), "layer": ("layer", "recurrent", "stack")}

# The kinds that users ask about.  A mistake in a layer of another kind becomes a note, and the rest is still read.
_ASKED = ("recurrent", "cell")


class Constructors:
    """Reads the layers of one source."""

    def __init__(self, tensors: Tensors) -> None:
        self.source = tensors.source
        self.names = tensors.names
        self.wrong = self.source.wrong
        # The layers whose returned structure the code leaves open, and the stacks without their last layers.
        self._partly: list[Node] = []
        self._left_out = 0
        # The layer of a name, the layers of a list in a name, and the layer that a function of the code returns.
        self.held: Callable[[ast.expr], Node | None] = lambda tree: None
        self.held_list: Callable[[ast.expr], list[Node] | None] = lambda tree: None
        self.is_tensor: Callable[[ast.expr], bool] = lambda tree: False
        self.entered: Callable[[ast.Call], Node | None] = lambda call: None
        self.classes = Classes(self.names)
        self.lists = Lists(self.names)
        self.lists.makes = self._makes
        self.declared = Declarations(tensors, self.lists)
        self.by_name = NamedArguments(self.names)
        self.arguments = Arguments(self.names, self.lists, self.by_name, self.value)
        self.objects = Objects(self.source, self._literal)
        self.own = OwnClasses(self.names, self._made, self.value)
        self.settings = Settings(self.value)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes on arguments and objects that are not read as written."""
        return (*self.arguments.notes, *self.objects.notes)

    def _makes(self, tree: ast.expr) -> bool:
        """Whether an expression makes a layer."""
        return any(isinstance(one, ast.Call) and self.classes.names_a_layer(one.func) for one in ast.walk(tree))

    def layer(self, tree: ast.expr) -> Node | None:
        """Read a constructor call, or layers joined by ``|``."""
        match tree:
            case ast.BinOp(op=ast.BitOr()):
                sources = self._known(self.declared.behind_input(joined(tree)))
                parts = [self.layer(part) for part in sources]
                layers = tuple(part for part in parts if part is not None)
                for part, source in zip(parts, sources, strict=True):
                    if part is not None and part.cls.kind == "cell":
                        self.wrong(is_a_cell(part), source)
                if len(layers) < len(parts):
                    return None
                self.declared.together(tree, joined(tree), sources)
                return layers[0] if len(layers) == 1 else Node.of(TABLE["Sequential"], {"layers": layers})
            case ast.Name() | ast.Attribute() | ast.Subscript() if (held := self.held(tree)) is not None:
                return held
            case ast.Name(id=name) if name in TABLE:
                self.wrong(f"{name} must be called: write {name}(…)", tree)
            case _ if isinstance(made := self.names.decided(tree), ast.Call):
                return self._constructed(made)
            case _ if made is not tree and isinstance(made, ast.BinOp | ast.Subscript):
                return self.layer(made)
            case ast.Name() | ast.Attribute():
                what = self.source.said(tree)
                self.source.unknown(
                    f"{what} is not known here: write the layer itself, or add the line that makes it", tree
                )
            case _:
                self.wrong("a layer is expected here, such as LSTM(8)", tree)
        return None

    def knows_part(self, node: Node) -> bool:
        """Whether the code leaves open what a layer returns: unknown ``**`` arguments, layers of an unknown class."""
        return any(part is one for one in self._partly for part in node.walk())

    def _constructed(self, call: ast.Call) -> Node | None:
        if (made := self.entered(call)) is not None:
            return made
        if (whole := self.classes.completed(call)) is not call:
            node = self.layer(whole)
            self.declared.says[call] = self.declared.of(whole)
            return node
        function = self.classes.decided(call.func)
        name = dotted(function)
        if name is None:
            result, said = self.source.said(call), self.source.said(call.func)
            if not isinstance(call.func, ast.Call):
                self.wrong("a Keras class is expected here", call.func)
            elif self.classes.names_a_layer(call.func.func):
                self.wrong(f"{result} returns a tensor, but a layer is expected here: write {said}", call)
            else:
                self.source.unknown(f"{said} is not known; {OWN}", call.func)
            return None
        layer = self.classes.of(function)
        if layer is None and (own := self.classes.own(function)) is not None:
            return self.own.node(own, call)
        if layer is None:
            other = self.classes.elsewhere(function)
            why = of_another_library(other, call) if other else unknown_class(name, name.rpartition(".")[2])
            self.source.unknown(of_the_code(name) if name in self.classes.shadowed else why, call.func)
            return None
        if removed := self.classes.removed(function):
            if len(call.args) > 1:
                self.wrong(f"{removed} has another order of arguments than {layer.name}: name all but the first", call)
                return None
            self.names.notes.append(leftovers.read_as(removed))
        current = keras_1.kernel_today(layer, call)
        node = self._node(layer, current)
        self.declared.says[call] = self.declared.of(current)
        return node

    def _made(self, tree: ast.expr) -> Any:
        """The layer in an argument; ``MISSING`` if it is something else."""
        if isinstance(tree, ast.Call) and self.classes.names_a_layer(tree.func):
            return self.layer(tree)
        held = self.held(tree) if isinstance(tree, ast.Name | ast.Attribute) else None
        return MISSING if held is None else held

    def _node(self, layer: LayerClass, call: ast.Call) -> Node | None:
        before, left_out = len(self.source.problems), self._left_out
        values, known = self.arguments.of(layer, call)
        required = [name for name, default in layer.usual.items() if default is REQUIRED]
        missing = [name for name in required if name not in values]
        # A misspelt keyword is reported once, not also as a missing argument.
        if missing and len(self.source.problems) == before:
            self.source.rejected(f"{layer.name} needs {' and '.join(missing)}", call)
        if len(self.source.problems) > before:
            if layer.kind not in _ASKED and not any(isinstance(known.kind, Nested) for known in layer.arguments):
                self.source.set_aside(before)
            return None
        node = self.settings.applied(Node.of(layer, values))
        if not known or (layer.kind == "stack" and self._left_out > left_out):
            self._partly.append(node)
        for problem in () if node.without_rule else layer.check(node):
            self.source.rejected(f"{problem.key}: {problem.message}" if problem.key else problem.message, call)
        self.declared.read(node, call)
        return node if len(self.source.problems) == before else None

    def value(self, argument: Argument, layer: LayerClass, tree: ast.expr) -> Any:
        """The value of an argument; None after an error."""
        if isinstance(argument.kind, Nested):
            return self._nested(argument, argument.kind, layer, tree)
        if any(map(self.is_tensor, tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree])):
            said = self.source.said(tree)
            self.wrong(f"{layer.name}({said}) only makes the layer: call it on tensors, {layer.name}(…)({said})", tree)
            return None
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.JoinedStr) and isinstance(known := self.names.known(tree), str):
            tree = constant(known, tree)
        if self.objects.reads(argument, tree) and self.names.known(tree) is MISSING:
            return self.objects.read(argument, layer, tree)
        if self.names.reads(tree):
            return self.by_name.value(argument, tree)
        before = len(self.source.problems)
        value = argument.kind.meant(self._literal(tree))
        if len(self.source.problems) == before and not argument.kind.accepts(value):
            not_taken(self.source, argument, value, tree)
        return value

    def _nested(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Any:
        if kind.none and is_none(tree):
            return None
        if kind.many and (held := self.held_list(tree)) is not None:
            self.names.notes += shared(held, [tree] * len(held))
            return tuple(self._checked(node, kind, layer, tree) for node in held)
        trees = self.lists.listed(tree) if kind.many else None
        if trees is None and kind.many and isinstance(tree, ast.Name | ast.Attribute):
            trees = self.lists.items(tree)
        if trees is not None:
            items = trees
            if layer.kind == "stack":
                behind = self.declared.behind_input(trees)
                items = self._known(behind)
                # The input of a layer after an unknown one is not the input of the stack.
                trees = items if items[:1] != behind[:1] else trees
            if not items:
                self.wrong(f"{argument.name}: must be a list of at least one {kind.role}", tree)
            found = tuple(self._one(argument, kind, layer, item) for item in items)
            self.names.notes += shared(found, items)
            if layer.kind == "stack" and items[:1] == trees[:1] and items and found[0] is not None:
                self.declared.built_on(items[0], found[0])
            self.declared.together(tree, trees, items)
            if layer.kind == "stack":  # the layers of a named model are listed one by one
                pairs = zip(found, items, strict=True)
                return tuple(
                    part
                    for one, item in pairs
                    for part in (one.in_turn if one and isinstance(item, ast.Name | ast.Attribute) else (one,))
                )
            return found
        one = self._one(argument, kind, layer, tree)
        # RNN takes one cell or a list; the other classes take only a list.
        if one is not None and kind.many and layer.name != "RNN":
            self.wrong(f"{argument.name} must be a list: [{one.text}]", tree)
        return one

    def _one(self, argument: Argument, kind: Nested, layer: LayerClass, tree: ast.expr) -> Node | None:
        if not isinstance(
            tree, ast.Call | ast.BinOp | ast.Name | ast.Attribute | ast.IfExp | ast.Subscript | ast.NamedExpr
        ):
            self.wrong(f"{argument.name} of {layer.name} must be {kind.allowed}", tree)
            return None
        node = self.layer(tree)
        return None if node is None else self._checked(node, kind, layer, tree)

    def _checked(self, node: Node, kind: Nested, layer: LayerClass, tree: ast.expr) -> Node:
        if node.cls.kind not in (*_ROLES[kind.role], IMPORTED):
            self.wrong(wrong_role(layer, node, kind), tree)
        return node

    def _known(self, trees: list[ast.expr]) -> list[ast.expr]:
        """The layers from the first known one to the next unknown one, with a note on those that are left out."""
        unknown = [self._unknown(tree) for tree in trees]
        first = next((place for place, name in enumerate(unknown) if name is None), 0)
        last = next((place for place, name in enumerate(unknown) if name and place > first), len(trees))
        self.names.notes += [not_known(name, "starts after") for name in unknown[:first] if name]
        self.names.notes += [not_known(name) for name in unknown[last : last + 1] if name]
        self._left_out += last < len(trees)
        return trees[first:last]

    def _unknown(self, tree: ast.expr) -> str | None:
        """The name of an unknown class, unless it looks like a misspelt known one."""
        tree = self.names.resolved(tree)  # a layer that a name holds
        name = dotted(tree.func) if isinstance(tree, ast.Call) else None
        short = (name or "").rpartition(".")[2]
        slips = not is_unread(short) and nearest(short, TABLE)
        if name is None or not short[:1].isupper() or slips or leftovers.of_class(short):
            return None
        return None if isinstance(tree, ast.Call) and self.classes.names_a_layer(tree.func) else name

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
            case _:
                self.wrong("a literal is expected here: a number, a string, True, False, None, a list or a tuple", tree)
        return None
