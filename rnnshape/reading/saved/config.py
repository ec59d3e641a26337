"""Writes the config that Keras saves of a model as code that makes the same model.

>>> dense = {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "linear"}}
>>> code({"class_name": "Sequential", "config": {"layers": [dense]}}).text
"model = Sequential([Dense(name='out', units=2, activation='linear')])"

The code is then read like pasted code, with the same table of layers and the same errors for unknown classes.  Nested
models are written in the place of their call.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from rnnshape.reading.saved.foreign import foreign
from rnnshape.reading.saved.functional_config import Wiring
from rnnshape.reading.saved.layer_config import FUNCTIONAL, MODELS, class_of, made, plain, shape_of, wrong
from rnnshape.reading.saved.model_layers import Code, Placed, layers_of, places

if TYPE_CHECKING:
    from collections.abc import Iterator


_MOST_LAYERS = 3_000


def code(config: Any, *, own: bool = False) -> Code:
    """The Python code of a saved layer or model: one expression, or one statement a line.

    ``config`` is what ``keras.saving.serialize_keras_object`` gives, of Keras 2 or 3: ``class_name`` and ``config``.
    ``own`` tells whether modules define the classes that are not from Keras.

    Raises:
        Invalid: it is not the config of a layer or a model.
    """

    def unread(layer: Any) -> bool:
        return not own and any(foreign(layer))

    try:
        if class_of(config) not in MODELS:
            return Code(made(config))
        found = dict(islice(places(config), _MOST_LAYERS + 1))
        if len(found) > _MOST_LAYERS:
            raise wrong(f"it has more than {_MOST_LAYERS:,} layers")
        if class_of(config) == "Sequential" and not any(class_of(one) in FUNCTIONAL for one in layers_of(config)):
            first, *others = _flat(config)
            # The shape behind a layer that is not read is only said for calls.
            if not (class_of(first) == "InputLayer" and others and unread(others[0])):
                return _in_turn(config, found)
        return Wiring(found, unread).program(config)
    except RecursionError:
        raise wrong("it is nested too deeply") from None
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise wrong(f"a part is missing or has another form ({type(error).__name__}: {error})") from None


def _in_turn(config: Mapping[str, Any], places: Mapping[int, Placed]) -> Code:
    """A Sequential whose layers are called one after another."""
    text = "model = Sequential(["
    layers, stretches = [], []
    said = [(None, one) for one in _said_input(config)] + [(places[id(one)], made(one)) for one in _flat(config)]
    for number, (place, call) in enumerate(said):
        text += ", " * bool(number)
        if place is not None:
            stretches.append((len(text), len(text) + len(call), place.names[-1]))
            layers += [place] * (place.cls != "InputLayer")
        text += call
    return Code(f"{text}])", tuple(layers), (), tuple(stretches))


def _flat(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The layers of a Sequential and of nested ones; an InputLayer is kept only at the start."""
    for number, layer in enumerate(layers_of(config)):
        if class_of(layer) == "Sequential":
            inner = [*_flat(layer)]
            yield from inner[number > 0 and class_of(inner[0]) == "InputLayer" :]
        else:
            yield layer


def _said_input(config: Mapping[str, Any]) -> list[str]:
    """The input that a Sequential without an InputLayer was built for, if its config has one."""
    inside = config["config"]
    shape = plain(inside.get("build_input_shape")) if isinstance(inside, Mapping) else None
    if not shape or class_of(next(_flat(config))) == "InputLayer":
        return []
    return [f"Input(batch_shape={shape_of({'batch_shape': shape})!r})"]
