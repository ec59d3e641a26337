"""How Keras saves which tensors a layer is called on: ``[layer, call, result]``, nested as they are passed.

>>> [*histories([["lstm", 0, 1], ["lstm", 0, 2]])]
[('lstm', 0, 1), ('lstm', 0, 2)]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnshape.reading.saved.layer_config import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def histories(value: Any) -> Iterator[tuple[str, int, int]]:
    """Each ``[layer, call, result]`` in nested lists of them, as Keras 2 and 3 save them."""
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
    """What a call is called on: Keras 3 keeps it apart from the rest."""
    return [node["args"], node["kwargs"]] if isinstance(node, Mapping) else node


def nested(value: Any, pick: Callable[..., str]) -> str:
    """Tensors as code, in lists as they are passed; ``pick`` gives the word of one."""
    value = plain(value)
    found = [*histories(value)]
    if isinstance(value, Mapping) or (isinstance(value, list) and isinstance(value[0], str)):
        return pick(*found[0])
    return f"[{', '.join(nested(one, pick) for one in value)}]"
