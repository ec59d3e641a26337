"""What the names of a program hold: layers, models, tensors, and the calls that they come out of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypeVar

from rnnshape.layers import TABLE, Node
from rnnshape.layers.base import Given, Leaf
from rnnshape.layers.dims import Dim
from rnnshape.layers.merges import MERGES
from rnnshape.layers.node import IMPORTED
from rnnshape.layers.operations import OPERATIONS
from rnnshape.reading import leftovers
from rnnshape.reading.calling import Called, Reader, signature, states_apart
from rnnshape.reading.chain import in_turn, is_called
from rnnshape.reading.constructors import Constructors
from rnnshape.reading.declared import Declared
from rnnshape.reading.made import Applied, Functional, Layer, Model, Tensor, behind, tensors_in, whole
from rnnshape.reading.mistakes import OWN, not_known
from rnnshape.reading.syntax import called, dotted, is_none, joined
from rnnshape.reading.tensors import INPUTS, Tensors, makes
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.naming import Names
    from rnnshape.reading.syntax import Source


_MOST_TIMES = 64
Made = TypeVar("Made", Layer, Model, Applied)


class Values:
    """The values of one program, and the readers that make them."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names
        self.tensors = Tensors(source, names)
        self.layers = Constructors(source, self.tensors)
        self.layers.held = self._held
        self.layers.fed = self._input
        self.lists = self.layers.lists
        self.lists.held = self.names.count = self._count
        self.aliases = self.layers.aliases
        self.calls = Reader(source, self.tensors)
        self.calls.held = lambda tree: self.source.said(tree) in self.env
        self.env: dict[str, Any] = {}
        self.made: list[Layer | Model | Applied] = []
        self.notes: dict[str, None] = {}
        self.outputs: list[list[Tensor]] = []

    def note(self, message: str, tree: ast.expr) -> None:
        """Tell what is not understood, with its line."""
        self.notes[f"line {tree.lineno}: {message}"] = None

    def bind(self, name: str, value: Any) -> None:
        """Bind a value to a name, which is also that of a layer or model without one."""
        self.env[name] = value
        if isinstance(value, Layer | Model | Tensor) and value.name is None:
            value.name = name.removeprefix("self.")
        if isinstance(value, Tensor) and value.call is not None and name.isidentifier():
            value.call.names.setdefault(name, value.path)

    def touches(self, function: ast.expr) -> bool:
        """Whether a call of this may make, add or call a layer."""
        last = (dotted(function) or "").rpartition(".")[2]
        return (
            last in TABLE
            or last in MERGES
            or last in INPUTS
            or last == "add"
            or self.source.said(function) in self.env
            or self.layers.names_a_layer(function)
        )

    def _held(self, tree: ast.expr) -> Node | None:
        """The layer that a name holds; another layer or a list takes it in."""
        value = self._there(tree)
        if isinstance(value, Layer | Model):
            value.used = True
        return value.node if isinstance(value, Layer) else _node(value) if isinstance(value, Model) else None

    def _there(self, tree: ast.expr) -> Any:
        """What a name holds, or an item of the list that it holds."""
        if isinstance(tree, ast.Subscript):
            return self._part(tree, self._there)
        return self.env.get(self.source.said(tree)) if isinstance(tree, ast.Name | ast.Attribute) else None

    def _count(self, tree: ast.expr) -> int | None:
        """How many layers or tensors are in the list that a name holds, or come out of the call."""
        value = self._there(tree)
        items = self._parts(value) or None if isinstance(value, Tensor) else value
        return len(items) if isinstance(items, tuple | list) else None

    def _input(self, tree: ast.expr) -> ast.expr | None:
        """Where the input is made that a name holds."""
        value = self._there(tree)
        return value.root if isinstance(value, Tensor) and value.root is not None and makes(value.root) else None

    # -- expressions ----------------------------------------------------------------------------

    def of(self, tree: ast.expr, value: Callable[[ast.expr], Any], targets: int | None = None) -> Any:
        """What an expression makes; ``value`` reads the expressions within it."""
        match tree:
            case ast.Name() | ast.Attribute():
                return self.env.get(self.source.said(tree))
            case ast.Subscript():
                return self._part(tree, value)
            case ast.BinOp(op=ast.BitOr()):
                return self._layer(tree) if any(map(self._makes_one, joined(tree))) else None
            case ast.NamedExpr(value=inner):
                return value(inner)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() as op):
                return self._arithmetic(tree, op, value)
            case ast.ListComp():
                items = self.lists.unrolled(tree)
                return None if items is None else [value(item) for item in items]
            case ast.Call():
                return self._call(tree, value, targets)
        return None

    def _call(self, tree: ast.Call, value: Callable[[ast.expr], Any], targets: int | None) -> Any:
        """What a call makes: a constructor's layer, an input, or what a layer returns."""
        last = called(tree)
        merged = self._merging(tree) if last in MERGING and self._there(tree.func) is None else []
        if last == "add" and isinstance(tree.func, ast.Attribute) and len(merged) == 1 and self._one(merged[0]):
            return self._add(tree.func.value, merged[0], value)
        if last in INPUTS:
            return Tensor(root=tree, then=self.names.now)
        if last == "Model":
            return self._model(tree, value)
        if merged:
            return self._merged(tree, merged, value)
        if last == "Sequential" and (begun := self._begun(tree)) is not None:
            return begun
        if self.layers.names_a_layer(tree.func):
            return self._layer(tree)
        layer = self._callee(tree.func, value)
        if isinstance(layer, Functional):
            return self._again(layer, tree, value)
        if layer is not None:
            return self._called(layer, tree, value, targets)
        self._passed_over(tree, value)
        return None

    def _makes_one(self, tree: ast.expr) -> bool:
        """Whether a layer stands here, and no flag such as ``re.M``."""
        return self._held(tree) is not None or (isinstance(tree, ast.Call) and self.touches(tree.func))

    def _begun(self, tree: ast.Call) -> Model | None:
        """A Sequential without layers, perhaps with its input: they are added later."""
        given = [*tree.args, *(keyword.value for keyword in tree.keywords if keyword.arg == "layers")]
        listed = self.lists.listed(given[0]) if given else []
        inputs = [one if called(one) in INPUTS else self._input(one) for one in listed or ()]
        if listed is None or None in inputs:
            return None
        said = [Declared(self.tensors.fed(one), one) for one in inputs if one is not None]
        return self._new(Model(said=said))

    def _arithmetic(self, tree: ast.BinOp, op: ast.operator, value: Callable[[ast.expr], Any]) -> Any:
        """``x + y`` of two tensors is what Add computes; of two lists the list of both."""
        left, right = value(tree.left), value(tree.right)
        if isinstance(left, list) and isinstance(right, list) and isinstance(op, ast.Add):
            return [*left, *right]
        if isinstance(left, list) and isinstance(op, ast.Mult):
            times = self.names.known(tree.right)
            return left * times if type(times) is int and 0 <= times * len(left) <= _MOST_TIMES else None
        left = value(tree.left) if left is None and isinstance(right, Tensor) else left  # x + LSTM(8)(x)
        if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
            if isinstance(left, Tensor) or isinstance(right, Tensor):
                self.note(f"{self.source.said(tree)} is not followed: what is before it is answered", tree)
            return None
        node = Node.of(OPERATIONS[SIGNS[type(op)]], {})
        return Tensor(call=self._new(Applied(Layer(node, tree, used=True), node, tree, [left, right], Called())))

    def _part(self, tree: ast.Subscript, value: Callable[[ast.expr], Any]) -> Any:
        """An item of a list of layers or of a call's results; a slice of a tensor is another tensor."""
        said = self.source.said(tree)
        if isinstance(tree.slice, ast.Constant) and said.endswith("]") and said in self.env:
            return self.env[said]  # layers["encoder"] = LSTM(8)
        whole = value(tree.value)
        items = self._parts(whole) if isinstance(whole, Tensor) else whole
        if not isinstance(items, tuple | list):
            return None
        where = tree.slice
        if isinstance(where, ast.Slice) and where.step is None:
            first, last = (None if end is None else self.names.known(end) for end in (where.lower, where.upper))
            return list(items[first:last]) if all(end is None or type(end) is int for end in (first, last)) else None
        index = self.names.known(where)
        return items[index] if type(index) is int and -len(items) <= index < len(items) else None

    def _parts(self, tensor: Tensor) -> list[Tensor]:
        """The results of a call, where the tensor is the whole of several."""
        if tensor.call is None or tensor.path:
            return []
        return [Tensor(call=tensor.call, path=(index,)) for index in range(len(tensor.call.results))]

    def _layer(self, tree: ast.expr) -> Layer | Model | None:
        node = self.layers.layer(tree)
        if node is None:
            return None
        if node.cls.kind != "stack":
            return self._new(Layer(node, tree))
        trees = [*in_turn(tree)]
        trees = trees if len(trees) == len(node["layers"]) else [tree] * len(node["layers"])
        parts = [Layer(part, own, used=True) for part, own in zip(node["layers"], trees, strict=True)]
        missing = "behind" if self.layers.knows_part(node) else ""
        return self._new(Model(parts, [*self.layers.says.get(tree, ())], missing=missing))

    def _new(self, value: Made) -> Made:
        self.made.append(value)
        return value

    def _add(self, receiver: ast.expr, tree: ast.expr, value: Callable[[ast.expr], Any]) -> None:
        """``model.add(layer)``; a model that the text does not make begins here."""
        name = self.source.said(receiver)
        model, added = self.env.get(name), value(tree)
        if not isinstance(added, Layer | Model | Tensor):
            if isinstance(tree, ast.Call) and isinstance(model, Model):
                said = self.source.said(tree.func)
                gone = leftovers.of_class(called(tree))
                why = f"{said} {gone}" if gone else f"{said} is not known; {OWN}"
                self.note(f"{why}; the layers behind it are answered as a model of their own", tree)
                self.bind(name, self._new(Model(name=model.name, missing="front")))
            return
        if not isinstance(model, Model) or model.missing == "behind":
            model = self._new(Model(missing="front" if isinstance(model, Model) else ""))
            self.bind(name, model)
        if isinstance(added, Tensor):
            if added.root is not None:
                model.said.append(Declared(self.tensors.fed(added.root), added.root))
            return
        added.used = True
        if not model.layers:
            model.said += self.layers.says.get(added.tree, ()) if isinstance(added, Layer) else added.said
        model.layers += [added] if isinstance(added, Layer) else added.layers

    def _callee(self, function: ast.expr, value: Callable[[ast.expr], Any]) -> Layer | Model | Functional | None:
        made = value(function)
        return made if isinstance(made, Layer | Model | Functional) else None

    def _again(self, model: Functional, call: ast.Call, value: Callable[[ast.expr], Any]) -> Any:
        """What a model of functional calls returns for other tensors; its own calls are no answer of their own then."""
        fed = self._several(call, value) or []
        if len(fed) != len(model.inputs):
            return None
        outputs, calls = model.on(fed)
        self.made = [*(made for made in self.made if all(made is not own for own in model.calls)), *calls]
        own = {id(one) for one in model.calls}
        self.outputs = [said for said in self.outputs if not any(id(tensor.call) in own for tensor in said)]
        return outputs

    def _called(
        self, layer: Layer | Model, call: ast.Call, value: Callable[[ast.expr], Any], targets: int | None
    ) -> Tensor | None:
        """A call, and what comes out of it."""
        layer.used = True
        node = _node(layer) if isinstance(layer, Model) else layer.node
        if node is None:
            return None
        own = layer.tree if isinstance(layer, Layer) else call
        if node.cls.kind == "merge":
            fed = self._several(call, value)
            if fed is None or len(fed) < 2:
                self._wrong_merge(node, call)
                return None
            return Tensor(call=self._new(Applied(layer, node, own, fed, Called(), targets=targets)))
        several = call.args and (len(call.args) > 1 or isinstance(call.args[0], ast.List | ast.Tuple))
        if node.cls.kind == IMPORTED and several and (fed := self._several(call, value)):
            return Tensor(
                call=self._new(
                    Applied(layer, node, own, fed, Called(), targets=targets, results=_results(node, targets))
                )
            )
        before = len(self.source.problems)
        call = states_apart(node, call)
        tree, beside_it = self.calls.read(node, call)
        if len(self.source.problems) > before or tree is None:
            return None
        states = _states_of(node, call)
        if states is not None and self.names.known(states) is None:
            states = None
        inputs = [self._tensor(tree, value(tree))]
        applied = Applied(layer, node, own, inputs, beside_it, targets=targets, results=_results(node, targets))
        if states is not None:
            applied.states = self._nested(states, value)
        self._new(applied)
        return Tensor(call=applied)

    def _several(self, call: ast.Call, value: Callable[[ast.expr], Any]) -> list[Tensor] | None:
        """The inputs of a call that merges them, in a list or one by one; None where one of a held list is none."""
        named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg in _MERGED}
        trees = [*call.args, *(named[name] for name in _MERGED if name in named)]
        if len(trees) == 1:
            listed = self.lists.listed(trees[0])
            if listed is None and isinstance(held := value(trees[0]), tuple | list):
                return [one for one in held if isinstance(one, Tensor)] if all(held) else None
            trees = trees if listed is None else listed
        return [self._tensor(tree, value(tree)) for tree in trees]

    def _wrong_merge(self, node: Node, call: ast.Call) -> None:
        """A layer that merges is called on one tensor."""
        inputs = "(query, value)" if node.name == "MultiHeadAttention" else "([a, b])"
        self.source.wrong(f"{node.name} takes several tensors: {node.name}(…){inputs}", call)

    def _one(self, tree: ast.expr) -> bool:
        """Whether a single value stands here, and no name of a list."""
        return not isinstance(self._there(tree), tuple | list)

    def _is_operation(self, function: ast.expr) -> bool:
        """Whether a function is one of tensors, ``ops.add``, and not one that calls a layer, ``layers.add``."""
        name = self.layers.imported_as(dotted(function) or "")
        return bool(_OF_TENSORS.intersection(name.split(".")[-2:-1]))

    def _merging(self, tree: ast.Call) -> list[ast.expr]:
        """What a function that merges is called on: the items of its list, else each tensor by itself."""
        if self._is_operation(tree.func) and MERGING[called(tree)] not in OPERATIONS:
            return []  # ops.average is not what the layer computes
        named = [keyword.value for keyword in tree.keywords if keyword.arg in _LISTED]
        if not (given := [*tree.args, *named]):
            return []
        listed = self.lists.listed(given[0])
        apart = given[:1] if MERGING[called(tree)] in ("Concatenate", "Dot") else given[:2]
        return apart if listed is None else listed

    def _merged(self, tree: ast.Call, trees: list[ast.expr], value: Callable[[ast.expr], Any]) -> Tensor | None:
        """``concatenate([a, b])``: Keras' functions that make a merging layer and call it."""
        name = MERGING[called(tree)]
        cls = OPERATIONS[name] if self._is_operation(tree.func) else MERGES[name]
        found = [(one, value(one)) for one in trees]
        if len(found) == 1 and isinstance(found[0][1], tuple | list):
            found = [(trees[0], one) for one in found[0][1]]
        if len(found) < 2 or not any(isinstance(one, Tensor) for _, one in found):
            return None  # max, say, of two numbers
        along = dict(zip(list(cls.by_name)[:1], tree.args[1:], strict=False))  # concatenate([a, b], 1)
        along |= {keyword.arg: keyword.value for keyword in tree.keywords if keyword.arg in ("axis", "axes")}
        given = {name: _tupled(self.names.known(one)) for name, one in along.items() if name in cls.by_name}
        given = {name: one for name, one in given.items() if cls.by_name[name].kind.accepts(one)}
        if cls.name == "Dot" and not given:
            self.note(f"{self.source.said(tree)} is not followed: its axes are not known", tree)
            return None
        fed = [self._tensor(one, what) for one, what in found]
        node = Node.of(cls, given)
        return Tensor(call=self._new(Applied(Layer(node, tree, used=True), node, tree, fed, Called())))

    def _model(self, tree: ast.Call, value: Callable[[ast.expr], Any]) -> Functional | None:
        """``Model(inputs, outputs)``: what the code takes as the result."""
        named = {keyword.arg: keyword.value for keyword in tree.keywords}
        given = dict(zip(("inputs", "outputs"), tree.args, strict=False))
        inputs, outputs = (given.get(name, named.get(name)) for name in ("inputs", "outputs"))
        if outputs is None:
            return None
        made = value(outputs)
        self.outputs.append(list(tensors_in(made)))
        needed = behind(self.outputs[-1])
        calls = [call for call in self.made if isinstance(call, Applied) and id(call) in needed]
        return Functional(list(tensors_in(value(inputs))) if inputs is not None else [], made, calls)

    def _tensor(self, tree: ast.expr, found: Any) -> Tensor:
        """The tensor that stands there; what is not known is an input, the same one under the same name."""
        if isinstance(found, Tensor):
            return found
        if self._from_a_call(self.names.resolved(tree)):
            self.note(f"{self.source.said(tree)} is not followed: its shape is not that of the code here", tree)
        made = Tensor(root=tree)
        if isinstance(tree, ast.Name):
            self.bind(tree.id, made)
        return made

    def _from_a_call(self, tree: ast.expr) -> bool:
        """Whether the result of a layer goes into what is not read, such as ``tf.reverse(h, [1])`` or ``h[:, -1]``."""
        if any(is_called(part) for part in ast.walk(tree) if isinstance(part, ast.expr)):
            return True
        names = (part for part in ast.walk(tree) if isinstance(part, ast.Name | ast.Attribute))
        held = (self.env.get(self.source.said(part)) for part in names)
        return any(tensor.call is not None for one in held for tensor in tensors_in(one))

    def _nested(self, tree: ast.expr, value: Callable[[ast.expr], Any]) -> Any:
        """The states that a call passes, as they nest; the whole of several results is a list of them."""
        tree = self.names.resolved(tree)
        if isinstance(tree, ast.List | ast.Tuple):
            return [self._nested(item, value) for item in tree.elts]
        return value(tree)

    def taken_apart(self, value: Any, target: ast.Tuple | ast.List) -> list[Any]:
        """The items of a value that is unpacked; what stands behind a ``*`` gets a list."""
        if isinstance(value, Tensor):
            value = self._parts(value)
        count = len(target.elts)
        star = next((index for index, one in enumerate(target.elts) if isinstance(one, ast.Starred)), None)
        if not isinstance(value, tuple | list) or len(value) < count - (star is not None):
            return [None] * count
        if star is None:
            return list(value) if len(value) == count else [None] * count
        behind = count - star - 1
        middle = list(value[star : len(value) - behind])
        return [*value[:star], middle, *value[len(value) - behind :]]

    def _passed_over(self, call: ast.Call, value: Callable[[ast.expr], Any]) -> None:
        """A call that is not known: told where a layer's result goes in and something else comes out."""
        if isinstance(call.func, ast.Attribute):
            value(call.func.value)
        given = [value(tree) for tree in [*call.args, *(keyword.value for keyword in call.keywords)]]
        function = call.func.func if isinstance(call.func, ast.Call) else call.func
        if called(call)[:1].islower() or not any(isinstance(one, Tensor) and one.call for one in given):
            return  # a method or a function: what it gives is another tensor
        self.note(not_known(self.source.said(function)), call)


