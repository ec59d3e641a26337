"""The structure that a call returns, with its containers, as data for theory, lab and report.

>>> returned = describe(("o", ["h", "c"]), lambda leaf, path: Tensor(leaf, path, (2, 1), ("N", "H"), "float32"))
>>> [(tensor.role, tensor.path) for tensor in leaves(returned)]
[('o', '[0]'), ('h', '[1][0]'), ('c', '[1][1]')]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import astuple, replace

from rnnshape.form import MAYBE, Formed, Key, formed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@formed(
    "tensor",
    kind="",
    role="What the tensor is: output, state_h, forward_state_c …",
    path=Key('The access path in Python, from the result: "" or "[1][0]".', pattern=r"^(\[[0-9]+\])*$"),
    shape="The sizes.",
    symbolic="The symbolic sizes, such as 2H.",
    dtype="A Keras dtype.",
    device=Key("Where an observed tensor came from, such as CPU:0.", MAYBE),
)
class Tensor(Formed, Struct, frozen=True, eq=False, gc=False):
    """One returned tensor.

    ``path`` is the Python expression that accesses it from the result: ``""`` for a single tensor, ``"[1][0]"`` for the
    first item of the second item.  ``symbolic`` is the shape in letters, one for each axis.  ``device`` is where an
    observed tensor was computed; it does not count in comparisons.
    """

    role: str
    path: str
    shape: tuple[int, ...]
    symbolic: tuple[str, ...]
    dtype: str
    device: str | None = None

    kind: ClassVar[Literal["tensor"]] = "tensor"

    def __eq__(self, other: object) -> bool:
        """Whether all fields except ``device`` are equal."""
        return isinstance(other, Tensor) and astuple(self)[:-1] == astuple(other)[:-1]

    def __hash__(self) -> int:
        return hash(astuple(self)[:-1])


@formed("nest", kind="", items="Its items.")
class Nest(Formed, Struct, gc=False):
    """A tuple or a list of structures; Keras distinguishes the two."""

    kind: Literal["tuple", "list"]
    items: tuple[Structure, ...]


Structure: TypeAlias = Tensor | Nest

NOTHING: Structure = Nest("tuple", ())
"""The predicted structure of a layer that theory has no rule for."""


def describe(value: Any, leaf: Callable[[Any, str], Tensor], path: str = "") -> Structure:
    """The structure of nested Python tuples and lists; ``leaf`` describes their items.

    A subclass counts as its base class: the ``ListWrapper`` with the states of a stateful stack is a list.
    """
    if isinstance(value, (tuple, list)):
        items = [describe(item, leaf, f"{path}[{i}]") for i, item in enumerate(value)]
        return Nest("list" if isinstance(value, list) else "tuple", tuple(items))
    return leaf(value, path)


def leaves(structure: Structure) -> Iterator[Tensor]:
    """The tensors of a structure, in the order in which they are returned."""
    if isinstance(structure, Tensor):
        yield structure
    else:
        for item in structure.items:
            yield from leaves(item)


def mapped(change: Callable[[Tensor], Tensor], structure: Structure) -> Structure:
    """The structure with ``change(tensor)`` for each tensor, in the order in which they are returned."""
    if isinstance(structure, Tensor):
        return change(structure)
    return replace(structure, items=tuple(mapped(change, item) for item in structure.items))


def brackets(structure: Structure, text: Callable[[Tensor], str]) -> str:
    """The structure as Python code, with ``text(tensor)`` for each tensor.

    Every tuple has parentheses: ``(output, [state_h, state_c])``.
    """
    if isinstance(structure, Tensor):
        return text(structure)
    inner = ", ".join(brackets(item, text) for item in structure.items)
    if structure.kind == "list":
        return f"[{inner}]"
    return f"({inner},)" if len(structure.items) == 1 else f"({inner})"


def same(left: Structure, right: Structure) -> bool:
    """Whether two structures have the same containers, shapes and dtypes (roles do not count)."""
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return left.shape == right.shape and left.dtype == right.dtype
    if isinstance(left, Nest) and isinstance(right, Nest):
        return (
            left.kind == right.kind and len(left.items) == len(right.items) and all(map(same, left.items, right.items))
        )
    return False


def labelled(observed: Structure, predicted: Structure) -> Structure:
    """``observed`` with the roles and letters of the tensors of ``predicted`` at the same path."""
    names = {tensor.path: tensor for tensor in leaves(predicted)}
    return mapped(lambda tensor: label(tensor, names.get(tensor.path, tensor)), observed)


def label(tensor: Tensor, expected: Tensor) -> Tensor:
    """The tensor with the role and the letters of the expected one.

    An axis gets the letter only if its size is the expected one; otherwise it keeps the number, so that a disagreement
    stays visible.
    """
    if len(expected.shape) != len(tensor.shape):
        return replace(tensor, role=expected.role)
    letters = tuple(
        letter if size == wanted else str(size)
        for size, wanted, letter in zip(tensor.shape, expected.shape, expected.symbolic, strict=True)
    )
    return replace(tensor, role=expected.role, symbolic=letters)
