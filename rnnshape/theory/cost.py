"""The cost of one forward call: multiply-adds, bytes of parameters, bytes of activations.

>>> from rnnshape.reading import make
>>> from rnnshape.theory.predict import predict
>>> cost = predict(make("lstm", {"units": 8, "return_sequences": True})).cost
>>> cost.multiply_adds, cost.formula
(2304, 'N*T*4H*(C+H)')
>>> cost.parameter_bytes, cost.parameter_formula
(1664, '4*(C*4H + H*4H + 4H)')
>>> cost.activation_bytes, cost.activation_formula
(192, '4*(N*T*H)')

*Multiply-adds* are those of the matrix products and convolutions of one forward call on the whole input, as in the
graph that Keras traces: only what the result needs.  A convolution counts every position of its window, also over
padding.  Element-wise work (gates, activations, biases, merging) and embedding lookups do not count.  A masked step
costs as much as any other.

*Parameter bytes* are the weights in the dtype in which they are stored: float32 under a mixed policy.

*Activation bytes* are the tensors that the call returns, every output and every state, and in a stack the output of
each layer.  Tensors inside a layer do not count, nor those that training stores for the backward pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from rnnshape.form import Formed, formed
from rnnshape.layers.base import Product, Weight
from rnnshape.layers.dims import Dim, letters_in
from rnnshape.structure import Structure, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.structure import Tensor

Words: TypeAlias = tuple[str, ...]
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8, "int32": 4, "int64": 8}
_SCALED = re.compile(r"(\d*)·?([A-Za-z_]\w*(?:'+\d*)?)")


@formed(
    "cost",
    multiply_adds="Of the matrix products and convolutions of one forward call.",
    formula="The formula: sums of products of symbolic sizes, such as N*T*4H*(C+H).",
    parameter_bytes="The weights, in the dtype in which they are stored.",
    parameter_formula="The formula.",
    activation_bytes="The returned tensors; in a stack, the output of every layer.",
    activation_formula="The formula.",
)
class Cost(Formed, Struct, dict=True):
    """Three numbers, each with its formula.

    A formula is a sum of products of letters and whole numbers, with ``*`` between factors; the report shows the size
    of every letter.  All is computed on access, because most answers are read without it.
    """

    products: Sequence[Product]
    weights: Sequence[Weight]
    returned: Sequence[Structure]
    fed: Sequence[Dim] = ()

    @property
    def multiply_adds(self) -> int:
        return sum([product.size for product in self.products])

    @property
    def formula(self) -> str:
        return _in_full(
            tuple([(self._words(product.factors), self._words(product.summed)) for product in self.products])
        )

    @property
    def parameter_bytes(self) -> int:
        return sum([BYTES[weight.dtype] * weight.size for weight in self.weights])

    @property
    def parameter_formula(self) -> str:
        return _in_bytes(tuple([(weight.dtype, self._words(weight.dims)) for weight in self.weights]))

    @property
    def activation_bytes(self) -> int:
        return sum([BYTES[tensor.dtype] * prod(tensor.shape) for tensor in self._tensors])

    @property
    def activation_formula(self) -> str:
        shapes = [(tensor.dtype, zip(tensor.shape, tensor.symbolic, strict=True)) for tensor in self._tensors]
        return _in_bytes(tuple([(dtype, self._words(dims)) for dtype, dims in shapes]))

    @cached_property
    def _tensors(self) -> list[Tensor]:
        return [tensor for structure in self.returned for tensor in leaves(structure)]

    @cached_property
    def _shown(self) -> set[str]:
        """The letters that the report shows: those of the input, the weights and the returned tensors."""
        dims = (*self.fed, *(dim for weight in self.weights for dim in weight.dims))
        returned = (letter for tensor in self._tensors for letter in tensor.symbolic)
        return set().union(*map(_letters, {*(dim.letter for dim in dims), *returned}))

    @cached_property
    def _ambiguous(self) -> set[str]:
        """Letters with two sizes, such as X' where two directions have different windows."""
        dims: set[tuple[int, str]] = {dim for weight in self.weights for dim in weight.dims}
        for product in self.products:
            dims.update(product.factors, product.summed)
        for tensor in self._tensors:
            dims.update(zip(tensor.shape, tensor.symbolic, strict=True))
        known: dict[str, int] = {}
        ambiguous = set()
        for size, text in dims:
            if found := _scaled(text):
                factor, letter = found
                if known.setdefault(letter, size // factor) != size // factor:
                    ambiguous.add(letter)
        return ambiguous

    def _words(self, dims: Iterable[tuple[int, str]]) -> Words:
        """The letters; a number instead where a letter has two sizes, or is not shown in the report."""
        clear = self._clear
        return tuple([letter if clear[letter] else str(size) for size, letter in dims])

    @cached_property
    def _clear(self) -> _Clear:
        return _Clear(self._shown, self._ambiguous)


class _Clear(dict[str, bool]):
    """Maps a text in letters to whether each of its letters is shown and has one size."""

    def __init__(self, shown: set[str], ambiguous: set[str]) -> None:
        self._shown, self._ambiguous = shown, ambiguous

    def __missing__(self, text: str) -> bool:
        letters = _letters(text)
        self[text] = said = self._ambiguous.isdisjoint(letters) and self._shown.issuperset(letters)
        return said


@lru_cache(maxsize=1024)
def _letters(text: str) -> frozenset[str]:
    return frozenset(letters_in(text))


@lru_cache(maxsize=1024)
def _scaled(text: str) -> tuple[int, str] | None:
    """The factor and the letter of ``4H``; None for a longer text."""
    found = _SCALED.fullmatch(text)
    return (int(found[1] or 1), found[2]) if found else None


@lru_cache(maxsize=1024)
def _in_full(products: tuple[tuple[Words, Words], ...]) -> str:
    """The formula of products; each has its factors, and the terms that are summed before."""
    return _sum([f"{_times(words)}*({'+'.join(summed)})" if summed else _times(words) for words, summed in products])


def _times(words: Words) -> str:
    return "*".join([f"({word})" if "+" in word else word for word in words]) or "1"


def _sum(terms: Sequence[str]) -> str:
    """The terms joined by plus signs; equal terms once, with their count."""
    times: dict[str, int] = {}
    for term in terms:
        times[term] = times.get(term, 0) + 1
    return " + ".join([term if count == 1 else f"{count}*{term}" for term, count in times.items()]) or "0"


@lru_cache(maxsize=1024)
def _in_bytes(shapes: tuple[tuple[str, Words], ...]) -> str:
    """The formula in bytes, grouped by the bytes of a dtype: ``4*(C*4H + H*4H) + 2*(C*H)``."""
    by_width: dict[int, list[str]] = {}
    for dtype, words in shapes:
        by_width.setdefault(BYTES[dtype], []).append(_times(words))
    return " + ".join([f"{width}*({_sum(same)})" for width, same in by_width.items()]) or "0"
