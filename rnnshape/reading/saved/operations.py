"""Writes an operation of Keras between the layers of a functional model as code: ``x[:, -1]``, ``ops.mean(x, axis=1)``.

Keras saves it like a layer, but from one of its modules of functions; its class may have the name of a layer
(``keras/src/ops/numpy.py: Add``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def is_operation(config: Mapping[str, Any]) -> bool:
    """Whether this is an operation, and no layer."""
    return str(config.get("module") or "").startswith("keras.src.ops.")


def operation(config: Mapping[str, Any], node: Mapping[str, Any], pick: Callable[..., str]) -> str:
    """One call of an operation; ``pick`` returns the name of a tensor.

    >>> tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["lstm", 0, 0]}}
    >>> every = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
    >>> config = {"class_name": "GetItem", "config": {"name": "get_item"}}
    >>> operation(config, {"args": [tensor, [every, -1]], "kwargs": {}}, lambda name, *_: name)
    'lstm[:, -1]'
    """
    passed = [_written(one, pick) for one in node["args"]]
    if config["class_name"] == "GetItem" and len(passed) == 2:
        return f"{passed[0]}[{passed[1].strip('[]')}]"
    left_out = ("name",) if config["class_name"] == "Cast" else ("name", "dtype")
    named = {**node["kwargs"], **{name: one for name, one in config["config"].items() if name not in left_out}}
    words = [*passed, *(f"{name}={_written(one, pick)}" for name, one in named.items())]
    return f"ops.{re.sub('(?<!^)(?=[A-Z])', '_', str(config['class_name'])).lower()}({', '.join(words)})"


def _written(value: Any, pick: Callable[..., str]) -> str:
    """A tensor, number, text, slice or list of them, as code."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(one, pick) for one in value)}]"
    if not isinstance(value, Mapping):
        return repr(value)
    kind, inside = value.get("class_name"), value.get("config")
    if kind == "__tuple__":
        return _written(value["items"], pick)
    if kind == "__keras_tensor__" and isinstance(inside, Mapping):
        return pick(*inside["keras_history"])
    if kind == "__slice__" and isinstance(inside, Mapping):
        ends = [inside.get(end) for end in ("start", "stop", "step")]
        first, last, step = ("" if end is None else _written(end, pick) for end in ends)
        return f"{first}:{last}{step and f':{step}'}"
    return "..." if kind == "__ellipsis__" else "unknown"
