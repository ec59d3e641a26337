"""From the config that Keras saves of a model to the code that makes the same model.

>>> dense = {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "linear"}}
>>> code({"class_name": "Sequential", "config": {"layers": [dense]}})
"model = Sequential([Dense(name='out', units=2, activation='linear')])"

The code is read as pasted code is: so there is one table of layers, and one way to name a class that is not known.
Nested models are written in the place of their call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import TABLE, catalog
from rnnshape.layers.arguments import DTYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FUNCTIONAL = ("Functional", "Model")
_MODELS = ("Sequential", *_FUNCTIONAL)
_KERAS = ("keras", "tf_keras", "builtins")


def code(config: Any) -> str:
    """The Python code of a saved layer or model: one expression, or one statement a line.

    ``config`` is what ``keras.saving.serialize_keras_object`` gives, of Keras 2 or 3: ``class_name`` and ``config``.

    Raises:
        Invalid: it is not the config of a layer or a model.
    """
    try:
        if _class(config) not in _MODELS:
            return _made(config)
        if _class(config) == "Sequential" and not any(_class(one) in _FUNCTIONAL for one in _layers(config)):
            return f"model = Sequential([{', '.join([*_said_input(config), *(_made(one) for one in _flat(config))])}])"
        return _Wiring().program(config)
    except RecursionError:
        raise _wrong("it is nested too deeply") from None
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise _wrong(f"a part is missing or has another form ({type(error).__name__}: {error})") from None


def _wrong(why: str) -> Invalid:
    return Invalid([Problem("", f"this is not the config of a Keras layer or model: {why}")])


def _class(config: Any) -> str:
    """The name of the class; one that is not of Keras never gets the name of one of Keras' own."""
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise _wrong("class_name is missing")
    name = str(config["class_name"]).rpartition(">")[2]
    module = config.get("module") or "keras"
    registered = (
        str(config.get("registered_name") or "").rpartition(">")[0] or str(config["class_name"]).rpartition(">")[0]
    )
    if registered or str(module).partition(".")[0] not in _KERAS:
        name = f"Custom_{registered or module}_{name}"  # far from each name of Keras: it is no typing mistake
    return _word(name)


def _word(name: str) -> str:
    word = re.sub(r"\W+", "_", str(name), flags=re.ASCII).strip("_") or "x"
    return word if word.isidentifier() else f"x_{word}"


def _layers(config: Mapping[str, Any]) -> list[Any]:
    inside = config["config"]
    layers = inside if isinstance(inside, list) else inside["layers"]
    if not isinstance(layers, list):
        raise _wrong("its layers are not a list")
    return layers


