"""Sizes that remember their letter: the arithmetic behind ``(N, T, 2H)``.

>>> units = Dim(8, "H")
>>> units * 2, units * 2 * 2, units + Dim(6, "Hb")
(Dim(size=16, letter='2H'), Dim(size=32, letter='4H'), Dim(size=14, letter='H+Hb'))
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SCALED = re.compile(r"(\d+)([A-Za-z].*|\(.*\))")


class Dim(NamedTuple):
    """One dimension: its size and its text in letters."""

    size: int
    letter: str

    def __mul__(self, factor: int) -> Dim:  # type: ignore[override]
        return Dim(self.size * factor, _times(factor, self.letter))

    def __add__(self, other: Dim) -> Dim:  # type: ignore[override]
        return Dim(self.size + other.size, _plus(self.letter, other.letter))


def fixed(size: int) -> Dim:
    """A dimension that no letter stands for, such as the 2 of a GRU's bias."""
    return Dim(size, str(size))


@lru_cache(maxsize=1024)
def _times(factor: int, letter: str) -> str:
    if letter.isdigit():
        return str(factor * int(letter))
    if factor == 1:
        return letter
    if (scaled := _SCALED.fullmatch(letter)) and ("+" not in letter or scaled[2].startswith("(")):
        return f"{factor * int(scaled[1])}{scaled[2]}"
    return f"{factor}({letter})" if "+" in letter else f"{factor}{letter}"


@lru_cache(maxsize=1024)
def _plus(left: str, right: str) -> str:
    if left == right:
        return _times(2, left)
    return f"{left}+{right}"
