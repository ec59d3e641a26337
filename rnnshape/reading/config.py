"""From the config that Keras saves of a model to the code that makes the same model.

>>> dense = {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "linear"}}
>>> code({"class_name": "Sequential", "config": {"layers": [dense]}})
"model = Sequential([Dense(name='out', units=2, activation='linear')])"

The code is read as pasted code is: so there is one table of layers, and one way to name a class that is not known.
Nested models are written in the place of their call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.reading.layer_config import FUNCTIONAL, MODELS, class_of, made, plain, shape_of, worded, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def code(config: Any) -> str:
    """The Python code of a saved layer or model: one expression, or one statement a line.

    ``config`` is what ``keras.saving.serialize_keras_object`` gives, of Keras 2 or 3: ``class_name`` and ``config``.

    Raises:
        Invalid: it is not the config of a layer or a model.
    """
    try:
        if class_of(config) not in MODELS:
            return made(config)
        if class_of(config) == "Sequential" and not any(class_of(one) in FUNCTIONAL for one in _layers(config)):
            return f"model = Sequential([{', '.join([*_said_input(config), *(made(one) for one in _flat(config))])}])"
        return _Wiring().program(config)
    except RecursionError:
        raise wrong("it is nested too deeply") from None
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise wrong(f"a part is missing or has another form ({type(error).__name__}: {error})") from None


def _layers(config: Mapping[str, Any]) -> list[Any]:
    inside = config["config"]
    layers = inside if isinstance(inside, list) else inside["layers"]
    if not isinstance(layers, list):
        raise wrong("its layers are not a list")
    return layers


def _flat(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The layers of a Sequential and of those within it; only the first input is one."""
    for number, layer in enumerate(_layers(config)):
        if class_of(layer) == "Sequential":
            inner = [*_flat(layer)]
            yield from inner[number > 0 and class_of(inner[0]) == "InputLayer" :]
        else:
            yield layer


def _said_input(config: Mapping[str, Any]) -> list[str]:
    """The input that a Sequential without an InputLayer was built for, if it says one."""
    inside = config["config"]
    shape = plain(inside.get("build_input_shape")) if isinstance(inside, Mapping) else None
    if not shape or class_of(next(_flat(config))) == "InputLayer":
        return []
    return [f"Input(batch_shape={shape_of({'batch_shape': shape})!r})"]


class _Wiring:
    """Writes the calls of a functional model, each nested model in the place of its call."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.taken: set[str] = set()
        self.layers: dict[int, str] = {}

    def program(self, config: Mapping[str, Any]) -> str:
        if class_of(config) == "Sequential":
            first = _layers(config)[0]
            while class_of(first) in MODELS:
                first = _layers(first)[0]
            if class_of(first) != "InputLayer":
                raise wrong("the Sequential does not say the shape of its input: build the model before it is saved")
            start = self._input(first)
            inputs, outputs = [start], [self._sequential(config, start)]
        else:
            inputs, outputs = self._functional(config, None)
        self.lines.append(f"model = Model([{', '.join(inputs)}], [{', '.join(outputs)}])")
        return "\n".join(self.lines)

    def _free(self, name: str) -> str:
        word = free = worded(name)
        number = 1
        while free in self.taken:
            number += 1
            free = f"{word}_{number}"
        self.taken.add(free)
        return free

    def _input(self, layer: Mapping[str, Any]) -> str:
        name = self._free(layer["config"].get("name") or "x")
        self.lines.append(f"{name} = {made(layer)}")
        return name

    def _layer(self, layer: Mapping[str, Any]) -> str:
        """The name of a layer, which is made once and may be called often."""
        if id(layer) not in self.layers:
            name = self._free(layer["config"].get("name") or class_of(layer))
            self.layers[id(layer)] = name
            self.lines.append(f"{name} = {made(layer, named=name != layer['config'].get('name'))}")
        return self.layers[id(layer)]

    def _call(self, layer: Mapping[str, Any], arguments: str) -> str:
        """The name of what a call returns."""
        name = self._layer(layer)
        result = self._free(f"{name}_y")
        self.lines.append(f"{result} = {name}({arguments})")
        return result

    def _sequential(self, config: Mapping[str, Any], tensor: str) -> str:
        for layer in _layers(config):
            if class_of(layer) == "Sequential":
                tensor = self._sequential(layer, tensor)
            elif class_of(layer) in FUNCTIONAL:
                _, outputs = self._functional(layer, [tensor])
                (tensor,) = outputs
            elif class_of(layer) != "InputLayer":
                tensor = self._call(layer, tensor)
        return tensor

    def _functional(self, config: Mapping[str, Any], given: list[str] | None) -> tuple[list[str], list[str]]:
        """Inputs and outputs of a functional model; ``given`` are the tensors that it is called on."""
        layers = {str(layer.get("name") or layer["config"]["name"]): layer for layer in _layers(config)}
        inside = config["config"]
        starts = [*_histories(inside["input_layers"])]
        results: dict[tuple[str, int], list[str]] = {}
        if given is not None and len(given) != len(starts):
            raise wrong(f"{inside.get('name')} has {len(starts)} inputs and is called on {len(given)} tensors")
        for number, (name, index, _) in enumerate(starts):
            results[name, index] = [self._input(layers[name])] if given is None else [given[number]]
        inputs = [results[name, index][0] for name, index, _ in starts]
        waiting = [
            (name, index, node)
            for name, layer in layers.items()
            if class_of(layer) != "InputLayer"
            for index, node in enumerate(layer.get("inbound_nodes") or (), _first(config, name, layer))
        ]
        while waiting:
            later = []
            for name, index, node in waiting:
                if all((source, at) in results for source, at, _ in _histories(_tensors(node))):
                    results[name, index] = self._node(layers[name], node, lambda *at: _pick(results, *at))
                else:
                    later.append((name, index, node))
            if len(later) == len(waiting):
                raise wrong(f"the inputs of {later[0][0]} are not there")
            waiting = later
        return inputs, [_pick(results, *at) for at in _histories(inside["output_layers"])]

    def _node(self, layer: Mapping[str, Any], node: Any, pick: Callable[..., str]) -> list[str]:
        """One call in a functional model: the words for what it returns."""
        if class_of(layer) in MODELS:
            tensors = [pick(*at) for at in _histories(_tensors(node))]
            if class_of(layer) == "Sequential":
                return [self._sequential(layer, tensors[0])]
            return self._functional(layer, tensors)[1]
        result = self._call(layer, _arguments(layer, node, pick))
        return [f"{result}[{number}]" for number in range(_MOST_RESULTS)] if _returns_several(layer) else [result]


_MOST_RESULTS = 64


def _first(config: Mapping[str, Any], name: str, layer: Mapping[str, Any]) -> int:
    """The number of a layer's first call: Keras 2 counts from 1 where a model was called when it was made."""
    inside = config["config"]
    nodes = [node for one in inside["layers"] for node in one.get("inbound_nodes") or ()]
    told = [*_histories([*map(_tensors, nodes)]), *_histories(inside["output_layers"])]
    numbers = [index for source, index, _ in told if source == name]
    return max(0, max(numbers, default=0) + 1 - len(layer.get("inbound_nodes") or ()))


