"""Reads the values of expressions: layers, models, tensors, and lists of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE, Node
from rnnshape.layers.merges import MERGES
from rnnshape.reading.code.chain import in_turn
from rnnshape.reading.code.constructors import Constructors
from rnnshape.reading.code.declared import Declared
from rnnshape.reading.code.functional import Calls
from rnnshape.reading.code.keras_1 import merge_today
from rnnshape.reading.code.made import Functional, Layer, Model, Tensor
from rnnshape.reading.code.merging import MERGING, SIGNS, Merging
from rnnshape.reading.code.mistakes import not_known, of_another_library
from rnnshape.reading.code.models import ENDS, Models
from rnnshape.reading.code.operating import Operations
from rnnshape.reading.code.scope import Scope
from rnnshape.reading.code.sequential import Growing
from rnnshape.reading.code.shapes import Shapes
from rnnshape.reading.code.syntax import called, dotted, joined, made_input
from rnnshape.reading.code.tensors import INPUTS, Tensors, makes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.naming import Names


_MOST_TIMES = 64
_CONTAINERS: dict[str, type] = {"list": list, "tuple": tuple}


class Values(Scope):
    """The values of one program, and the readers that create them; ``value`` reads a nested expression."""

    def __init__(self, names: Names, value: Callable[[ast.expr], Any]) -> None:
        super().__init__(names)
        self.value = value
        self.tensors = Tensors(names)
        self.layers = Constructors(self.tensors)
        self.layers.held = self._held
        self.layers.held_list = self._held_list
        self.layers.is_tensor = lambda tree: isinstance(self.env.get(self.source.said(tree)), Tensor)
        self.layers.declared.fed = self._input
        self.lists = self.layers.lists
        self.lists.held = self.names.count = self._count
        shapes = Shapes(self, self.tensors)
        self.names.shaped, self.computed = shapes.of, shapes.computed
        self.classes = self.layers.classes
        self.calls = Calls(self, self.lists, self.tensors, value)
        self.calls.partly = self.layers.knows_part
        self.operations = Operations(self, self.classes, value, self.calls.operated)
        self.merging = Merging(self.calls, self.classes, self.operations)
        self.functional = Models(self, self.tensors, value, self.calls.several)
        self.operations.sizes = shapes.open
        self.growing = Growing(self, self.layers.declared, value)
        self.growing.called = self.calls.called
        # The number of models that became part of another one.
        self.parts_of = 0

    def touches(self, function: ast.expr) -> bool:
        """Whether a call of this function may create, add or call a layer."""
        last = (dotted(function) or "").rpartition(".")[2]
        return (
            last in TABLE
            or last in MERGES
            or last in INPUTS
            or last == "add"
            or self.source.said(function) in self.env
            or self.classes.names_a_layer(function)
        )

    def _held(self, tree: ast.expr) -> Node | None:
        """The layer of a name, which becomes part of another layer or a list; else None."""
        value = self.there(tree)
        if isinstance(value, Layer | Model):
            value.used = True
            if isinstance(value, Model):
                self.parts_of += 1
                self.layers.declared.says[tree] = tuple(value.said)
            return value.node
        if isinstance(value, Functional) and (node := value.stack) is not None:
            self.functional.take_in(value)
            self.parts_of += 1
            return node
        return None

    def _held_list(self, tree: ast.expr) -> list[Node] | None:
        """The layers of a named list, which become part of another layer; else None."""
        held = self.env.get(self.source.said(tree)) if isinstance(tree, ast.Name | ast.Attribute) else None
        if not isinstance(held, tuple | list) or not held or not all(isinstance(one, Layer) for one in held):
            return None
        for one in held:
            one.used = True
        return [one.node for one in held]

    def _count(self, tree: ast.expr) -> int | None:
        """The number of items of a named list of layers or tensors, or of a call's result; else None."""
        value = self.there(tree)
        items = self.parts(value) or None if isinstance(value, Tensor) else value
        return len(items) if isinstance(items, tuple | list) else None

    def _input(self, tree: ast.expr) -> ast.expr | None:
        """The expression that creates the input in a name; else None."""
        value = self.there(tree)
        return value.root if isinstance(value, Tensor) and value.root is not None and makes(value.root) else None

    # -- expressions ----------------------------------------------------------------------------

    def of(self, tree: ast.expr, targets: int | None = None) -> Any:
        """The value of an expression; ``targets`` is the number of names that it is unpacked into."""
        match tree:
            case ast.Name() | ast.Attribute():
                return self._named(tree)
            case ast.Subscript(value=ast.Attribute(attr="layers")) | ast.Call(func=ast.Attribute(attr="get_layer")):
                return self.functional.layer(tree)
            case ast.Subscript():
                whole = self.value(tree.value)
                part = self.part(tree, lambda _: whole)
                return self.merging.sliced(tree, whole) if part is None and isinstance(whole, Tensor) else part
            case ast.BinOp(op=ast.BitOr()):
                return self._layer(tree) if any(map(self._makes_one, joined(tree))) else None
            case ast.NamedExpr(value=inner):
                return self.value(inner)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow() as op):
                return self._arithmetic(tree, op)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.operations.negative(tree, self.value(operand))
            case ast.ListComp() | ast.Call(func=ast.Name(id="list" | "tuple"), args=[_]):
                return self._items(tree)
            case ast.Call():
                return self._call(self._of_today(tree), targets)
        return None

    def _items(self, tree: ast.ListComp | ast.Call) -> list[Any] | tuple[Any, ...] | None:
        if isinstance(tree, ast.Call):
            held = self._operand(tree.args[0])
            return _CONTAINERS[called(tree)](held) if isinstance(held, list | tuple) else None
        items = self.lists.unrolled(tree)
        return None if items is None else [self.value(item) for item in items]

    def _named(self, tree: ast.Name | ast.Attribute) -> Any:
        """The value of a name, or of ``output`` and ``input`` of a model or layer."""
        held = self.env.get(self.source.said(tree))
        if held is not None or not isinstance(tree, ast.Attribute) or tree.attr not in ENDS:
            return held
        match tree.value:
            case (
                ast.Subscript(value=ast.Attribute(value=whole, attr="layers"))
                | ast.Call(func=ast.Attribute(value=whole, attr="get_layer"))
                | whole
            ):
                self._as_calls(whole)
        return self.functional.ends(tree)

    def _as_calls(self, tree: ast.expr) -> None:
        """Turn a Sequential into calls on tensors, which ``model.output`` and ``layer.output`` then are."""
        model = self.there(tree)
        if isinstance(model, Model) and model.layers and not (model.missing or model.used):
            calls = self.growing.as_calls(model, tree)
            self.env |= {name: calls for name, one in self.env.items() if one is model}
            self.models.append(calls)

    def _call(self, tree: ast.Call, targets: int | None) -> Any:
        """The value of a call: a new layer, an input, or the result of a layer."""
        last = called(tree)
        merged = self.merging.arguments(tree) if last in MERGING and self.there(tree.func) is None else []
        if last == "add" and isinstance(tree.func, ast.Attribute) and len(merged) == 1 and self._one(merged[0]):
            return self.growing.add(tree.func.value, merged[0])
        if last in INPUTS:
            return Tensor(root=tree, then=self.names.now)
        if last == "Model":
            return self.functional.model(tree)
        if merged:
            return self.merging.merged(tree, merged)
        if self.operations.reads(tree) and self.there(tree.func) is None:
            return self.operations.of(tree)
        if last == "Sequential" and (begun := self._without_layers(tree) or self._through(tree)) is not None:
            return begun
        if self.classes.names_a_layer(tree.func):
            return self._layer(tree)
        made = self.value(tree.func)
        if isinstance(made, Functional):
            return self.functional.again(made, tree)
        if isinstance(made, Layer | Model):
            return self.calls.called(made, tree, targets)
        return self._unknown(tree)

    def _unknown(self, tree: ast.Call) -> Tensor | None:
        """The result of a TextVectorization, an input of the length that it gives; None, with a note, for others."""
        made = self.names.resolved(tree.func)
        given = {keyword.arg: keyword.value for keyword in made.keywords} if isinstance(made, ast.Call) else {}
        counts = self.names.known(given.get("output_mode", ast.Constant("int"))) != "int"
        if called(made) != "TextVectorization" or counts:
            self._note_unknown(tree)
            return None
        length = ast.Tuple([given.get("output_sequence_length", ast.Constant(None))], ast.Load())
        return Tensor(root=made_input([ast.keyword("shape", length)], tree), then=self.names.now)

    def _of_today(self, tree: ast.Call) -> ast.Call:
        """The call, with Keras 1's merge function replaced by the current one."""
        now = merge_today(tree) if self.there(tree.func) is None else None
        if now is not None:
            self.note(f"merge is from Keras 1: it is read as {called(now)}", tree)
        return now or tree

    def _one(self, tree: ast.expr) -> bool:
        """Whether an expression is a single value, not the name of a list."""
        return not isinstance(self.there(tree), tuple | list)

    def _makes_one(self, tree: ast.expr) -> bool:
        """Whether an expression is a layer, not a flag such as ``re.M``."""
        return self._held(tree) is not None or (isinstance(tree, ast.Call) and self.touches(tree.func))

    def _without_layers(self, tree: ast.Call) -> Model | None:
        """A Sequential without layers, perhaps with its input; its layers are added later."""
        given = [*tree.args, *(keyword.value for keyword in tree.keywords if keyword.arg == "layers")]
        listed = self.lists.listed(given[0]) if given else []
        inputs = [one if called(one) in INPUTS else self._input(one) for one in listed or ()]
        if listed is None or None in inputs:
            return None
        said = [Declared(self.tensors.fed(one), one) for one in inputs if one is not None]
        return self.new(Model(said=said))

    def _through(self, tree: ast.Call) -> Functional | None:
        """A Sequential with a Lambda or a functional model among its layers, as calls; else None."""
        given = [*tree.args, *(keyword.value for keyword in tree.keywords if keyword.arg == "layers")]
        listed = self.lists.listed(given[0]) if given else None
        return self.growing.through(listed) if listed else None

    def _arithmetic(self, tree: ast.BinOp, op: ast.operator) -> Any:
        """``x + y`` of two tensors, which is an Add, or of two lists."""
        left, right = self._operand(tree.left), self._operand(tree.right)
        if isinstance(left, list | tuple) and isinstance(right, list | tuple) and isinstance(op, ast.Add):
            if type(left) is type(right):
                return [*left, *right] if isinstance(left, list) else (*left, *right)
            said = f"{self.source.said(tree)} adds a {type(left).__name__} and a {type(right).__name__}"
            self.fails(f"{said}, which Python rejects: write [*…, *…]", tree)
            return None
        if isinstance(left, list) and isinstance(op, ast.Mult):
            times = self.names.known(tree.right)
            return left * times if type(times) is int and 0 <= times * len(left) <= _MOST_TIMES else None
        left = self.value(tree.left) if left is None and isinstance(right, Tensor) else left  # x + LSTM(8)(x)
        if not (isinstance(left, Tensor) and isinstance(right, Tensor) and type(op) in SIGNS):
            tensor, other = (left, tree.right) if isinstance(left, Tensor) else (right, tree.left)
            if isinstance(tensor, Tensor):
                first, number = tensor is not left, self.names.known(other)
                made = self.operations.with_number(op, tree, tensor, number, first=first)
                if made is not None:
                    return made
                if type(op) in SIGNS and (noise := self.operations.noise(other, tensor)) is not None:
                    return self.merging.combined(op, tree, [noise, tensor] if first else [tensor, noise])
                self.note(f"{self.source.said(tree)} is not followed: the answer ends there", tree)
            return None
        return self.merging.combined(op, tree, [left, right])

    def _operand(self, tree: ast.expr) -> Any:
        """A value; the result of a call with several tensors as a list or tuple."""
        held = self.value(tree)
        if isinstance(held, Tensor):
            return self.parts(held) or held
        return [] if held is None and self.names.known(tree) == () else held

    def _layer(self, tree: ast.expr) -> Layer | Model | None:
        before = self.parts_of
        node = self.layers.layer(tree)
        if node is None:
            return None
        if node.cls.kind != "stack":
            return self.new(Layer(node, tree))
        trees = [*in_turn(tree)]
        count = len(node["layers"])
        nested = self.parts_of > before or any(called(one) == "Sequential" for one in trees)
        trees = trees if len(trees) == count else [tree] * count
        parts = [Layer(part, own, used=True) for part, own in zip(node["layers"], trees, strict=True)]
        missing = "behind" if self.layers.knows_part(node) else ""
        return self.new(Model(parts, [*self.layers.declared.of(tree)], missing=missing, nested=nested))

    def _note_unknown(self, call: ast.Call) -> None:
        """Add a note for a call of an unknown class on the result of a layer."""
        if other := self.classes.elsewhere(call.func):
            self.source.unknown(of_another_library(other, call), call.func)
        if isinstance(call.func, ast.Attribute):
            self.value(call.func.value)
        given = [self.value(tree) for tree in [*call.args, *(keyword.value for keyword in call.keywords)]]
        function = call.func.func if isinstance(call.func, ast.Call) else call.func
        if called(call)[:1].islower() or not any(isinstance(one, Tensor) and one.call for one in given):
            return  # a method or a function, whose result is another tensor
        if isinstance(call.func, ast.Call) and self.classes.names_a_layer(function):
            return  # its error is already reported
        self.note(not_known(self.source.said(function)), call)
