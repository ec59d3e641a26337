"""What the names of a program hold: layers, models, tensors; and what is asked of them in the end."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from rnnshape.layers import TABLE, Node
from rnnshape.reading.calling import Called, Reader
from rnnshape.reading.chain import Step, beside, in_turn, stacked
from rnnshape.reading.constructors import Constructors
from rnnshape.reading.declared import Declared, agreed, warnings_of
from rnnshape.reading.parsed import Parsed
from rnnshape.reading.syntax import called, dotted
from rnnshape.reading.tensors import INPUTS, Tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.reading.naming import Names
    from rnnshape.reading.syntax import Source


@dataclass(eq=False, slots=True)
class Layer:
    """A layer or cell that the text makes; ``used`` where another layer holds it or it is called."""

    node: Node
    tree: ast.expr
    used: bool = False
    name: str | None = None


@dataclass(eq=False, slots=True)
class Model:
    """A Sequential model: its layers as far as they are added, and what is said of its input."""

    layers: list[Layer] = field(default_factory=list)
    said: list[Declared] = field(default_factory=list)
    used: bool = False
    name: str | None = None


@dataclass(eq=False, slots=True)
class Tensor:
    """A tensor: the calls that it comes out of, one after another, and what the first of them is called on.

    ``path`` says which of the last call's results it is; ``targets`` into how many names the whole is unpacked.
    """

    steps: tuple[Step, ...] = ()
    root: ast.expr | None = None
    path: tuple[int, ...] = ()
    used: bool = False
    targets: int | None = None
    name: str | None = None


Made = TypeVar("Made", Layer, Model, Tensor)


class Values:
    """The values of one program, and the readers that make them."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names
        self.tensors = Tensors(source, names)
        self.layers = Constructors(source, self.tensors)
        self.layers.held = self._held
        self.lists = self.layers.lists
        self.aliases = self.layers.aliases
        self.calls = Reader(source, self.tensors)
        self.env: dict[str, Any] = {}
        self.made: list[Layer | Model | Tensor] = []
        self.notes: dict[str, None] = {}

    def note(self, message: str, tree: ast.expr) -> None:
        """Tell what is not understood, with its line."""
        self.notes[f"line {tree.lineno}: {message}"] = None

    def bind(self, name: str, value: Any) -> None:
        """Bind a value to a name, which is also that of a layer or model without one."""
        self.env[name] = value
        if isinstance(value, Layer | Model | Tensor) and value.name is None:
            value.name = name.removeprefix("self.")

    def touches(self, function: ast.expr) -> bool:
        """Whether a call of this may make, add or call a layer."""
        last = (dotted(function) or "").rpartition(".")[2]
        return last in TABLE or last in INPUTS or last == "add" or self.source.said(function) in self.env

    def _held(self, tree: ast.expr) -> Node | None:
        """The layer that a name holds; another layer or a list takes it in."""
        value = self.env.get(self.source.said(tree))
        if isinstance(value, Layer | Model):
            value.used = True
        return value.node if isinstance(value, Layer) else _node(value) if isinstance(value, Model) else None

    # -- expressions ----------------------------------------------------------------------------

    def of(self, tree: ast.expr, value: Callable[[ast.expr], Any], targets: int | None = None) -> Any:
        """What an expression makes; ``value`` reads the expressions within it."""
        match tree:
            case ast.Name() | ast.Attribute():
                return self.env.get(self.source.said(tree))
            case ast.Subscript():
                return self._part(tree, value)
            case ast.BinOp(op=ast.BitOr()):
                return self._layer(tree)
            case ast.ListComp():
                items = self.lists.unrolled(tree)
                return None if items is None else [value(item) for item in items]
            case ast.Call():
                return self._call(tree, value, targets)
        return None

    def _call(self, tree: ast.Call, value: Callable[[ast.expr], Any], targets: int | None) -> Any:
        """What a call makes: a constructor's layer, an input, or what a layer returns."""
        last = called(tree)
        if last == "add" and isinstance(tree.func, ast.Attribute) and len(tree.args) == 1:
            return self._add(tree.func.value, tree.args[0], value)
        if last in INPUTS:
            return Tensor(root=tree)
        if last == "Sequential" and not [*tree.args, *(k for k in tree.keywords if k.arg == "layers")]:
            return self._new(Model())
        if self.layers.names_a_layer(tree.func):
            return self._layer(tree)
        layer = self._callee(tree.func, value)
        if layer is not None:
            return self._called(layer, tree, value, targets)
        self._passed_over(tree, value)
        return None

    def _part(self, tree: ast.Subscript, value: Callable[[ast.expr], Any]) -> Any:
        """An item of a list of layers or of a call's results; a slice of a tensor is another tensor."""
        whole = value(tree.value)
        index = self.names.known(tree.slice)
        if isinstance(whole, tuple | list) and type(index) is int and -len(whole) <= index < len(whole):
            return whole[index]
        if isinstance(whole, Tensor) and not whole.path and type(index) is int and _several(whole):
            return replace(whole, path=(index,))
        return None

    def _layer(self, tree: ast.expr) -> Layer | Model | None:
        node = self.layers.layer(tree)
        if node is None:
            return None
        if node.cls.kind != "stack":
            return self._new(Layer(node, tree))
        trees = [*in_turn(tree)]
        trees = trees if len(trees) == len(node["layers"]) else [tree] * len(node["layers"])
        parts = [Layer(part, own, used=True) for part, own in zip(node["layers"], trees, strict=True)]
        return self._new(Model(parts, [*self.layers.says.get(tree, ())]))

    def _new(self, value: Made) -> Made:
        self.made.append(value)
        return value

    def _add(self, receiver: ast.expr, tree: ast.expr, value: Callable[[ast.expr], Any]) -> None:
        """``model.add(layer)``; a model that the text does not make begins here."""
        name = self.source.said(receiver)
        model, added = self.env.get(name), value(tree)
        if not isinstance(added, Layer | Model | Tensor):
            if isinstance(tree, ast.Call) and isinstance(model, Model):
                self.note(f"{self.source.said(tree.func)} is not known: it is left out", tree)
            return
        if not isinstance(model, Model):
            model = self._new(Model())
            self.bind(name, model)
        if isinstance(added, Tensor):
            if added.root is not None and not added.steps:
                model.said.append(Declared(self.tensors.fed(added.root), added.root))
            return
        added.used = True
        if not model.layers:
            model.said += self.layers.says.get(added.tree, ()) if isinstance(added, Layer) else added.said
        model.layers += [added] if isinstance(added, Layer) else added.layers

    def _callee(self, function: ast.expr, value: Callable[[ast.expr], Any]) -> Layer | Model | None:
        made = (
            value(function)
            if isinstance(function, ast.Name | ast.Attribute | ast.Call | ast.BinOp | ast.Subscript)
            else None
        )
        return made if isinstance(made, Layer | Model) else None

    def _called(
        self, layer: Layer | Model, call: ast.Call, value: Callable[[ast.expr], Any], targets: int | None
    ) -> Tensor | None:
        """A call: what comes out stands behind what the layer is called on."""
        layer.used = True
        node = _node(layer) if isinstance(layer, Model) else layer.node
        if node is None:
            return None
        before = len(self.source.problems)
        tree, beside_it = self.calls.read(node, call)
        if len(self.source.problems) > before or tree is None:
            return None
        fed = value(tree)
        step = Step(node, layer.tree if isinstance(layer, Layer) else call, beside_it)
        if isinstance(fed, Tensor) and (not fed.path or not _several(fed)):
            fed.used = True
            return self._new(Tensor((*fed.steps, step), fed.root, targets=targets))
        if isinstance(fed, Tensor):
            self.note(f"{self.source.said(tree)} is one of several results: its shape is not followed from there", tree)
            fed.used = True
            return self._new(Tensor((step,), None, targets=targets))
        if isinstance(fed, tuple | list):
            return None
        return self._new(Tensor((step,), tree, targets=targets))

    def taken_apart(self, value: Any, target: ast.Tuple | ast.List) -> list[Any]:
        """The items of a value that is unpacked; the results of a call are parts of one tensor."""
        count = len(target.elts)
        if isinstance(value, tuple | list) and len(value) == count:
            return list(value)
        if isinstance(value, Tensor) and value.steps:
            return [replace(value, path=(index,), used=True) for index in range(count)]
        return [None] * count

    def _passed_over(self, call: ast.Call, value: Callable[[ast.expr], Any]) -> None:
        """A call that is not known: told where a layer's result goes in and something else comes out."""
        if isinstance(call.func, ast.Attribute):
            value(call.func.value)
        for tree in [*call.args, *(keyword.value for keyword in call.keywords)]:
            value(tree)

    # -- what is asked --------------------------------------------------------------------------

    def asked(self) -> list[Parsed]:
        """What the text makes and does not use itself; beside recurrent layers nothing else is asked about."""
        found = [value for value in self.made if not value.used and not (isinstance(value, Model) and not value.layers)]
        found += [value for value in self.made if isinstance(value, Tensor) and value.used and self._ends(value)]
        found.sort(key=self.made.index)
        recurrent = [value for value in found if any(map(_loops, _nodes(value)))]
        return [self._parsed(value) for value in recurrent or found]

    def _ends(self, tensor: Tensor) -> bool:
        """Whether the chain of a tensor that is used goes on in no other one."""
        return not any(
            isinstance(other, Tensor) and other is not tensor and other.steps[: len(tensor.steps)] == tensor.steps
            for other in self.made
        )

    def _parsed(self, value: Layer | Model | Tensor) -> Parsed:
        said: list[Declared] = []
        beside_it, targets = Called(), None
        if isinstance(value, Tensor):
            node, trees = stacked(value.steps), [step.tree for step in value.steps]
            beside_it, targets = beside(value.steps, self.source), value.targets
            if value.root is not None:
                said.append(Declared(self.tensors.fed(value.root), value.root))
            said += self.layers.says.get(trees[0], ())
        elif isinstance(value, Model):
            node, trees = _whole(value), [layer.tree for layer in value.layers]
            said += value.said
        else:
            node, trees = value.node, [value.tree]
            said += self.layers.says.get(value.tree, ())
        places = tuple(self.source.place(part) for tree in trees for part in in_turn(tree))
        warned = [keyword for keyword in self.layers.warned if any(_within(keyword, tree) for tree in trees)]
        notes = (*self.notes, *self.names.notes, *self.layers.objects.notes, *warnings_of(warned, said))
        return Parsed(
            node,
            self.source.text,
            targets,
            beside_it,
            places,
            agreed(said, self.source),
            tuple(dict.fromkeys(notes)),
            self.names.standing_in(node),
            self.names.left_open(),
            self.names.there,
            value.name,
        )


def _node(model: Model) -> Node | None:
    return _whole(model) if model.layers else None


def _whole(model: Model) -> Node:
    layers = tuple(part for layer in model.layers for part in layer.node.in_turn)
    return layers[0] if len(layers) == 1 else Node.of(TABLE["Sequential"], {"layers": layers})


def _several(tensor: Tensor) -> bool:
    """Whether the last call returns more than one tensor."""
    last = tensor.steps[-1].node if tensor.steps else None
    if last is None:
        return False
    inner = [part for part in last.walk() if part.has("return_state")]
    return any(part["return_state"] for part in inner) or (last.has("merge_mode") and last["merge_mode"] is None)


def _nodes(value: Layer | Model | Tensor) -> Iterator[Node]:
    if isinstance(value, Tensor):
        yield from (step.node for step in value.steps)
    elif isinstance(value, Model):
        yield from (layer.node for layer in value.layers)
    else:
        yield value.node


def _loops(node: Node) -> bool:
    return any(part.cls.kind in ("recurrent", "cell") for part in node.walk())


def _within(keyword: ast.keyword, tree: ast.expr) -> bool:
    return any(part is keyword for part in ast.walk(tree))
