"""What a program makes, as data: layers, models, tensors, and the calls that these come out of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE, Node

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator

    from rnnshape.reading.code.calling import Called
    from rnnshape.reading.code.declared import Declared
    from rnnshape.reading.code.known import Held


@dataclass(eq=False, slots=True)
class Layer:
    """A layer or cell that the text makes; ``used`` where another layer holds it or it is called."""

    node: Node
    tree: ast.expr
    used: bool = False
    name: str | None = None


@dataclass(eq=False, slots=True)
class Model:
    """A Sequential model: its layers as far as they are added, and what is said of its input.

    ``missing`` says where layers of a class that is not known stand: ``"front"``, ``"behind"`` or nowhere.
    """

    layers: list[Layer] = field(default_factory=list)
    said: list[Declared] = field(default_factory=list)
    used: bool = False
    name: str | None = None
    missing: str = ""

    @property
    def node(self) -> Node | None:
        """Its layers as one stack; None before the first is added."""
        return whole(self) if self.layers else None


@dataclass(eq=False, slots=True)
class Tensor:
    """An input of the calls, made where ``root`` stands, or what a call returns; ``path`` says which of its results.

    ``then`` is what the names in ``root`` held there.
    """

    root: ast.expr | None = None
    call: Applied | None = None
    path: tuple[int, ...] = ()
    name: str | None = None
    then: Held | None = None


@dataclass(eq=False, slots=True)
class Applied:
    """A call of a layer: on which tensors, with which states (nested tensors; None where the code has none).

    ``targets`` is into how many names the result is unpacked, ``results`` the roles of its values (none: a bare
    tensor); ``nested`` is of each how many are in its list (0: it is a tensor); ``names`` are the code's names for
    them, by path.
    """

    layer: Layer | Model
    node: Node
    tree: ast.expr
    inputs: list[Tensor]
    called: Called
    states: Any = None
    targets: int | None = None
    results: tuple[str, ...] = ()
    nested: tuple[int, ...] = ()
    names: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Functional:
    """``Model(inputs, outputs)``: calls that are made again on other tensors where the model is called."""

    inputs: list[Tensor]
    outputs: Any
    calls: list[Applied]
    name: str | None = None

    @property
    def returned(self) -> list[Tensor]:
        """The tensors that it returns, without their containers."""
        return [*tensors_in(self.outputs)]

    @property
    def stack(self) -> Node | None:
        """Its layers as one stack, where each is called on what the one before returns; None where they are not."""
        before, layers = self.inputs[0] if len(self.inputs) == 1 else None, [call.layer for call in self.calls]
        for call in self.calls:
            follows = len(call.inputs) == 1 and (call.inputs[0] is before or _is_whole(call.inputs[0], before))
            if not follows or call.states is not None or call.node.cls.operation or call.node.cls.kind == "merge":
                return None
            before = Tensor(call=call)
        if not layers or len(set(map(id, layers))) < len(layers) or not _is_whole(self.outputs, before):
            return None
        return stacked([call.node for call in self.calls])

    def on(self, tensors: list[Tensor]) -> tuple[Any, list[Applied]]:
        """What the model returns for these tensors, and its calls on them."""
        put: dict[int, Any] = {id(one): other for one, other in zip(self.inputs, tensors, strict=True)}
        made: list[Applied] = []
        for call in self.calls:
            fed = [_put(tensor, put) for tensor in call.inputs]
            made.append(replace(call, inputs=fed, states=_put(call.states, put), names={}))
            put[id(call)] = made[-1]
        return _put(self.outputs, put), made


def _is_whole(tensor: Any, other: Tensor | None) -> bool:
    """Whether a tensor is all that a call returns, as another one is."""
    same = isinstance(tensor, Tensor) and other is not None and tensor.call is not None and tensor.call is other.call
    return same and not tensor.path


def stacked(nodes: Iterable[Node]) -> Node:
    """Layers that are called in turn as one stack."""
    layers = tuple(part for node in nodes for part in node.in_turn)
    return layers[0] if len(layers) == 1 else Node.of(TABLE["Sequential"], {"layers": layers})


def _put(value: Any, put: dict[int, Any]) -> Any:
    """A value with other tensors in the places of those that a model was made of."""
    if isinstance(value, list | tuple):
        return [_put(item, put) for item in value]
    if not isinstance(value, Tensor):
        return value
    if id(value) in put:
        other: Tensor = put[id(value)]
        return other
    return Tensor(call=put[id(value.call)], path=value.path) if id(value.call) in put else value


def behind(outputs: list[Tensor]) -> set[int]:
    """The calls that the outputs come out of."""
    found: dict[int, Applied] = {}
    left = [tensor.call for tensor in outputs if tensor.call is not None]
    while left:
        call = left.pop()
        if id(call) not in found:
            found[id(call)] = call
            left += [one.call for one in (*call.inputs, *tensors_in(call.states)) if one.call is not None]
    return set(found)


def whole(model: Model) -> Node:
    """The layers of a model as one stack."""
    return stacked(layer.node for layer in model.layers)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of a value, nested as it may be."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
