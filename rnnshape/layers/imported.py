"""The entry of a class from a user's own module: the lab builds it, theory has no rule for it.

>>> cls = imported("MyCell", ("cells",), ("0", "activation"))
>>> Node.of(cls, {"0": 8, "activation": "relu"})
MyCell(8, activation='relu')
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rnnshape.errors import NoRule
from rnnshape.layers.arguments import DTYPE, REQUIRED, Argument
from rnnshape.layers.around import any_sequence
from rnnshape.layers.kinds import Kind
from rnnshape.layers.node import IMPORTED, LayerClass, Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers.base import Answer, Given

_UNSAID: Any = type("Unsaid", (), {"__repr__": lambda self: "UNSAID"})()


class Imported(LayerClass):
    """The entry of a user's own class for one constructor call: its arguments are those of the call.

    ``modules`` may contain it; they are searched in this order.
    """

    modules: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return imported, (self.name, self.modules, tuple(self.by_name))


def imported(name: str, modules: tuple[str, ...], given: tuple[str, ...]) -> Imported:
    """The cached entry of a class for these arguments: a place for each by position, a name for each keyword."""
    return _entry(name, modules, (*(one for one in given if one != DTYPE.name), DTYPE.name))


@cache
def _entry(name: str, modules: tuple[str, ...], given: tuple[str, ...]) -> Imported:
    arguments = (
        DTYPE if one == DTYPE.name else Argument(one, Kind(), REQUIRED if one.isdigit() else _UNSAID) for one in given
    )
    entry = Imported(name, IMPORTED, tuple(arguments), _no_rule, any_sequence)
    object.__setattr__(entry, "modules", modules)
    return entry


def _no_rule(node: Node, given: Given) -> Answer:
    raise NoRule(node.name)


def modules_of(node: Node) -> tuple[str, ...]:
    """The modules of the imported classes in a layer, in the order in which they are searched."""
    found: Iterator[str] = (
        module for part in node.walk() if isinstance(part.cls, Imported) for module in part.cls.modules
    )
    return tuple(dict.fromkeys(found))
