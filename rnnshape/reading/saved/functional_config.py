"""Writes the config of a functional model as the calls that make it, one on each line.

Keras saves which tensors a layer is called on as ``[layer, call, result]``, nested as they are passed:

>>> [*histories([["lstm", 0, 1], ["lstm", 0, 2]])]
[('lstm', 0, 1), ('lstm', 0, 2)]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.identifiers import free
from rnnshape.reading.saved.layer_config import FUNCTIONAL, MODELS, built_for, class_of, made, plain, wrong
from rnnshape.reading.saved.model_layers import Code, Placed, layers_of, name_of
from rnnshape.reading.saved.operations import is_operation, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_STEPS = 10_000
_MOST_RESULTS = 64


class Wiring:
    """Writes the calls of a functional model; a nested model is written in the place of its call."""

    def __init__(self, places: Mapping[int, Placed], unread: Callable[[Any], bool]) -> None:
        self.places = places
        # Whether a layer is not read; the names of the results of such layers.
        self.unread = unread
        self.unknown: set[str] = set()
        self.lines: list[tuple[str, str]] = []
        self.steps = 0
        self.taken: set[str] = set()
        self.layers: dict[int, str] = {}
        self.inputs: list[tuple[str, str]] = []

    def program(self, config: Mapping[str, Any]) -> Code:
        if class_of(config) == "Sequential":
            first = layers_of(config)[0]
            while class_of(first) in MODELS:
                first = layers_of(first)[0]
            if class_of(first) != "InputLayer":
                raise wrong("the Sequential does not say the shape of its input: build the model before it is saved")
            start = self._input(first)
            inputs, returned = [start], self._sequential(config, start)
        else:
            inputs, outputs = self._functional(config, None)
            names = iter(outputs)
            returned = nested(_output_layers(config), lambda *_: next(names))
        self._line(f"model = Model([{', '.join(inputs)}], {returned})", "")
        text, stretches = "", []
        for line, name in self.lines:
            stretches.append((len(text), len(text) + len(line), name))
            text += f"{line}\n"
        layers = [replace(self.places[key], word=word) for key, word in self.layers.items()]
        named = tuple([one for one in stretches if one[2]])
        return Code(text.removesuffix("\n"), tuple(layers), tuple(self.inputs), named)

    def _line(self, line: str, name: str) -> None:
        """Add a statement; ``name`` is the layer that it is about."""
        self._count()
        self.lines.append((line, name))

    def _count(self) -> None:
        """Limit the steps: nested models multiply, even those without a layer."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise wrong(f"it has more than {_MOST_STEPS:,} layers and calls")

    def _input(self, layer: Mapping[str, Any]) -> str:
        name = free(str(layer["config"].get("name") or "x"), self.taken)
        self._line(f"{name} = {made(layer)}", name_of(layer))
        self.inputs.append((name, name_of(layer)))
        return name

    def _layer(self, layer: Mapping[str, Any]) -> str:
        """The name of a layer; its constructor is written at the first use."""
        if id(layer) not in self.layers:
            name = free(str(layer["config"].get("name") or class_of(layer)), self.taken)
            self.layers[id(layer)] = name
            self._line(f"{name} = {made(layer, named=name != layer['config'].get('name'))}", name_of(layer))
        return self.layers[id(layer)]

    def _call(self, layer: Mapping[str, Any], arguments: str) -> str:
        """Write a call; return the name of its result.

        The result of a layer that is not read becomes an input, of the shape that the next layer was built for.
        """
        name = self._layer(layer)
        if arguments in self.unknown and not self.unread(layer) and (shape := built_for(layer)) is not None:
            self._line(f"{arguments} = Input(batch_shape={shape!r})", name_of(layer))
            self.unknown.discard(arguments)
        result = free(f"{name}_y", self.taken)
        self._line(f"{result} = {name}({arguments})", name_of(layer))
        if self.unread(layer):
            self.unknown.add(result)
        return result

    def _sequential(self, config: Mapping[str, Any], tensor: str) -> str:
        for layer in layers_of(config):
            if class_of(layer) == "Sequential":
                tensor = self._sequential(layer, tensor)
            elif class_of(layer) in FUNCTIONAL:
                _, outputs = self._functional(layer, [tensor])
                (tensor,) = outputs
            elif class_of(layer) != "InputLayer":
                tensor = self._call(layer, tensor)
        return tensor

    def _functional(self, config: Mapping[str, Any], given: list[str] | None) -> tuple[list[str], list[str]]:
        """Write a functional model; return its inputs and outputs.  ``given`` are the tensors that it is called on."""
        self._count()
        layers = {str(layer.get("name") or layer["config"]["name"]): layer for layer in layers_of(config)}
        inside = config["config"]
        starts = [*histories(inside["input_layers"])]
        results: dict[tuple[str, int], list[str]] = {}
        if given is not None and len(given) != len(starts):
            raise wrong(f"{inside.get('name')} has {len(starts)} inputs and is called on {len(given)} tensors")
        for number, (name, index, _) in enumerate(starts):
            results[name, index] = [self._input(layers[name])] if given is None else [given[number]]
        inputs = [results[name, index][0] for name, index, _ in starts]
        last = _last_calls(inside)
        waiting = []
        for name, layer in layers.items():
            nodes = layer.get("inbound_nodes") or ()
            # Keras 2 counts the calls from 1 if the model was called when it was created.
            first = max(0, last.get(name, 0) + 1 - len(nodes))
            if class_of(layer) != "InputLayer":
                waiting += [(name, index, node) for index, node in enumerate(nodes, first)]
        while waiting:
            later = []
            for name, index, node in waiting:
                if all((source, at) in results for source, at, _ in histories(tensors(node))):
                    results[name, index] = self._node(layers[name], node, lambda *at: _pick(results, *at))
                else:
                    later.append((name, index, node))
            if len(later) == len(waiting):
                raise wrong(f"the inputs of {later[0][0]} are missing")
            waiting = later
        return inputs, [_pick(results, *at) for at in histories(_output_layers(config))]

    def _node(self, layer: Mapping[str, Any], node: Any, pick: Callable[..., str]) -> list[str]:
        """Write one call in a functional model; return the names of its results."""
        if class_of(layer) in MODELS:
            fed = [pick(*at) for at in histories(tensors(node))]
            if class_of(layer) == "Sequential":
                return [self._sequential(layer, fed[0])]
            return self._functional(layer, fed)[1]
        if is_operation(layer):
            name = free(f"{name_of(layer)}_y", self.taken)
            self._line(f"{name} = {operation(layer, node, pick)}", name_of(layer))
            return [name, *(f"{name}[{number}]" for number in range(1, _MOST_RESULTS))]
        result = self._call(layer, _arguments(layer, node, pick))
        if (states := _nested_states(layer)) is not None:
            return [f"{result}[0]", *(f"{result}{one}" for one in states)]
        return [f"{result}[{number}]" for number in range(_MOST_RESULTS)] if _returns_several(layer) else [result]


