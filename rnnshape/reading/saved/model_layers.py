"""The layers of a saved model: names, classes, the groups of their weights, and their places in the code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.reading.saved.layer_config import MODELS, class_of, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Placed:
    """A layer of the model: ``word`` is its name in the code (empty in a Sequential), ``cls`` its class.

    ``names`` are the names of the models around it and its own.  ``groups`` is the path of its weights in a file of
    Keras 3, which numbers the layers of one class (``keras/src/saving/saving_lib.py``, ``_save_container_state``).
    """

    word: str
    cls: str
    names: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a saved layer or model, and the places of the layers in it.

    ``layers`` are in the order of their first calls.  ``inputs`` has the names of the inputs, in the code and in the
    model.  ``stretches`` has start, end and layer name for each part of the text that is about a layer.
    """

    text: str
    layers: tuple[Placed, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    stretches: tuple[tuple[int, int, str], ...] = ()

    def about(self, span: tuple[int, int]) -> str | None:
        """The name of the layer at this place in the text; None without one."""
        return next((name for begin, end, name in self.stretches if begin <= span[0] < end), None)


def layers_of(config: Mapping[str, Any]) -> list[Any]:
    inside = config["config"]
    layers = inside if isinstance(inside, list) else inside["layers"]
    if not isinstance(layers, list):
        raise wrong("its layers are not a list")
    return layers


def places(
    config: Mapping[str, Any], names: tuple[str, ...] = (), groups: tuple[str, ...] = ()
) -> Iterator[tuple[int, Placed]]:
    """Each layer of the model and of nested models, with the ``id`` of its config."""
    layers = [(class_of(layer), layer) for layer in layers_of(config)]
    own = groups_of(str(layer["class_name"]).rpartition(">")[2] for _, layer in layers)
    for (cls, layer), group in zip(layers, own, strict=True):
        place = Placed("", cls, (*names, name_of(layer)), (*groups, "layers", group))
        yield id(layer), place
        if cls in MODELS:
            yield from places(layer, place.names, place.groups)


def name_of(layer: Mapping[str, Any]) -> str:
    inside = layer["config"]
    return str(
        layer.get("name") or (inside.get("name") if isinstance(inside, Mapping) else None) or layer["class_name"]
    )


def groups_of(classes: Iterable[str]) -> Iterator[str]:
    """The names of the groups of these layers; Keras numbers those of one class: ``lstm``, ``lstm_1``."""
    seen: Counter[str] = Counter()
    for group in map(snake, classes):
        yield f"{group}_{seen[group]}" if seen[group] else group
        seen[group] += 1


def snake(name: str) -> str:
    """The name of a group from that of a class, as Keras makes it (``keras/src/utils/naming.py``)."""
    name = re.sub(r"\W+", "", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
