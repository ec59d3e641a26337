"""Numbers that the code writes as a name: ``LSTM(latent_dim)``, ``LSTM(2 * self.units, dropout=rate)``.

>>> size = Size(14, "2*units")
>>> size, size + 1, size.letter, size == 14
(2*units, 15, '2·units', False)

Such a value computes with its number, and is shown as in the code.
"""

from __future__ import annotations

from typing import Any, Self


class _Written:
    """A number with its Python text.  Two are equal if both number and text are."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and number(self) == number(other) and self.text == other.text

    def __hash__(self) -> int:
        return hash((number(self), self.text))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (number(self), self.text)


class Size(_Written, int):
    """A whole number, such as the units of a layer."""

    def __new__(cls, value: int, text: str) -> Self:
        size = super().__new__(cls, value)
        size.text = text
        return size

    @property
    def letter(self) -> str:
        """The text as a symbolic size."""
        return self.text.replace("*", "·")


class Rate(_Written, float):
    """Any other number, such as a dropout rate."""

    def __new__(cls, value: float, text: str) -> Self:
        rate = super().__new__(cls, value)
        rate.text = text
        return rate


def number(value: Any) -> Any:
    """The plain number of a value that has a text; any other value as it is."""
    if isinstance(value, Size):
        return int(value)
    return float(value) if isinstance(value, Rate) else value