def _output_layers(config: Mapping[str, Any]) -> Any:
    """The outputs of a functional model; a dict as a list, sorted by its keys: Keras does not always keep its order."""

    def listed(outputs: Any) -> Any:
        outputs = plain(outputs)
        if isinstance(outputs, Mapping) and "class_name" not in outputs:
            return [listed(outputs[name]) for name in sorted(outputs)]
        return type(outputs)(map(listed, outputs)) if isinstance(outputs, list | tuple) else outputs

    return listed(config["config"]["output_layers"])


def _last_calls(inside: Mapping[str, Any]) -> dict[str, int]:
    """The highest call number of each layer."""
    nodes = [node for one in inside["layers"] for node in one.get("inbound_nodes") or ()]
    last: dict[str, int] = {}
    for source, index, _ in (*histories([*map(tensors, nodes)]), *histories(inside["output_layers"])):
        last[source] = max(index, last.get(source, 0))
    return last


def _pick(results: Mapping[tuple[str, int], list[str]], name: str, index: int, which: int) -> str:
    return results[name, index][which]


def _arguments(layer: Mapping[str, Any], node: Any, pick: Callable[..., str]) -> str:
    """The arguments of a call, as code."""
    if isinstance(node, Mapping):
        passed = [nested(one, pick) for one in node["args"] if [*histories(one)]]
        passed += [f"{name}={nested(one, pick)}" for name, one in node["kwargs"].items() if [*histories(one)]]
        return ", ".join(passed)
    heads = [node] if isinstance(node[0], str) else node
    fed = [pick(str(one[0]), int(one[1]), int(one[2])) for one in heads]
    named = heads[0][3] if len(heads[0]) > 3 else {}
    name = class_of(layer)
    if len(fed) > 1 and name in TABLE and TABLE[name].kind == "recurrent":
        if layer["config"].get("num_constants"):
            raise wrong(f"the constants that {layer['config'].get('name')} is called with are not read here")
        # Keras 2 saves the states after the input.
        passed = [fed[0], f"initial_state=[{', '.join(fed[1:])}]"]
    else:
        passed = fed if len(fed) == 1 else [f"[{', '.join(fed)}]"]
    passed += [f"{name}={nested(one, pick)}" for name, one in named.items() if [*histories(one)]]
    return ", ".join(passed)


