"""What the names of a program hold where it is read, and what it has made so far."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypeVar

from rnnshape.reading.code.made import Applied, Functional, Layer, Model, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from rnnshape.reading.code.known import Held
    from rnnshape.reading.code.naming import Names

Made = TypeVar("Made", Layer, Model, Applied)


class Scope:
    """The layers, models and tensors of one program.

    ``env`` has them by the name that they have now; ``made`` all layers, models and calls in order, and ``models``
    its functional models; ``modelled`` are the calls before the last model.
    ``lost`` are the names of what comes out of calls and is not followed.  ``notes`` says what is not understood.
    """

    def __init__(self, names: Names) -> None:
        self.source = names.source
        self.names = names
        self.env: dict[str, Any] = {}
        self.made: list[Layer | Model | Applied] = []
        self.lost: set[str] = set()
        # The names of lists and dictionaries of which an item was assigned alone.
        self.parted: set[str] = set()
        self.notes: dict[str, None] = {}
        self.models: list[Functional] = []
        self.modelled: set[int] = set()
        # What the names held where an array was made that is bound to a name.
        self.when: dict[ast.expr, Held] = {}

    def note(self, message: str, tree: ast.expr) -> None:
        """Tell what is not understood, with its line."""
        self.notes[f"line {tree.lineno}: {message}"] = None

    def bind(self, name: str, value: Any) -> None:
        """Bind a value to a name, which is also that of a layer or model without one."""
        self.env[name] = value
        if isinstance(value, Layer | Model | Functional | Tensor) and value.name is None:
            value.name = name.removeprefix("self.")
        if isinstance(value, Tensor) and value.call is not None and name.isidentifier():
            value.call.names.setdefault(name, value.path)

    def forget(self, name: str) -> None:
        """A name holds nothing that is known any more, nor do the items of what it held."""
        for held in (self.names.bound, self.names.trees, self.env):
            held.pop(name, None)
            for key in [key for key in held if key.startswith(f"{name}[")] if name in self.parted else ():
                del held[key]
        self.lost.discard(name)

    def new(self, value: Made) -> Made:
        self.made.append(value)
        return value

    def there(self, tree: ast.expr) -> Any:
        """What a name holds, or an item of the list that it holds."""
        if isinstance(tree, ast.Subscript):
            return self.part(tree, self.there)
        return self.env.get(self.source.said(tree)) if isinstance(tree, ast.Name | ast.Attribute) else None

    def part(self, tree: ast.Subscript, value: Callable[[ast.expr], Any]) -> Any:
        """An item of a list or of a call's results, which ``value`` reads; a slice of a tensor is another tensor."""
        said = self.source.said(tree)
        if isinstance(tree.slice, ast.Constant) and said.endswith("]") and said in self.env:
            return self.env[said]  # layers["encoder"] = LSTM(8)
        whole = value(tree.value)
        items = self.parts(whole) if isinstance(whole, Tensor) else whole
        if not isinstance(items, tuple | list):
            return None
        where = tree.slice
        if isinstance(where, ast.Slice) and where.step is None:
            first, last = (None if end is None else self.names.known(end) for end in (where.lower, where.upper))
            return list(items[first:last]) if all(end is None or type(end) is int for end in (first, last)) else None
        index = self.names.known(where)
        return items[index] if type(index) is int and -len(items) <= index < len(items) else None

    def parts(self, tensor: Tensor) -> list[Tensor]:
        """The results of a call, or the states in one of them, where the tensor is the whole of several."""
        call, path = tensor.call, tensor.path
        if call is None or len(path) > 1:
            return []
        count = len(call.results) if not path else call.nested[path[0]] if call.nested else 0
        return [Tensor(call=call, path=(*path, index)) for index in range(count)]

    def taken_apart(self, value: Any, target: ast.Tuple | ast.List) -> list[Any]:
        """The items of a value that is unpacked; what stands behind a ``*`` gets a list."""
        if isinstance(value, Tensor):
            value = self.parts(value)
        count = len(target.elts)
        star = next((index for index, one in enumerate(target.elts) if isinstance(one, ast.Starred)), None)
        if not isinstance(value, tuple | list) or len(value) < count - (star is not None):
            return [None] * count
        if star is None:
            return list(value) if len(value) == count else [None] * count
        behind = count - star - 1
        middle = list(value[star : len(value) - behind])
        return [*value[:star], middle, *value[len(value) - behind :]]
