"""The values of a program's names at the current statement, and the layers and calls that it has so far."""

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

    ``env`` has them by their current names, ``made`` all layers, models and calls in order, ``models`` the functional
    models, and ``modelled`` the ids of the calls before the last model.  ``lost`` has the names of results that are
    not followed, ``notes`` the notes on code that is not read; ``counted`` tells whether the code asks for weights.
    """

    def __init__(self, names: Names) -> None:
        self.source = names.source
        self.names = names
        self.env: dict[str, Any] = {}
        self.made: list[Layer | Model | Applied] = []
        self.lost: set[str] = set()
        # The names of lists and dictionaries with an assigned item.
        self.parted: set[str] = set()
        self.notes: dict[str, None] = {}
        self.counted = False
        self.models: list[Functional] = []
        self.called_models: list[Functional] = []
        self.modelled: set[int] = set()
        # The expressions that fail in the chosen release of Keras, and why.
        self.failing: dict[ast.expr, str] = {}
        # The values of names at the expression that creates an array.
        self.when: dict[ast.expr, Held] = {}

    def note(self, message: str, tree: ast.expr | ast.stmt) -> None:
        """Add a note on code that is not read, with its line."""
        self.notes[f"line {tree.lineno}: {message}"] = None

    def fails(self, why: str, tree: ast.expr) -> None:
        """Note an expression that the chosen release of Keras rejects, though the rest of the code can be read."""
        self.failing[tree] = why
        self.note(why, tree)

    def bind(self, name: str, value: Any) -> None:
        """Bind a value to a name; a layer, model or tensor without a name gets this one."""
        self.env[name] = value
        if isinstance(value, Layer | Model | Functional | Tensor) and value.name is None:
            value.name = name.removeprefix("self.")
        if isinstance(value, Tensor) and value.call is not None and name.isidentifier():
            value.call.names.setdefault(name, value.path)

    def forget(self, name: str) -> None:
        """Remove the value of a name and of its items."""
        for held in (self.names.bound, self.names.trees, self.env):
            held.pop(name, None)
            for key in [key for key in held if key.startswith(f"{name}[")] if name in self.parted else ():
                del held[key]
        self.lost.discard(name)

    def new(self, value: Made) -> Made:
        self.made.append(value)
        return value

    def there(self, tree: ast.expr) -> Any:
        """The value of a name, or of an item of a named list."""
        if isinstance(tree, ast.Subscript):
            return self.part(tree, self.there)
        return self.env.get(self.source.said(tree)) if isinstance(tree, ast.Name | ast.Attribute) else None

    def part(self, tree: ast.Subscript, value: Callable[[ast.expr], Any]) -> Any:
        """An item of a list or of a call's results, which ``value`` reads; None for a slice of a tensor."""
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
            return items[first:last] if all(end is None or type(end) is int for end in (first, last)) else None
        index = self.names.known(where)
        return items[index] if type(index) is int and -len(items) <= index < len(items) else None

    def parts(self, tensor: Tensor) -> list[Tensor] | tuple[Tensor, ...]:
        """The tensors in the result of a call, or in one of its values, as a list or tuple; empty for one tensor."""
        call, path = tensor.call, tensor.path
        if call is None or len(path) > 1:
            return []
        count = len(call.results) if not path else call.nested[path[0]] if call.nested else 0
        found = [Tensor(call=call, path=(*path, index)) for index in range(count)]
        return found if path or call.container is list else tuple(found)

    def taken_apart(self, value: Any, target: ast.Tuple | ast.List) -> list[Any]:
        """The items of an unpacked value, one for each name; the name after ``*`` gets a list."""
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