def _returns_several(layer: Mapping[str, Any]) -> bool:
    """Whether a call of the layer returns several tensors: states, or two outputs that are not merged."""
    values = layer["config"]
    inner = values.get("layer")
    of_inner = isinstance(inner, Mapping) and inner["config"].get("return_state") is True
    apart = class_of(layer) == "Bidirectional" and values.get("merge_mode") is None
    return values.get("return_state") is True or (class_of(layer) == "Bidirectional" and of_inner) or apart


def _nested_states(layer: Mapping[str, Any]) -> list[str] | None:
    """The indices of the states of stacked cells, which Keras counts one by one; None for another layer.

    >>> cells = [{"class_name": "GRUCell"}, {"class_name": "LSTMCell"}]
    >>> stack = {"class_name": "StackedRNNCells", "config": {"cells": cells}}
    >>> _nested_states({"class_name": "RNN", "config": {"cell": stack, "return_state": True}})
    ['[1][0]', '[2][0]', '[2][1]']
    """
    values = layer["config"]
    if class_of(layer) != "RNN" or not values.get("return_state") or class_of(values["cell"]) != "StackedRNNCells":
        return None
    cells = values["cell"]["config"]["cells"]
    one = "[0]" if asked() >= KERAS_3 else ""  # Keras 2 has no list around a single state
    each = [("[0]", "[1]") if class_of(cell) == "LSTMCell" else (one,) for cell in cells]
    return [f"[{place}]{state}" for place, states in enumerate(each, 1) for state in states]


def histories(value: Any) -> Iterator[tuple[str, int, int]]:
    """Each ``[layer, call, result]`` in nested lists, as Keras 2 and 3 save them."""
    value = plain(value)
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, index, which = value["config"]["keras_history"]
            yield str(name), int(index), int(which)
        else:
            for one in value.values():
                yield from histories(one)
    elif isinstance(value, list | tuple):
        if len(value) in (3, 4) and isinstance(value[0], str) and type(value[1]) is int:
            yield value[0], value[1], int(value[2])
            yield from histories(value[3]) if len(value) == 4 else ()
        else:
            for one in value:
                yield from histories(one)


def tensors(node: Any) -> Any:
    """The tensors of a call; Keras 3 saves them under ``args`` and ``kwargs``."""
    return [node["args"], node["kwargs"]] if isinstance(node, Mapping) else node


def nested(value: Any, pick: Callable[..., str]) -> str:
    """Tensors as code, in their containers; ``pick`` returns the name of one."""
    value = plain(value)
    found = [*histories(value)]
    if isinstance(value, Mapping) or isinstance(value[0], str):
        return pick(*found[0])
    items = ", ".join(nested(one, pick) for one in value)
    return f"({items}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{items}]"
