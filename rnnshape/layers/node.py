"""``LayerClass``, an entry of the table, and ``Node``, a layer or cell with its arguments.

>>> from rnnshape.layers import named
>>> node = Node.of(named("LSTM"), {"return_state": True, "units": 8, "use_bias": True})
>>> node.text, node["units"], node["activation"]
('LSTM(8, return_state=True)', 8, 'tanh')
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rnnshape.layers.arguments import REQUIRED, Nested
from rnnshape.layers.objects import Function, Made
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.wires import Graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rnnshape.errors import Problem
    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.base import Answer, Dims, Given, Zeros


_KNOWN: dict[str, LayerClass] = {}
IMPORTED = "imported"
"""The kind of a class that the table does not have (``layers.imported``)."""


def named(name: str) -> LayerClass:
    """The entry of a class, by its name in Keras."""
    return _KNOWN[name]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LayerClass:
    """One class of Keras: an entry of the table.

    * ``arguments``: in the order of Keras' signature; from ``dtype`` on they are keywords only.
    * ``in_2``: the arguments by position in Keras 2, if their order is different there.
    * ``letters``: the letters of the input axes of a node, for the rank nearest to the given one that the class takes
      (None: the usual rank).
    * ``theory``: the answer.
    * ``check``: the problems of a combination of arguments that are valid each.
    * ``check_input``: why an input of the right rank is rejected; ``check_inputs``: why inputs cannot be merged.
    * ``tokens``: the whole numbers that the class takes as input; None if it takes floats.
    * ``twin``: the layer that computes the same with the same weights.
    * ``contents``: which steps of its output are all zeros; without it, theory knows of none.
    * ``kind``: ``"cell"`` for a cell, ``"recurrent"`` for a layer that Bidirectional takes, ``"stack"`` for Sequential,
      ``"graph"`` for wired calls, ``"merge"`` for a layer with several inputs, ``IMPORTED`` for a class of the user's
      own, ``"layer"`` for the rest.
    * ``source``: the file with the call of a class without a loop, under ``keras/src/layers``.
    * ``keeps_mask``: whether the class supports masking and attaches the mask of its input to its output.
    * ``makes_mask``: whether it computes a mask from its input; ``takes_mask``: whether its call uses the mask.
    * ``built``: whether it is built when it is constructed, because it has nothing to build.
    * ``nests``: whether its arguments contain layers or cells.
    * ``operation``: whether it is not a layer, but an operation between layers (``layers.operations``).
    """

    name: str
    kind: str
    arguments: tuple[Argument, ...]
    theory: Callable[[Node, Given], Answer]
    letters: Callable[[Node, int | None], tuple[str, ...]]
    check: Callable[[Node], Iterable[Problem]] = lambda node: ()
    check_input: Callable[[Node, Dims], str | None] = lambda node, dims: None
    check_inputs: Callable[[Node, Sequence[Dims]], str | None] = lambda node, inputs: None
    tokens: Callable[[Node], range | None] = lambda node: None
    twin: Callable[[Node], Node | None] = lambda node: None
    contents: Callable[[Node, Answer, Given], Zeros | None] = lambda node, answer, given: None
    in_2: tuple[str, ...] = ()
    source: str = ""
    keeps_mask: bool = False
    makes_mask: bool = False
    takes_mask: bool = False
    built: bool = False
    operation: bool = False
    positional: int = field(init=False)
    nests: bool = field(init=False)
    by_name: dict[str, Argument] = field(init=False)
    defaults: dict[str, Any] = field(init=False)
    former: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        if self.kind != IMPORTED:
            _KNOWN[self.name] = self
        names = [argument.name for argument in self.arguments]
        object.__setattr__(self, "positional", names.index("dtype") if "dtype" in names else len(names))
        object.__setattr__(self, "nests", self.kind in ("graph", IMPORTED) or any(map(_nests, self.arguments)))
        object.__setattr__(self, "by_name", {argument.name: argument for argument in self.arguments})
        object.__setattr__(self, "defaults", {argument.name: argument.default for argument in self.arguments})
        was = {argument.name: argument.was for argument in self.arguments if argument.was is not REQUIRED}
        object.__setattr__(self, "former", {**self.defaults, **was} if was else self.defaults)

    def __repr__(self) -> str:
        return self.name

    @property
    def usual(self) -> dict[str, Any]:
        """The defaults in the chosen release; ``former`` are those before Keras 3."""
        return self.former if self.former is not self.defaults and asked() < KERAS_3 else self.defaults

    @property
    def by_position(self) -> list[Argument]:
        """The arguments that a call can give by position, in the order of the chosen release."""
        release = asked()
        if self.in_2 and release < KERAS_3:
            return [self.by_name[name] for name in self.in_2]
        return [known for known in self.arguments[: self.positional] if known.by_position(release)]

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # Each class has one entry; unpickling must give the entry of the other process.
        return named, (self.name,)


def _nests(argument: Argument) -> bool:
    return isinstance(argument.kind, Nested)


@dataclass(frozen=True, repr=False)
class Node:
    """A layer or cell with the arguments that differ from Keras' defaults, in Keras' order.

    Two nodes are equal if Keras would build the same layer from them, so a default that is written out does not matter.
    """

    cls: LayerClass
    given: tuple[tuple[str, Any], ...]
    _values: Mapping[str, Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", {**self.cls.usual, **dict(self.given)})

    @classmethod
    def of(cls, layer: LayerClass, values: Mapping[str, Any]) -> Node:
        """The node of a class with these arguments, which must be checked before."""
        defaults = layer.usual
        if layer.kind == "stack":
            # The layers of a nested stack are called one after another too.
            values = {**values, "layers": tuple(inner for node in values["layers"] for inner in node.in_turn)}
        return cls(
            layer,
            tuple([(name, values[name]) for name in defaults if name in values and values[name] != defaults[name]]),
        )

    def __repr__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        return self.cls.name

    def __getitem__(self, argument: str) -> Any:
        """The value of an argument: the given one or Keras' default."""
        return self._values[argument]

    def has(self, argument: str) -> bool:
        """Whether the class has this argument."""
        return argument in self.cls.defaults

    @property
    def trainable(self) -> bool:
        """Whether its weights are trainable; True for a class without the argument, which has no weights."""
        return bool(self._values.get("trainable", True))

    def but(self, **changes: Any) -> Node:
        """The same node with some arguments changed."""
        return Node.of(self.cls, {**dict(self.given), **changes})

    @property
    def children(self) -> tuple[Node, ...]:
        """The layers and cells in the arguments, in order."""
        if not self.cls.nests:
            return ()
        return tuple(_nodes(value for _, value in self.given))

    def walk(self) -> tuple[Node, ...]:
        """This node and all nodes inside it, outermost first."""
        if not self.cls.nests:
            return (self,)
        return (self, *[part for child in self.children for part in child.walk()])

    @cached_property
    def without_rule(self) -> tuple[str, ...]:
        """The classes inside it that theory has no rule for: those of the user's own modules."""
        return tuple(dict.fromkeys(part.name for part in self.walk() if part.cls.kind == IMPORTED))

    @property
    def in_turn(self) -> tuple[Node, ...]:
        """The layers of a stack or a graph, in order; for any other node, the node itself."""
        if self.cls.kind == "graph":
            return tuple(self["graph"].nodes)
        return tuple(self["layers"]) if self.cls.kind == "stack" else (self,)

    @property
    def first(self) -> Node:
        """The first layer that gets the input, inside stacks and graphs."""
        return self.in_turn[0].first if self.cls.kind in ("stack", "graph") else self

    @cached_property
    def text(self) -> str:
        """The canonical expression: parsing it gives an equal node."""
        if self.cls.kind == "graph":
            return str(self["graph"].text)
        if self.cls.kind == "stack" and len(self["layers"]) > 1:
            return " | ".join(layer.text for layer in self["layers"])
        return self.written()

    @property
    def short(self) -> str:
        """A short form, the class and its size: ``LSTM(8)``, ``RNN([LSTMCell(8), GRUCell(4)])``."""
        if self.cls.operation:
            return f"[{self['key']}]" if self.has("key") else self.name
        for size in ("units", "filters"):
            if self.has(size):
                return f"{self.name}({self[size]})"
        return f"{self.name}({', '.join(_short(value) for _, value in self.given if _holds_nodes(value))})"

    def on(self, *inputs: str) -> str:
        """An operation on tensors of these names: ``a + b``, ``1 - a``, ``a[:, -1]``, ``keras.ops.mean(a, axis=1)``."""
        if self.has("key"):
            return f"{inputs[0]}{self.short}"
        if not self.name[0].isalpha():
            number = [repr(self["number"])] if self.has("number") else []
            sides = [*number, *inputs] if number and self["first"] else [*inputs, *number]
            return f" {self.name} ".join(sides)
        several = self.cls.kind == "merge" and self.has("axis")
        listed = f"[{', '.join(inputs)}]" if several else ", ".join(inputs)
        given = {"axis": self["axis"]} if several else dict(self.given)
        name = self.name
        if asked() < KERAS_3:
            short = name.removeprefix("keras.ops.")
            name, given = f"tf.{IN_TENSORFLOW.get(short, short)}", in_tensorflow(given)
        return f"{name}({', '.join([listed, *(f'{key}={value!r}' for key, value in given.items())])})"

    def written(self, prefix: str = "") -> str:
        """The constructor call, with ``prefix`` in front of every class name."""
        parts = []
        for name, value in self.given:
            argument = self.cls.by_name[name]
            text = _written(value, prefix, as_list=isinstance(argument.kind, Nested))
            parts.append(text if argument.default is REQUIRED else f"{name}={text}")
        if self.cls.kind == "stack":
            prefix = prefix.removesuffix("layers.")  # keras.Sequential is not in keras.layers
        if self.cls.kind == IMPORTED:
            prefix = ""
        return f"{prefix}{self.name}({', '.join(parts)})"


