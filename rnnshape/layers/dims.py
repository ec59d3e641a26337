"""Sizes with letters, and their arithmetic, as in ``(N, T, 2H)``.

>>> units = Dim(8, "H")
>>> units * 2, units * 2 * 2, units + Dim(6, "Hb")
(Dim(size=16, letter='2H'), Dim(size=32, letter='4H'), Dim(size=14, letter='H+Hb'))
>>> sized("2(H+Hb)", {"H": 8, "Hb": 6}), letters_in("2(H+Hb)")
(28, ['H', 'Hb'])
>>> Dim.of(Size(7, "units"), "H") * 4
Dim(size=28, letter='4·units')
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.layers.stand_ins import Size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LETTER = r"[A-Za-z_]\w*(?:'+\d*)?"
_TOKEN = re.compile(rf"\s*(?:(\d+|{_LETTER})|(//|[-+*·()]))")
_LONGEST = 200
_SCALED = re.compile(r"(\d+)·?([A-Za-z_].*|\(.*\))")
# One of theory's own letters, such as H, Hb, T2, X' or X'3; a factor is written directly in front of it.
_OWN = re.compile(r"[A-Z][a-z]?\d*(?:_\d+)*(?:'+\d*)?")


class Dim(NamedTuple):
    """One dimension: its size and its text in letters."""

    size: int
    letter: str

    @classmethod
    def of(cls, value: int, letter: str) -> Dim:
        """The dimension of an argument's value, with its name in the code if it has one, else with ``letter``."""
        return cls(int(value), value.letter) if isinstance(value, Size) else cls(value, letter)

    def __mul__(self, factor: int) -> Dim:  # type: ignore[override]
        return Dim(self.size * factor, _times(factor, self.letter))

    def __add__(self, other: Dim) -> Dim:  # type: ignore[override]
        if self.letter == other.letter and self.size != other.size:  # T' of two kernels: two sizes of one letter
            return Dim(self.size + other.size, str(self.size + other.size))
        return Dim(self.size + other.size, _plus(self.letter, other.letter))


def fixed(size: int) -> Dim:
    """A dimension without a letter, such as the 2 of a GRU's bias; a name in the code is kept."""
    return Dim.of(size, str(size))


def product(dims: Iterable[Dim]) -> Dim:
    """The product of several dimensions as one, such as ``T*C``; numbers are multiplied.

    >>> product([Dim(3, "T"), fixed(4), Dim(14, "H+Hb"), fixed(2)])
    Dim(size=336, letter='8T*(H+Hb)')
    """
    size, number, letters = 1, 1, []
    for dim in dims:
        size *= dim.size
        if dim.letter.isdigit():
            number *= dim.size
        else:
            letters.append(f"({dim.letter})" if "+" in dim.letter else dim.letter)
    return Dim(size, ("" if number == 1 else str(number)) + "*".join(letters) or "1")


def broadcast(left: Sequence[Dim], right: Sequence[Dim]) -> tuple[Dim, ...]:
    """The shape of two tensors together, from the last axis on: a size of 1 takes the other's size.

    >>> broadcast([Dim(2, "N"), Dim(3, "T"), Dim(1, "1")], [Dim(4, "C")])
    (Dim(size=2, letter='N'), Dim(size=3, letter='T'), Dim(size=4, letter='C'))
    """
    pairs = zip_longest(reversed(left), reversed(right), fillvalue=fixed(1))
    return tuple(reversed([other if one.size == 1 else one for one, other in pairs]))


@lru_cache(maxsize=1024)
def _times(factor: int, letter: str) -> str:
    if letter.isdigit():
        return str(factor * int(letter))
    if factor == 1:
        return letter
    if (scaled := _SCALED.fullmatch(letter)) and (not _compound(letter) or scaled[2].startswith("(")):
        factor, letter = factor * int(scaled[1]), scaled[2]
    elif _compound(letter):
        letter = f"({letter})"
    return f"{factor}{letter}" if _OWN.fullmatch(letter) or letter.startswith("(") else f"{factor}·{letter}"


def _compound(text: str) -> bool:
    """Whether the text needs brackets after a factor."""
    return any(sign in text for sign in ("+", "-", "//"))


@lru_cache(maxsize=1024)
def _plus(left: str, right: str) -> str:
    """The sum of two texts with equal letters combined: ``2H+Hb`` and ``H`` give ``3H+Hb``."""
    parts: dict[str, int] = {}
    for term in (*_terms(left), *_terms(right)):
        scaled = None if _compound(term) else _SCALED.fullmatch(term)
        count, word = (int(scaled[1]), scaled[2]) if scaled else (int(term), "") if term.isdigit() else (1, term)
        parts[word] = parts.get(word, 0) + count
    return "+".join(_times(count, word) if word else str(count) for word, count in parts.items())


def _terms(text: str) -> list[str]:
    """The terms of a sum; a text with brackets, a difference, a product or a quotient is one term."""
    return [text] if any(sign in text for sign in "(-/*") else text.split("+")


def letters_in(text: str) -> list[str]:
    """The letters of a size, without the arithmetic around them."""
    return re.findall(_LETTER, text)


def sized(text: str, sizes: Mapping[str, int]) -> int:
    """The value of a text in letters: ``2H``, ``H0+H1``, ``2(H+Hb)``, ``T-1``, ``N*T*4H*(C+H)``.

    Raises:
        KeyError: a letter has no size.
        ValueError: the text is not a sum or product of letters and whole numbers.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"a size has at most {_LONGEST} characters")
    tokens = _tokens(text)
    value = _sum(tokens, sizes)
    if tokens:
        raise ValueError(f"{tokens[-1]!r} is not allowed there")
    return value


def _tokens(text: str) -> list[str]:
    """The words and signs of the text, in reverse order."""
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at:].strip()[:1]!r} is not allowed there")
        tokens.append(found[1] or found[2])
        at = found.end()
    return tokens[::-1]


def _sum(tokens: list[str], sizes: Mapping[str, int]) -> int:
    value = _product(tokens, sizes)
    while tokens and tokens[-1] in "+-":
        value += _product(tokens, sizes) if tokens.pop() == "+" else -_product(tokens, sizes)
    return value


def _product(tokens: list[str], sizes: Mapping[str, int]) -> int:
    """The product of factors, with ``*``, ``·``, ``//`` or nothing between them."""
    value = _factor(tokens, sizes)
    while tokens and tokens[-1] not in "+-)":
        if tokens[-1] == "//":
            tokens.pop()
            if not (divisor := _factor(tokens, sizes)):
                raise ValueError("a division by zero")
            value //= divisor
            continue
        if tokens[-1] in "*·":
            tokens.pop()
        value *= _factor(tokens, sizes)
    return value


def _factor(tokens: list[str], sizes: Mapping[str, int]) -> int:
    if not tokens:
        raise ValueError("the end is missing")
    first = tokens.pop()
    if first == "(":
        value = _sum(tokens, sizes)
        if not tokens or tokens.pop() != ")":
            raise ValueError("a bracket is not closed")
        return value
    if first in ("+", "-", "*", "·", "//", ")"):
        raise ValueError(f"{first!r} is not allowed there")
    return int(first) if first.isdigit() else sizes[first]
