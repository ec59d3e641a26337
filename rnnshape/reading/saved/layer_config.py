"""Writes the config that Keras saves of one layer as its constructor call.

>>> made({"class_name": "GRU", "config": {"name": "gru", "units": 8, "return_sequences": False}})
"GRU(name='gru', units=8)"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import TABLE, catalog
from rnnshape.layers.arguments import DTYPE
from rnnshape.layers.merges import MERGES
from rnnshape.reading.identifiers import identifier

FUNCTIONAL = ("Functional", "Model")
MODELS = ("Sequential", *FUNCTIONAL)
LAYERS = {**TABLE, **MERGES}
# Keras saves the axes that it has made of one.
_ONE_OF = {("BatchNormalization", "axis"), ("MultiHeadAttention", "attention_axes")}
_KERAS = ("keras", "tf_keras", "builtins")


def wrong(why: str) -> Invalid:
    return Invalid([Problem("", f"this is not the config of a Keras layer or model: {why}")])


def class_of(config: Any) -> str:
    """The name of the class; a class that is not from Keras gets a prefix, so that it never has a name of Keras."""
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise wrong("class_name is missing")
    name = str(config["class_name"]).rpartition(">")[2]
    module = config.get("module") or "keras"
    registered = (
        str(config.get("registered_name") or "").rpartition(">")[0] or str(config["class_name"]).rpartition(">")[0]
    )
    if registered or str(module).partition(".")[0] not in _KERAS:
        name = f"Custom_{registered or module}_{name}"  # unlike any name of Keras, so that no error suggests one
    return identifier(name)


def made(config: Mapping[str, Any], *, named: bool = True) -> str:
    """The constructor call of one layer."""
    name, values = class_of(config), config["config"]
    if not isinstance(values, Mapping):
        raise wrong(f"the config of {name} is not an object")
    if name == "InputLayer":
        return f"Input(batch_shape={shape_of(values)!r})"
    if name in MODELS:
        return _model(name, values)
    if name not in LAYERS:
        return f"{name}()"
    parts = []
    known = LAYERS[name]
    for argument, value in values.items():
        if argument not in known.by_name or (argument == "name" and not named):
            continue
        if argument == "backward_layer" and _mirrors(value, values.get("layer")):
            continue
        if (name, argument) in _ONE_OF and isinstance(axes := plain(value), list | tuple) and len(axes) == 1:
            (value,) = axes  # noqa: PLW2901
        default = known.usual[argument]
        if (said := _value(argument, value, default)) not in _of_the_default(argument, default):
            parts.append(f"{argument}={said}")
    return f"{name}({', '.join(parts)})"


def _model(name: str, values: Mapping[str, Any]) -> str:
    """A model within a layer: ``TimeDistributed(Sequential([...]))``."""
    if name != "Sequential":
        raise Invalid([Problem("", f"a {name} within a layer is not read: make it a Sequential, or show it alone")])
    return f"Sequential([{', '.join(made(one) for one in values['layers'] if class_of(one) != 'InputLayer')}])"


def _of_the_default(argument: str, default: Any) -> tuple[str | None, ...]:
    """The values, as code, that need not be written: those of the default."""
    return None, repr(default), *(["'float32'"] if argument == DTYPE.name else [])


def _mirrors(backward: Any, forward: Any) -> bool:
    """Whether a ``backward_layer`` is the one that Bidirectional creates by default; Keras saves it too."""
    if not (_is_object(backward) and _is_object(forward)) or forward["config"].get("go_backwards"):
        return False
    turned = {**forward, "config": {**forward["config"], "go_backwards": True}}
    return made(turned, named=False) == made(backward, named=False)


def shape_of(values: Mapping[str, Any]) -> tuple[int | None, ...]:
    shape = plain(values.get("batch_shape") or values.get("batch_input_shape"))
    if not isinstance(shape, list | tuple) or not all(size is None or type(size) is int for size in shape):
        raise wrong("an InputLayer has no batch_shape")
    return tuple(shape)


def built_for(config: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    """The shape of the input that Keras saved with a layer; None if there is none, or if it has several inputs."""
    built = config.get("build_config")
    shape = plain(built.get("input_shape")) if isinstance(built, Mapping) else None
    if not isinstance(shape, list | tuple) or not all(size is None or type(size) is int for size in shape):
        return None
    return tuple(shape)


def plain(value: Any) -> Any:
    """The items of a tuple as Keras saves it (``__tuple__``); any other value unchanged."""
    if isinstance(value, Mapping) and value.get("class_name") == "__tuple__":
        return value["items"]
    return value


def _value(argument: str, value: Any, default: Any) -> str | None:
    """The value of an argument as code; None for an object that is the default."""
    value = plain(value)
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
        return repr(value["config"]) if value.get("module") in (None, "builtins") else identifier(str(value["config"]))
    if class_of(value) in LAYERS or class_of(value) in MODELS:
        return made(value, named=False)
    return _object(class_of(value), value.get("config") or {}, default)


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value


def _object(name: str, values: Mapping[str, Any], default: Any) -> str | None:
    """An initializer, a regularizer, a constraint or an activation as code; None for the default."""
    if (known := object_class(name)) is None:
        return f"{name}()"
    parts = [
        f"{one.name}={said}"
        for one in known.arguments
        if one.name in values
        and one.name != "name"
        and (said := _value(one.name, values[one.name], one.default)) not in _of_the_default(one.name, one.default)
    ]
    if not parts and default is not None and known.made({}, default) == default:
        return None
    return f"{name}({', '.join(parts)})"


def object_class(name: str) -> catalog.ObjectClass | None:
    """The class of an initializer, a regularizer, a constraint or an activation; None if Keras has none."""
    kinds = ("initializer", "regularizer", "constraint", "activation")
    return next((cls for kind in kinds if (cls := catalog.find(kind, name)) is not None), None)