def _pick(results: Mapping[tuple[str, int], list[str]], name: str, index: int, which: int) -> str:
    return results[name, index][which]


def _histories(tensors: Any) -> Iterator[tuple[str, int, int]]:
    """Each ``[layer, call, result]`` in nested lists of them, as Keras 2 and 3 save them."""
    tensors = plain(tensors)
    if isinstance(tensors, Mapping):
        if tensors.get("class_name") == "__keras_tensor__":
            name, index, which = tensors["config"]["keras_history"]
            yield str(name), int(index), int(which)
        else:
            for value in tensors.values():
                yield from _histories(value)
    elif isinstance(tensors, list | tuple):
        if len(tensors) in (3, 4) and isinstance(tensors[0], str) and type(tensors[1]) is int:
            yield tensors[0], tensors[1], int(tensors[2])
            yield from _histories(tensors[3]) if len(tensors) == 4 else ()
        else:
            for one in tensors:
                yield from _histories(one)


def _tensors(node: Any) -> Any:
    return [node["args"], node["kwargs"]] if isinstance(node, Mapping) else node


def _arguments(layer: Mapping[str, Any], node: Any, pick: Callable[..., str]) -> str:
    """What stands in the brackets of a call."""
    if isinstance(node, Mapping):
        passed = [_nested(one, pick) for one in node["args"] if [*_histories(one)]]
        passed += [f"{name}={_nested(one, pick)}" for name, one in node["kwargs"].items() if [*_histories(one)]]
        return ", ".join(passed)
    heads = [node] if isinstance(node[0], str) else node
    tensors = [pick(str(one[0]), int(one[1]), int(one[2])) for one in heads]
    named = heads[0][3] if len(heads[0]) > 3 else {}
    name = class_of(layer)
    if len(tensors) > 1 and name in TABLE and TABLE[name].kind == "recurrent":
        if layer["config"].get("num_constants"):
            raise wrong(f"the constants that {layer['config'].get('name')} is called with are not read here")
        # Keras 2 puts the states behind the input.
        passed = [tensors[0], f"initial_state=[{', '.join(tensors[1:])}]"]
    else:
        passed = tensors if len(tensors) == 1 else [f"[{', '.join(tensors)}]"]
    passed += [f"{name}={_nested(one, pick)}" for name, one in named.items() if [*_histories(one)]]
    return ", ".join(passed)


def _nested(value: Any, pick: Callable[..., str]) -> str:
    value = plain(value)
    found = [*_histories(value)]
    if isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], str)):
        return pick(*found[0])
    return f"[{', '.join(_nested(one, pick) for one in value)}]"


def _returns_several(layer: Mapping[str, Any]) -> bool:
    """Whether a call of the layer returns a tuple: states, or two outputs that are not merged."""
    values = layer["config"]
    inner = values.get("layer")
    of_inner = isinstance(inner, Mapping) and inner["config"].get("return_state") is True
    apart = class_of(layer) == "Bidirectional" and values.get("merge_mode") is None
    return values.get("return_state") is True or (class_of(layer) == "Bidirectional" and of_inner) or apart