_OF_NN = ("softmax", "relu", "softplus", "elu", "selu", "gelu", "silu")
IN_TENSORFLOW = {
    "mean": "reduce_mean",
    "sum": "reduce_sum",
    "max": "reduce_max",
    "min": "reduce_min",
    "log": "math.log",
    "concatenate": "concat",
    **{name: f"nn.{name}" for name in _OF_NN},
}
"""TensorFlow's names of functions of ``keras.ops`` where they differ; Keras 2 has no ``keras.ops``."""


def in_tensorflow(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a function of ``keras.ops``, with TensorFlow's names."""
    return {{"axes": "perm"}.get(name, name): value for name, value in given.items()}


def _nodes(values: Any) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, Graph):
            yield from value.nodes
        elif isinstance(value, tuple):
            yield from _nodes(value)


def _holds_nodes(value: Any) -> bool:
    return isinstance(value, Node) or (isinstance(value, tuple) and any(map(_holds_nodes, value)))


def _short(value: Any) -> str:
    return value.short if isinstance(value, Node) else f"[{', '.join(map(_short, value))}]"


def _written(value: Any, prefix: str, *, as_list: bool) -> str:
    if isinstance(value, Node):
        return value.written(prefix)
    if isinstance(value, Made | Function):
        return value.written(prefix.removesuffix("layers."))
    if isinstance(value, tuple) and as_list:
        return f"[{', '.join(_written(item, prefix, as_list=True) for item in value)}]"
    return repr(value)
