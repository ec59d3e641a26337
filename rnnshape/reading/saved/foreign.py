"""Finds classes and functions in a saved config that are not from Keras: Keras would look up and run their code.

>>> [one.said for one in foreign({"class_name": "Lambda", "config": {"name": "double"}})]
['double, a Lambda']

Keras' own ``safe_mode`` rejects only a Lambda, and older releases import any module that a config names
(``keras/src/saving/serialization_lib.py``, ``_retrieve_class_or_fn``).  So the config is searched before Keras gets the
file: a name that is not on the lists here is loaded only with ``--import``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.layers.names import ACTIVATIONS
from rnnshape.reading.saved.layer_config import LAYERS, MODELS, class_of, object_class
from rnnshape.reading.saved.operations import is_operation

if TYPE_CHECKING:
    from collections.abc import Iterator

# The class names for plain data and dtypes in a config.
_DATA = ("__tuple__", "__keras_tensor__", "__bytes__", "__ellipsis__", "__slice__", "TensorShape")
_POLICIES = ("DTypePolicy", "FloatDTypePolicy", "Policy")
# With ``compile=False`` these are never read.
_UNREAD = ("compile_config", "build_config", "training_config")


@dataclass(frozen=True, slots=True)
class Foreign:
    """An object that is not from Keras: its layer, its class, and whether a module may define it."""

    layer: str
    name: str
    importable: bool

    @property
    def said(self) -> str:
        """The object as text."""
        return f"{self.layer}, {'' if self.importable else 'a '}{self.name}" if self.layer else self.name


def foreign(config: Any, layer: str = "") -> Iterator[Foreign]:
    """Every object in a config that is neither plain data nor on the lists of Keras' names."""
    if isinstance(config, list | tuple):
        for one in config:
            yield from foreign(one, layer)
    if not isinstance(config, Mapping):
        return
    values = config.get("config")
    if isinstance(config.get("class_name"), str):
        if isinstance(values, Mapping) and isinstance(values.get("name"), str):
            layer = values["name"]
        if not _known(config):
            name = _name(config)
            yield Foreign(layer, name, name not in ("Lambda", "__lambda__") and not is_operation(config))
    elif isinstance(config.get("module"), str) or "registered_name" in config:
        yield Foreign(layer, f"an object of {config.get('module')}", importable=False)
    for key, value in config.items():
        if key not in _UNREAD:
            yield from foreign(value, layer)


def _known(config: Mapping[str, Any]) -> bool:
    name = str(config["class_name"])
    if name in _DATA:
        return True
    if name == "function":
        return config.get("module") in (None, "builtins") and config.get("config") in ACTIVATIONS.known
    if is_operation(config):  # a model with one is not loaded: theory may follow only a part of it
        return False
    cls = class_of(config)
    return cls in (*MODELS, "InputLayer", *_POLICIES, *LAYERS) or object_class(cls) is not None


def _name(config: Mapping[str, Any]) -> str:
    name = str(config["class_name"])
    if name == "function":
        return f"the function {config.get('config')}"
    package = str(config.get("registered_name") or "").rpartition(">")[0] or config.get("module")
    bare = name.rpartition(">")[2]
    if is_operation(config):
        return f"Keras operation {bare}"
    return f"{package}.{bare}" if package and not str(package).startswith(("keras", "tf_keras")) else bare