def _flat(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The layers of a Sequential and of those within it; only the first input is one."""
    for number, layer in enumerate(_layers(config)):
        if _class(layer) == "Sequential":
            inner = [*_flat(layer)]
            yield from inner[number > 0 and _class(inner[0]) == "InputLayer" :]
        else:
            yield layer


def _said_input(config: Mapping[str, Any]) -> list[str]:
    """The input that a Sequential without an InputLayer was built for, if it says one."""
    inside = config["config"]
    shape = _plain(inside.get("build_input_shape")) if isinstance(inside, Mapping) else None
    if not shape or _class(next(_flat(config))) == "InputLayer":
        return []
    return [f"Input(batch_shape={_shape({'batch_shape': shape})!r})"]


def _made(config: Mapping[str, Any], *, named: bool = True) -> str:
    """The constructor call of one layer."""
    name, values = _class(config), config["config"]
    if not isinstance(values, Mapping):
        raise _wrong(f"the config of {name} is not an object")
    if name == "InputLayer":
        return f"Input(batch_shape={_shape(values)!r})"
    if name in _MODELS:
        raise _wrong(f"a {name} within a layer is not read here")
    if name not in TABLE:
        return f"{name}()"
    parts = []
    known = TABLE[name]
    for argument, value in values.items():
        if argument not in known.by_name or (argument == "name" and not named):
            continue
        if argument == "backward_layer" and _mirrors(value, values.get("layer")):
            continue
        default = known.usual[argument]
        said = _value(argument, value, default)
        if said is not None and said not in (repr(default), *(["'float32'"] if argument == DTYPE.name else [])):
            parts.append(f"{argument}={said}")
    return f"{name}({', '.join(parts)})"


def _mirrors(backward: Any, forward: Any) -> bool:
    """Whether a ``backward_layer`` is the one that Bidirectional makes itself, which Keras saves all the same."""
    if not (_is_object(backward) and _is_object(forward)) or forward["config"].get("go_backwards"):
        return False
    turned = {**forward, "config": {**forward["config"], "go_backwards": True}}
    return _made(turned, named=False) == _made(backward, named=False)


def _shape(values: Mapping[str, Any]) -> tuple[int | None, ...]:
    shape = _plain(values.get("batch_shape") or values.get("batch_input_shape"))
    if not isinstance(shape, list | tuple) or not all(size is None or type(size) is int for size in shape):
        raise _wrong("an InputLayer has no batch_shape")
    return tuple(shape)


def _plain(value: Any) -> Any:
    """A tuple as Keras saves it (``__tuple__``) as a list."""
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        return value["items"]
    return value


def _value(argument: str, value: Any, default: Any) -> str | None:
    """The value of an argument as code; None where it says what is so anyway."""
    value = _plain(value)
    if isinstance(value, list | tuple):
        items = [str(_value(argument, item, None)) for item in value]
        return (
            f"[{', '.join(items)}]" if any(map(_is_object, value)) else f"({', '.join(items)}{',' * (len(items) == 1)})"
        )
    if not isinstance(value, Mapping):
        return repr(value)
    if argument == DTYPE.name:
        return repr(value["config"]["name"])
    name = str(value["class_name"])
    if name == "function":
        return repr(value["config"]) if value.get("module") in (None, "builtins") else _word(value["config"])
    if _class(value) in TABLE:
        return _made(value, named=False)
    return _object(_class(value), value.get("config") or {}, default)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value


def _object(name: str, values: Mapping[str, Any], default: Any) -> str | None:
    """An initializer, a regularizer, a constraint or an activation."""
    found = [cls for what in _KINDS if (cls := catalog.find(what, name)) is not None]
    if not found:
        return f"{name}()"
    given = {one.name: values[one.name] for one in found[0].arguments if one.name in values and one.name != "name"}
    parts = [
        f"{one.name}={said}"
        for one in found[0].arguments
        if one.name in given
        and (said := _value(one.name, given[one.name], one.default)) is not None
        and said not in (repr(one.default), *(["'float32'"] if one.name == DTYPE.name else []))
    ]
    if not parts and default is not None and found[0].made({}, default) == default:
        return None
    return f"{name}({', '.join(parts)})"


_KINDS = ("initializer", "regularizer", "constraint", "activation")


class _Wiring:
    """Writes the calls of a functional model, each nested model in the place of its call."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.taken: set[str] = set()
        self.layers: dict[int, str] = {}

    def program(self, config: Mapping[str, Any]) -> str:
        if _class(config) == "Sequential":
            first = _layers(config)[0]
            while _class(first) in _MODELS:
                first = _layers(first)[0]
            if _class(first) != "InputLayer":
                raise _wrong("the Sequential does not say the shape of its input: build the model before it is saved")
            start = self._input(first)
            inputs, outputs = [start], [self._sequential(config, start)]
        else:
            inputs, outputs = self._functional(config, None)
        self.lines.append(f"model = Model([{', '.join(inputs)}], [{', '.join(outputs)}])")
        return "\n".join(self.lines)

    def _free(self, name: str) -> str:
        word = free = _word(name)
        number = 1
        while free in self.taken:
            number += 1
            free = f"{word}_{number}"
        self.taken.add(free)
        return free

    def _input(self, layer: Mapping[str, Any]) -> str:
        name = self._free(layer["config"].get("name") or "x")
        self.lines.append(f"{name} = {_made(layer)}")
        return name

    def _layer(self, layer: Mapping[str, Any]) -> str:
        """The name of a layer, which is made once and may be called often."""
        if id(layer) not in self.layers:
            name = self._free(layer["config"].get("name") or _class(layer))
            self.layers[id(layer)] = name
            self.lines.append(f"{name} = {_made(layer, named=name != layer['config'].get('name'))}")
        return self.layers[id(layer)]

    def _call(self, layer: Mapping[str, Any], arguments: str) -> str:
        """The name of what a call returns."""
        name = self._layer(layer)
        result = self._free(f"{name}_y")
        self.lines.append(f"{result} = {name}({arguments})")
        return result

    def _sequential(self, config: Mapping[str, Any], tensor: str) -> str:
        for layer in _layers(config):
            if _class(layer) == "Sequential":
                tensor = self._sequential(layer, tensor)
            elif _class(layer) in _FUNCTIONAL:
                _, outputs = self._functional(layer, [tensor])
                (tensor,) = outputs
            elif _class(layer) != "InputLayer":
                tensor = self._call(layer, tensor)
        return tensor

    def _functional(self, config: Mapping[str, Any], given: list[str] | None) -> tuple[list[str], list[str]]:
        """Inputs and outputs of a functional model; ``given`` are the tensors that it is called on."""
        layers = {str(layer.get("name") or layer["config"]["name"]): layer for layer in _layers(config)}
        inside = config["config"]
        starts = [*_histories(inside["input_layers"])]
        results: dict[tuple[str, int], list[str]] = {}
        if given is not None and len(given) != len(starts):
            raise _wrong(f"{inside.get('name')} has {len(starts)} inputs and is called on {len(given)} tensors")
        for number, (name, index, _) in enumerate(starts):
            results[name, index] = [self._input(layers[name])] if given is None else [given[number]]
        inputs = [results[name, index][0] for name, index, _ in starts]
        waiting = [
            (name, index, node)
            for name, layer in layers.items()
            if _class(layer) != "InputLayer"
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
                raise _wrong(f"the inputs of {later[0][0]} are not there")
            waiting = later
        return inputs, [_pick(results, *at) for at in _histories(inside["output_layers"])]

    def _node(self, layer: Mapping[str, Any], node: Any, pick: Callable[..., str]) -> list[str]:
        """One call in a functional model: the words for what it returns."""
        if _class(layer) in _MODELS:
            tensors = [pick(*at) for at in _histories(_tensors(node))]
            if _class(layer) == "Sequential":
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
    tensors = _plain(tensors)
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
    name = _class(layer)
    if len(tensors) > 1 and name in TABLE and TABLE[name].kind == "recurrent":
        if layer["config"].get("num_constants"):
            raise _wrong(f"the constants that {layer['config'].get('name')} is called with are not read here")
        # Keras 2 puts the states behind the input.
        passed = [tensors[0], f"initial_state=[{', '.join(tensors[1:])}]"]
    else:
        passed = tensors if len(tensors) == 1 else [f"[{', '.join(tensors)}]"]
    passed += [f"{name}={_nested(one, pick)}" for name, one in named.items() if [*_histories(one)]]
    return ", ".join(passed)


def _nested(value: Any, pick: Callable[..., str]) -> str:
    value = _plain(value)
    found = [*_histories(value)]
    if isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], str)):
        return pick(*found[0])
    return f"[{', '.join(_nested(one, pick) for one in value)}]"


def _returns_several(layer: Mapping[str, Any]) -> bool:
    """Whether a call of the layer returns a tuple: states, or two outputs that are not merged."""
    values = layer["config"]
    inner = values.get("layer")
    of_inner = isinstance(inner, Mapping) and inner["config"].get("return_state") is True
    apart = _class(layer) == "Bidirectional" and values.get("merge_mode") is None
    return values.get("return_state") is True or (_class(layer) == "Bidirectional" and of_inner) or apart