def _node(model: Model) -> Node | None:
    return whole(model) if model.layers else None


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


# Keras' functions that merge, and their layers; TensorFlow's concat is one of them. What they call their list.
MERGING = {
    "concatenate": "Concatenate",
    "concat": "Concatenate",
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "dot": "Dot",
}
_OF_TENSORS = {"ops", "tf", "tensorflow", "math", "K", "backend", "np", "numpy", "jnp"}
_LISTED = ("inputs", "tensors", "values", "xs")
SIGNS: dict[type, str] = {ast.Add: "Add", ast.Sub: "Subtract", ast.Mult: "Multiply"}
_MERGED = ("query", "value", "key", "inputs")


def _results(node: Node, targets: int | None) -> tuple[str, ...]:
    """The roles of the values that a call of the layer returns; none where it is a bare tensor.

    Without a rule for it, into how many names they are unpacked says how many there are.
    """
    letters = node.cls.letters(node, None)
    if node.without_rule:
        return tuple(f"state_{number - 1}" if number else "output" for number in range(targets or 0))
    answer = node.cls.theory(node, Given(tuple(Dim(_ANY, letter) for letter in letters), "float32"))
    if isinstance(answer.returned, Leaf):
        return ()
    return tuple(item.role if isinstance(item, Leaf) else "states" for item in answer.returned)


_ANY = 16


def _states_of(node: Node, call: ast.Call) -> ast.expr | None:
    """Where the states stand in a call, if it passes some."""
    names = signature(node.cls)
    given: dict[str | None, ast.expr] = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    tree = given.get(INITIAL_STATE.name)
    return None if tree is None or is_none(tree) or node.cls.kind == "cell" else tree
