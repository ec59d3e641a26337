"""The objects that a program creates, as data: layers, models, tensors and calls."""

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
    """A layer or cell in the code; ``used`` if another layer contains it or it is called."""

    node: Node
    tree: ast.expr
    used: bool = False
    name: str | None = None


@dataclass(eq=False, slots=True)
class Model:
    """A Sequential model: the layers added so far, and the declarations of its input.

    ``missing`` says where layers of an unknown class are left out: in ``"front"``, ``"behind"`` or nowhere (``""``).
    ``nested`` tells whether a model is among its layers, which has one place in ``model.layers``.
    """

    layers: list[Layer] = field(default_factory=list)
    said: list[Declared] = field(default_factory=list)
    used: bool = False
    name: str | None = None
    missing: str = ""
    nested: bool = False

    @property
    def node(self) -> Node | None:
        """Its layers as one stack; None before the first is added."""
        return whole(self) if self.layers else None


@dataclass(eq=False, slots=True)
class Tensor:
    """An input, which the expression ``root`` creates, or a result of ``call``, at ``path``.

    ``then`` has the values of names at ``root``.
    """

    root: ast.expr | None = None
    call: Applied | None = None
    path: tuple[int, ...] = ()
    name: str | None = None
    then: Held | None = None


@dataclass(eq=False, slots=True)
class Applied:
    """A call of a layer: its input tensors and its states (nested tensors; None if the code passes none).

    ``targets`` is the number of names on the left.  ``results`` has the roles of the returned values (empty: a bare
    tensor), ``nested`` the number of tensors in each (0: it is a tensor), ``container`` the type that holds them (in
    Keras 2 a list), ``names`` the code's names with their paths.
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
    container: type = tuple
    names: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Functional:
    """``Model(inputs, outputs)``: its calls are repeated on other tensors when the model is called.

    ``sequential`` tells whether it is a Sequential, whose ``layers`` do not start with an InputLayer; ``nested`` is as
    for ``Model``.
    """

    inputs: list[Tensor]
    outputs: Any
    calls: list[Applied]
    name: str | None = None
    sequential: bool = False
    nested: bool = False

    @property
    def returned(self) -> list[Tensor]:
        """The returned tensors, without their containers."""
        return [*tensors_in(self.outputs)]

    @property
    def stack(self) -> Node | None:
        """Its layers as one stack, if each is called on the result of the one before; else None."""
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
            fed = [_replaced(tensor, put) for tensor in call.inputs]
            made.append(replace(call, inputs=fed, states=_replaced(call.states, put), names={}))
            put[id(call)] = made[-1]
        return _replaced(self.outputs, put), made


def _is_whole(tensor: Any, other: Tensor | None) -> bool:
    """Whether a tensor is the whole result of the same call as another tensor."""
    same = isinstance(tensor, Tensor) and other is not None and tensor.call is not None and tensor.call is other.call
    return same and not tensor.path


def stacked(nodes: Iterable[Node]) -> Node:
    """Layers that are called one after another, as one stack."""
    layers = tuple(part for node in nodes for part in node.in_turn)
    return layers[0] if len(layers) == 1 else Node.of(TABLE["Sequential"], {"layers": layers})


def _replaced(value: Any, put: dict[int, Any]) -> Any:
    """A value with the tensors of a model replaced by others."""
    if isinstance(value, list | tuple):
        return type(value)(_replaced(item, put) for item in value)
    if not isinstance(value, Tensor):
        return value
    if id(value) in put:
        other: Tensor = put[id(value)]
        return other
    return Tensor(call=put[id(value.call)], path=value.path) if id(value.call) in put else value


def behind(outputs: list[Tensor]) -> set[int]:
    """The ids of the calls that the outputs depend on."""
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
    """The tensors in a value, which may be nested."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
