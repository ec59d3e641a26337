"""Finds the shape of a tensor, if only numbers decide it: ``x.shape[1]`` of ``x = Input((10, 8))``.

>>> from rnnshape.reading.code.expression import parse_all
>>> code = "x = LSTM(6, return_sequences=True)(Input((5, 3)))\\ny = GRU(x.shape[1] * x.shape[2])(x)"
>>> [parsed.node.text for parsed in parse_all(code)]
['LSTM(6, return_sequences=True) | GRU(30)']
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from rnnshape.errors import RnnshapeError
from rnnshape.layers.base import Given, Leaf
from rnnshape.layers.dims import fixed
from rnnshape.layers.stand_ins import Size
from rnnshape.reading.code.made import Tensor
from rnnshape.reading.code.syntax import called
from rnnshape.reading.code.tensors import SAME, makes, operand_of

if TYPE_CHECKING:
    from rnnshape.reading.code.scope import Scope
    from rnnshape.reading.code.sizes import Sizes
    from rnnshape.reading.code.tensors import Tensors

# Two values for each open input size: an output size that differs between them is open too.
_EITHER = (96, 160)
_MOST_CALLS = 50


class Shapes:
    """Finds the shapes of one program's tensors."""

    def __init__(self, scope: Scope, tensors: Tensors) -> None:
        self.scope = scope
        self.names = scope.names
        self.tensors = tensors
        # The inputs whose shapes are being read: in x = Input(x.shape[1:]), the other x is the one before it.
        self._reading: list[ast.expr] = []

    def of(self, tree: ast.expr) -> Sizes | None:
        """The sizes of ``x.shape``, batch first (None: open); None if the expression is not a shape."""
        tensor = self._owner(tree)
        return None if tensor is None else self.open(tensor)

    def computed(self, tree: ast.expr) -> Sizes | None:
        """The shape of an array that is made of another one: ``X / 255``, ``X.astype(int)``, ``np.reshape(X, …)``."""
        match tree:
            case ast.BinOp(left=left, right=right):
                return self.computed(left) or self.computed(right)
            case ast.Call() if called(tree) in SAME and not makes(tree):
                return None if (inner := operand_of(tree)) is None else self.computed(inner)
            case ast.Call() if makes(tree):
                return self.open(Tensor(root=tree))
            case ast.Name() | ast.Attribute() if self.scope.there(tree) is None:
                return None if (made := self._tensor(tree)) is None else self.open(made)
        return None

    def open(self, tensor: Tensor) -> Sizes | None:
        """The sizes of a tensor, batch first (None: open)."""
        found = [self._sizes(tensor, fill, _MOST_CALLS) for fill in _EITHER]
        first, second = found
        if first is None or second is None or len(first) != len(second):
            return None
        return tuple(one if one == other else None for one, other in zip(first, second, strict=True))

    def _owner(self, tree: ast.expr) -> Tensor | None:
        """The tensor whose shape ``x.shape``, ``x.get_shape().as_list()`` or ``K.int_shape(x)`` is."""
        match tree:
            case ast.Attribute(attr="shape", value=whole):
                return self._tensor(whole)
            case ast.Call(func=ast.Attribute(attr="as_list", value=whole), args=[]):
                return self._owner(whole)
            case ast.Call(func=ast.Attribute(attr="get_shape", value=whole), args=[]):
                return self._tensor(whole)
            case ast.Call(args=[whole]) if called(tree) == "int_shape":
                return self._tensor(whole)
        return None

    def _tensor(self, tree: ast.expr) -> Tensor | None:
        there = self.scope.there(tree)
        if isinstance(there, Tensor) and there.root not in self._reading:
            return there
        made = self.names.resolved(tree)
        return Tensor(root=made, then=self.scope.when.get(made)) if made is not tree and makes(made) else None

    def _sizes(self, tensor: Tensor, fill: int, left: int) -> tuple[int, ...] | None:
        if tensor.call is None:
            return self._fed(tensor, fill)
        call = tensor.call
        fed = [self._sizes(one, fill, left - 1) for one in call.inputs] if left else [None]
        if None in fed or call.node.without_rule or self.names.standing_in(call.node):
            return None
        first, *others = [tuple(map(fixed, sizes)) for sizes in fed if sizes is not None]
        given = Given(first, "float32", others=tuple((other, "float32") for other in others))
        try:
            returned: Any = call.node.cls.theory(call.node, given).returned
        except (RnnshapeError, ValueError, LookupError):  # Keras rejects the call, which its own answer reports
            return None
        for index in tensor.path:
            returned = returned[index]
        return tuple(dim.size for dim in returned.dims) if isinstance(returned, Leaf) else None

    def _fed(self, tensor: Tensor, fill: int) -> tuple[int, ...] | None:
        """The shape of an input; its problems are reported with the call, not here."""
        if tensor.root is None or not makes(tensor.root) or tensor.root in self._reading:
            return None
        before = len(self.scope.source.problems)
        self._reading.append(tensor.root)
        with self.names.at(tensor.then), self.names.aside():
            sizes = self.tensors.fed(tensor.root)
        self._reading.pop()
        wrong = len(self.scope.source.problems) > before
        del self.scope.source.problems[before:]
        if wrong or sizes is None:
            return None
        return tuple(fill if size is None or isinstance(size, Size) else size for size in sizes)
