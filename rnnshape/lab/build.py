"""Builds the real Keras layer of a node; one function for every class of the table."""

from __future__ import annotations

from functools import cache, partial
from operator import add, attrgetter, itemgetter, mul, sub, truediv
from operator import pow as pow_
from typing import TYPE_CHECKING, Any

from rnnshape.lab.feed import begin
from rnnshape.lab.loading import layer_at, loaded
from rnnshape.lab.own import class_of
from rnnshape.lab.tensorflow import keras, load
from rnnshape.layers.graph import by_hand
from rnnshape.layers.imported import Imported
from rnnshape.layers.input_mask import reaches
from rnnshape.layers.node import IN_TENSORFLOW, Node, in_tensorflow
from rnnshape.layers.objects import Function, Made
from rnnshape.layers.operations import SLICE, places_of
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.sequential import takes_states
from rnnshape.layers.stand_ins import number
from rnnshape.layers.wires import filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rnnshape.layers.wires import Graph
    from rnnshape.spec import Spec


def build(node: Node) -> Any:
    """The real layer: ``tf.keras.layers.<name>`` with exactly the arguments that were given.

    Only ``dtype`` and ``data_format`` are always passed, so that the user's Keras configuration (``floatx``,
    ``image_data_format``) has no effect.
    """
    if node.cls.kind == "stack":
        return Stack(map(build, node.in_turn), node.in_turn)
    if node.cls.kind == "graph":
        return Wired(node["graph"])
    if isinstance(node.cls, Imported):
        return _own(node.cls, node)
    if node.cls.operation:
        return Operation(node)
    layers = keras().layers
    arguments: Mapping[str, Any] = {"dtype": "float32", **dict(node.given)}
    if node.has("data_format") and not node.cls.by_name["data_format"].missing_in(asked()):
        arguments = {"data_format": "channels_last", **arguments}
    return getattr(layers, node.name)(**{name: _real(value) for name, value in arguments.items()})


def made(spec: Spec) -> tuple[Any, Any]:
    """The layer of a Spec and its saved model, whose layers are used; without one, a new layer and None.

    Raises:
        RnnshapeError: a custom class is not in the imported modules.
    """
    saved, node = spec.saved, spec.layer
    if saved is None or not saved.loads:
        return build(node), None
    model = loaded(saved)
    layers = [layer_at(model, held.names) for held in saved.layers]
    if node.cls.kind == "graph":
        by_word = {held.word: layer for held, layer in zip(saved.layers, layers, strict=True)}
        return Wired(node["graph"], by_word), model
    if node.cls.kind != "stack":
        return layers[0], model
    # A Masking that an option adds in front is not in the file.
    before = [build(one) for one in node.in_turn[: len(node.in_turn) - len(layers)]]
    return Stack([*before, *layers], node.in_turn), model


def like(node: Node, layer: Any, x: Any) -> Any:
    """The layer of another node with the weights of this layer."""
    other = build(node)
    other.build(x.shape)
    other.set_weights(layer.get_weights())
    return other


def reset(layer: Any) -> None:
    """Reset the states of a stateful layer; Keras 2 has another name for the method."""
    (layer.reset_states if hasattr(layer, "reset_states") and asked() < KERAS_3 else layer.reset_state)()


def _own(cls: Imported, node: Node) -> Any:
    """An object of the user's own class, made with exactly the arguments of its call."""
    values = [(name, _real(value)) for name, value in node.given]
    places = [value for name, value in values if name.isdigit()]
    return class_of(cls.name, cls.modules)(*places, **{name: value for name, value in values if not name.isdigit()})


class Operation:
    """An operation between layers, such as a slice; it has no weights and ignores mask and ``training``."""

    def __init__(self, node: Node) -> None:
        self.weights = self.trainable_weights = ()
        self.function = _computing(node)

    def __call__(self, inputs: Any, **beside: Any) -> Any:
        return self.function(inputs)


def _computing(node: Node) -> Callable[[Any], Any]:
    """The function of an operation, of a tensor or of a list of tensors."""
    if node.cls is SLICE:
        return itemgetter(places_of(node["key"]))
    if node.has("number"):
        sign, value = _OF_NUMBERS[node.name], node["number"]
        return (lambda x: sign(value, x)) if node["first"] else (lambda x: sign(x, value))
    name = _SIGNS.get(node.name, node.name.removeprefix("keras.ops."))
    of_tensorflow = asked() < KERAS_3
    whole = load() if of_tensorflow else keras().ops
    function = attrgetter(IN_TENSORFLOW.get(name, name) if of_tensorflow else name)(whole)
    if node.cls.kind == "merge" and not node.has("axis"):
        return lambda inputs: function(*inputs)
    given = {"axis": node["axis"]} if node.cls.kind == "merge" else dict(node.given)
    return partial(function, **(in_tensorflow(given) if of_tensorflow else given))


_SIGNS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_OF_NUMBERS = {"+": add, "-": sub, "*": mul, "/": truediv, "**": pow_}


