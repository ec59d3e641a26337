"""Reads operations on one tensor: ``tf.reduce_mean(h, axis=1)``, ``tf.reverse(h, [1])``, ``1 - gate``.

An operation that is the same as an index is read as a slice: ``tf.expand_dims(h, 1)`` is ``h[:, None]``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.layers import Node
from rnnshape.layers.operations import SLICE, key_of
from rnnshape.layers.single import SINGLE
from rnnshape.reading.code.made import Tensor
from rnnshape.reading.code.syntax import called, dotted, made_input

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rnnshape.layers.operations import Place
    from rnnshape.reading.code.classes import Classes
    from rnnshape.reading.code.scope import Scope

OF_TENSORS = {"ops", "tf", "tensorflow", "math", "nn", "K", "backend", "np", "numpy", "jnp", "activations"}
"""The modules whose functions compute with tensors, by the last part of their names."""

_OTHER_NAMES = {
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "permute_dimensions": "transpose",
    "swish": "silu",
}
_PARTS = ("expand_dims", "reverse", "flip")
# They return the tensor itself; a cast does so if it is to the default dtype.
_ITSELF = ("identity", "stop_gradient", "cast")
_USUAL = ("float32", "'float32'", '"float32"', "floatx()")
NAMES = frozenset({*SINGLE, *_OTHER_NAMES, *_PARTS, *_ITSELF})
"""The names of the functions that are read here."""

_RANDOM = ("random_normal", "normal", "random_uniform", "uniform", "truncated_normal")
_ARGUMENTS = {"axes": "axis", "keep_dims": "keepdims", "dim": "axis"}
_OF_ORDER = {"perm": "axes", "pattern": "axes"}
_TENSOR = ("x", "input", "inputs", "tensor", "input_tensor", "features", "a", "data")
BY_NUMBER: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


class Operations:
    """Reads the operations of one program; ``value`` reads an expression, ``made`` returns the result of a node."""

    def __init__(
        self,
        scope: Scope,
        classes: Classes,
        value: Callable[[ast.expr], Any],
        made: Callable[[Node, ast.expr, list[Tensor]], Tensor],
    ) -> None:
        self.source = scope.source
        self.names = scope.names
        self.scope = scope
        self.classes = classes
        self.value = value
        self.made = made
        # The sizes of a tensor, batch first (None: open).
        self.sizes: Callable[[Tensor], Sequence[int | None] | None] = lambda tensor: None

    def reads(self, tree: ast.Call) -> bool:
        """Whether a call is one of these functions, from a module for tensors."""
        name = self.classes.imported_as(dotted(tree.func) or "")
        prefix, _, short = name.rpartition(".")
        return short in NAMES and prefix.rpartition(".")[2] in OF_TENSORS

    def of(self, tree: ast.Call) -> Tensor | None:
        """The result of a function of one tensor; None, with a note, if its arguments are not read."""
        name = _OTHER_NAMES.get(called(tree), called(tree))
        given = self._given(tree, name)
        on = given.pop("tensor", None)
        tensor = None if on is None else self.value(on)
        if not isinstance(tensor, Tensor):
            return None
        result = None if self.scope.parts(tensor) else self._result(name, tree, tensor, given)
        if result is None and tensor.call is not None:
            self.scope.note(f"{self.source.said(tree)} is not followed: the answer ends there", tree)
        return result

    def _result(self, name: str, tree: ast.Call, tensor: Tensor, given: dict[str, ast.expr]) -> Tensor | None:
        if name in _ITSELF:
            kept = name != "cast" or any(self.source.said(one).endswith(_USUAL) for one in given.values())
            return tensor if kept else None
        known = {key: self._known(one) for key, one in given.items()}
        if name in _PARTS:
            key = self._part(name, known)
            return None if key is None else self.made(Node.of(SLICE, {"key": key_of(key)}), tree, [tensor])
        by_name = SINGLE[name].by_name
        known = {key: one for key, one in known.items() if key in by_name or one is not None}  # initial=None
        required = [argument.name for argument in SINGLE[name].arguments if argument.name in ("axis", "axes")]
        fits = all(key in by_name and by_name[key].kind.accepts(one) for key, one in known.items())
        if not fits or (name != "softmax" and any(one not in known for one in required)):
            return None
        return self.made(Node.of(SINGLE[name], known), tree, [tensor])

    def with_number(
        self, op: ast.operator, tree: ast.expr, tensor: Tensor, number: Any, *, first: bool
    ) -> Tensor | None:
        """``x / 2``, or ``1 - x`` with the number first; None if the other side is not a number."""
        sign = BY_NUMBER.get(type(op))
        if sign is None or type(number) not in (int, float) or self.scope.parts(tensor):
            return None
        return self.made(Node.of(SINGLE[sign], {"number": number, "first": first}), tree, [tensor])

    def noise(self, tree: ast.expr, beside: Tensor) -> Tensor | None:
        """Random numbers, as an input: ``K.random_normal((n, 8))``; ``beside`` gives sizes that are not written.

        Its batch is that of the other tensors, because the sampling of an autoencoder often writes a number.
        """
        made = self.names.resolved(tree)
        if not isinstance(made, ast.Call) or "random" not in (dotted(made.func) or "") or called(made) not in _RANDOM:
            return None
        given = [one.value for one in made.keywords if one.arg in ("shape", "size")]
        shapes = (self.names.resolved(one) for one in (*given, *made.args))
        written = next((one for one in shapes if isinstance(one, ast.Tuple | ast.List)), None)
        axes: list[ast.expr] = [] if written is None else written.elts[1:]
        if not axes or any(isinstance(part, ast.Call) for axis in axes for part in ast.walk(axis)):
            sizes = self.sizes(beside)
            if sizes is None or None in sizes[1:]:
                return None
            axes = [ast.Constant(size) for size in sizes[1:]]
        shape = ast.Tuple([ast.Constant(None), *axes], ast.Load())
        name = tree.id if isinstance(tree, ast.Name) else "noise"
        self.scope.note(f"{name} is random: it is an input here", made)
        return Tensor(root=made_input([ast.keyword("batch_shape", shape)], tree), name=name, then=self.names.now)

    def negative(self, tree: ast.expr, tensor: Any) -> Tensor | None:
        """``-x`` of a tensor."""
        if not isinstance(tensor, Tensor) or self.scope.parts(tensor):
            return None
        return self.made(Node.of(SINGLE["negative"], {}), tree, [tensor])

    def _given(self, tree: ast.Call, name: str) -> dict[str, ast.expr]:
        """The arguments by their names in ``keras.ops``."""
        second = "axes" if name == "transpose" else "axis"
        given = dict(zip(("tensor", second, "keepdims"), tree.args, strict=False))
        for keyword in tree.keywords:
            word = keyword.arg or "**"
            if name == "transpose":
                word = _OF_ORDER.get(word, word)
            elif word != "axis":
                word = _ARGUMENTS.get(word, word)
            if word != "name":
                given["tensor" if word in _TENSOR and "tensor" not in given else word] = keyword.value
        return given

    def _known(self, tree: ast.expr) -> Any:
        known = self.names.known(tree)
        return tuple(known) if isinstance(known, list) else known

    @staticmethod
    def _part(name: str, known: dict[str, Any]) -> Sequence[Place] | None:
        """The index that does the same as ``expand_dims`` or ``reverse``; None if the axis is unknown."""
        axis = known.get("axis")
        if set(known) != {"axis"}:
            return None
        axes = axis if isinstance(axis, tuple) else (axis,)
        # Axis 0 is the batch, which is not changed; a negative axis counts from the end.
        if (
            len(axes) != 1
            or type(axes[0]) is not int
            or axes[0] == 0
            or (isinstance(axis, tuple) and name == _PARTS[0])
        ):
            return None
        (place,) = axes
        there: Place = None if name == "expand_dims" else slice(None, None, -1)
        behind = -place - 1
        return (*[slice(None)] * place, there) if place > 0 else (..., there, *[slice(None)] * behind)
