"""Reads calls that set a default of all later layers: ``set_global_policy("mixed_float16")``, ``set_floatx``.

>>> from rnnshape.reading.code.expression import parse_all
>>> parse_all("keras.mixed_precision.set_global_policy('mixed_float16')\\ny = LSTM(8)(x)")[0].node.text
"LSTM(8, dtype='mixed_float16')"
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import TABLE
from rnnshape.layers.arguments import DTYPE
from rnnshape.layers.changes import under_policy
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.reading.code.syntax import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rnnshape.layers import Node
    from rnnshape.layers.arguments import Argument
    from rnnshape.layers.node import LayerClass

_IMAGES = TABLE["ConvLSTM2D"]
_POLICIES = ("set_global_policy", "set_dtype_policy")
_SET = {
    **dict.fromkeys((*_POLICIES, "set_floatx"), DTYPE),
    "set_image_data_format": _IMAGES.by_name["data_format"],
}


class Settings:
    """The defaults that one program sets; ``value`` reads an argument of a layer."""

    def __init__(self, value: Callable[[Argument, LayerClass, ast.expr], Any]) -> None:
        self.value = value
        self.given: dict[str, Any] = {}
        self._read: set[ast.Call] = set()
        self._has_policy = False

    def read(self, call: ast.Call) -> None:
        """Read a statement, which may be a call that sets a default."""
        argument = _SET.get(called(call))
        trees = [*call.args, *(keyword.value for keyword in call.keywords)]
        if argument is None or len(trees) != 1:
            return
        self._read.add(call)
        if called(call) != "set_floatx" or not self._has_policy:
            self.given[argument.name] = self.value(argument, _IMAGES, trees[0])
        self._has_policy |= called(call) in _POLICIES

    def left_out(self, parts: Iterable[ast.AST]) -> list[ast.Call]:
        """The calls that set a default and were not read: they are in a branch that is not taken."""
        return [one for one in parts if isinstance(one, ast.Call) and called(one) in _SET and one not in self._read]

    def applied(self, node: Node) -> Node:
        """The new layer with these defaults.

        In Keras 3 the first layer makes a policy of ``floatx``, and a later ``set_floatx`` does not change it
        (``dtype_policies/dtype_policy.py: dtype_policy``).
        """
        self._has_policy |= asked() >= KERAS_3
        for name, value in self.given.items():
            if name == DTYPE.name and value is not None:
                node = under_policy(node, value)
            elif node.has(name) and node[name] is None:
                node = node.but(**{name: value})
        return node