class Stack:
    """Real layers called in turn; Keras passes the mask on with the tensor.

    ``keras.Sequential`` is not used because it builds by static inference, which is wrong for some of the layers.
    ``nodes`` are those of the layers; the first one that takes states gets the ``initial_state``.
    """

    def __init__(self, layers: Iterable[Any], nodes: Sequence[Node] = ()) -> None:
        self.layers = list(layers)
        self.begun = next((place for place, node in enumerate(nodes) if takes_states(node)), None)

    def __call__(self, x: Any, **beside: Any) -> list[Any]:
        """The result of each layer; the last one is the result of the stack."""
        flow = []
        for place, layer in enumerate(self.layers):
            x = layer(x, **self.beside(place, beside))
            flow.append(x)
        return flow

    def beside(self, place: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments for this layer: the mask goes to the first, ``training`` to all."""
        takes = {"mask": place == 0, "initial_state": place == self.begun, "training": True}
        return {name: value for name, value in given.items() if takes[name]}

    def result(self, flow: Sequence[Any], inputs: Sequence[Any]) -> Any:
        """The result of the stack, from the results of its layers and its inputs."""
        return flow[-1]

    def reset_state(self) -> None:
        """Reset the states of every stateful layer."""
        for layer in self.layers:
            if getattr(layer, "stateful", False):
                reset(layer)

    @property
    def weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.weights]

    @property
    def trainable_weights(self) -> list[Any]:
        return [weight for layer in self.layers for weight in layer.trainable_weights]


class Wired(Stack):
    """Real layers called as wired in a graph; a layer that is called twice is one object."""

    def __init__(self, graph: Graph, layers: Mapping[str, Any] | None = None) -> None:
        self.graph = graph
        self.by_name = {name: layers[name] if layers else build(node) for name, node in graph.layers}
        super().__init__(self.by_name.values())

    def __call__(self, *inputs: Any, **beside: Any) -> list[Any]:
        """The result of each call, in order; ``inputs`` are those of the graph's entries."""
        tensors: dict[str, Any] = dict(zip((entry.name for entry in self.graph.entries), inputs, strict=True))
        flow = []
        for call in self.graph.calls:
            fed = [_at(tensors[wire.source], wire.path) for wire in call.inputs]
            given = {name: value for name, value in beside.items() if name != "mask" or reaches(self.graph, call)}
            kind = self.graph.by_name[call.layer].cls.kind
            if call.initial_state is not None:
                given["states" if kind == "cell" else "initial_state"] = _states(call.initial_state, tensors)
            elif kind == "cell":  # it always takes states
                given["states"] = begin(self.by_name[call.layer], fed[0].shape[0], fed[0].dtype)
            if call.results and kind == "merge":
                given["return_attention_scores"] = True
            # MultiHeadAttention takes its inputs one by one; layers that merge take a list.
            apart = len(fed) == 1 or self.graph.by_name[call.layer].name == "MultiHeadAttention"
            result = self.by_name[call.layer](*(fed if apart else [fed]), **given)
            if isinstance(self.by_name[call.layer], Stack):
                result = self.by_name[call.layer].result(result, fed)
            tensors[call.name] = result
            flow.append(result)
        return flow

    def _tensors(self, inputs: Sequence[Any], flow: Sequence[Any]) -> dict[str, Any]:
        """The values of entries and calls, by their names."""
        names = (*(entry.name for entry in self.graph.entries), *(call.name for call in self.graph.calls))
        return dict(zip(names, (*inputs, *flow), strict=True))

    def stepped(self, inputs: tuple[Any, ...], flow: tuple[Any, ...]) -> dict[str, Any]:
        """The first step of each call with passed states, computed by the cell alone (``layers.graph.by_hand``)."""
        tensors = self._tensors(inputs, flow)
        made = {}
        for call in self.graph.calls:
            if (check := by_hand(self.graph, call)) is not None:
                x = _at(tensors[call.inputs[0].source], call.inputs[0].path)
                made[check] = self.by_name[call.layer].cell(x[:, 0], _states(call.initial_state, tensors))[0]
        return made

    def result(self, flow: Sequence[Any], inputs: Sequence[Any]) -> Any:
        """The outputs of the model in the code, as it returns them; without one, the last call's result."""
        if self.graph.outputs is None:
            return flow[-1]
        tensors = self._tensors(inputs, flow)
        return filled(self.graph.outputs, lambda wire: _at(tensors[wire.source], wire.path))


def _states(states: Any, tensors: Mapping[str, Any]) -> Any:
    if isinstance(states, tuple):
        return [_states(state, tensors) for state in states]
    return _at(tensors[states.source], states.path)


def _at(value: Any, path: tuple[int, ...]) -> Any:
    """The tensor at a path of a call's result; the first one if there are several at this path."""
    for index in path:
        value = value[index]
    while isinstance(value, tuple | list):
        value = value[0]
    return value


def _real(value: Any) -> Any:
    if isinstance(value, Node):
        return keras().Sequential(_real(value["layers"])) if value.cls.kind == "stack" else build(value)
    if isinstance(value, tuple) and value and all(isinstance(item, Node) for item in value):
        return [_real(item) for item in value]
    if isinstance(value, tuple):
        return tuple(map(number, value))
    if isinstance(value, Made):
        return _object(value)
    return _function(value) if isinstance(value, Function) else number(value)


def _object(made: Made) -> Any:
    """A new object for each weight, as Keras makes one from a name."""
    dtype = {"dtype": "float32"} if made.what == "activation" else {}
    return getattr(getattr(keras(), made.module), made.name)(**{**dtype, **dict(made.given)})


def _function(function: Function) -> Any:
    """TensorFlow's function, or a function with the values of the default that Keras does not recognize."""
    if function.known:
        return attrgetter(function.text.removeprefix("tf."))(load())
    if function.copied:
        return _registered(function.like, keras())
    like = keras().activations.get(function.like)
    return lambda x: like(x)  # noqa: PLW0108  Keras must not recognize it


@cache
def _registered(like: str, library: Any) -> Any:
    """A registered function, which Bidirectional finds by its name; cached because Keras keeps it forever."""
    known = library.activations.get(like)

    def unknown(x: Any) -> Any:
        return known(x)

    return library.utils.register_keras_serializable("rnnshape", f"unknown_{like}")(unknown)
