"""Loads the real model from a saved file: the only place that passes a file to Keras.

The contents were checked before (``reading.saved.foreign``, ``reading.saved.stored``): a file with a Lambda, or with a
class that is not imported by ``--import``, is never loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnshape.lab.own import class_of, module_of
from rnnshape.lab.tensorflow import keras
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.files import JSON
from rnnshape.reading.saved.model_file import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rnnshape.spec.saved import Saved


def loaded(saved: Saved) -> Any:
    """The model with the weights of the file; from JSON and a SavedModel, only the layers of the config.

    Raises:
        RnnshapeError: a custom class is not in the imported modules.
    """
    models = keras().models
    own = _own(saved)
    if saved.path.lower().endswith(JSON) or Path(saved.path).is_dir():
        config, _ = read(saved.path)
        return models.model_from_json(json.dumps(config), custom_objects=own)
    return models.load_model(saved.path, custom_objects=own, compile=False, safe_mode=True)


def _own(saved: Saved) -> dict[str, Any]:
    """The user's own classes by name.  The modules are imported here, which may register some of the classes."""
    for name in saved.modules:
        module_of(name)
    return {name: class_of(name, saved.modules) for name in saved.own}


def layer_at(model: Any, names: Sequence[str]) -> Any:
    """A layer of the model, by the names of the models around it and its own name."""
    for name in names:
        model = model.get_layer(name)
    return model


def called(model: Any, inputs: dict[str, Any]) -> Any:
    """The result of the model for inputs by the names of its input layers; a dict as a list, sorted by its keys."""
    fed = [inputs[_name(tensor)] for tensor in model.inputs] if len(inputs) > 1 else [*inputs.values()]
    result = model(fed if len(fed) > 1 else fed[0])
    return next(iter(result.values())) if isinstance(result, dict) and len(result) == 1 else _in_lists(result)


def _in_lists(result: Any) -> Any:
    if isinstance(result, dict):
        return [_in_lists(result[name]) for name in sorted(result)]
    return type(result)(map(_in_lists, result)) if isinstance(result, list | tuple) else result


def _name(tensor: Any) -> str:
    history = tensor._keras_history
    return str((history.layer if asked() < KERAS_3 else history.operation).name)
