"""Kinds of arguments that are axes, shapes or margins: tuples of whole numbers, each kind with its own condition."""

from __future__ import annotations

from typing import Any

from rnnshape.layers.kinds import INT64, Kind, Maybe, Number, Sizes, Whole


class Numbers(Number, frozen=True):
    """A number, or one for each channel."""

    allowed = "a number, or a tuple of them"

    def accepts(self, value: Any) -> bool:
        return all(map(super().accepts, value if isinstance(value, tuple) and value else (value,)))

    def schema(self) -> dict[str, Any]:
        one = super().schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


class NoiseShape(Kind, frozen=True):
    """The shape of Dropout's noise: one size for each axis, None for the input's size."""

    allowed = "a tuple of whole numbers, 1 or more, and None"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple) and all(map(Maybe(Whole()).accepts, value))


class Axis(Kind, frozen=True):
    """An axis, counted from the front or, if negative, from the end."""

    allowed = "a whole number"

    def accepts(self, value: Any) -> bool:
        return type(value) is int


class AxisOfEach(Axis, frozen=True):
    """One axis for both inputs, or one for each."""

    allowed = "a whole number, or a tuple of two"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) and len(value) == 2 else (value,)
        return all(map(super().accepts, each))


class Axes(Kind, frozen=True):
    """One axis of a tensor, or several of them; negative ones count from the end."""

    empty: bool = False
    allowed = "a whole number, or a tuple of them"

    def accepts(self, value: Any) -> bool:
        whole = Whole(-INT64 - 1)
        if isinstance(value, tuple):
            return (self.empty or bool(value)) and all(map(whole.accepts, value))
        return whole.accepts(value)


class TargetShape(Kind, frozen=True):
    """The new shape of a tensor, without the batch."""

    allowed = "a tuple of whole numbers, 1 or more, of which one may be -1: what is left"

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, tuple) or not value:
            return False
        return all(size == -1 or Whole().accepts(size) for size in value) and value.count(-1) <= 1


# The number of axes of a batch of image sequences.
_AXES = 6


class Order(Kind, frozen=True):
    """The new order of the axes after the batch."""

    allowed = "a tuple with each of the numbers 1, 2, … once: (2, 1) swaps two axes"

    def accepts(self, value: Any) -> bool:
        if not isinstance(value, tuple) or not value:
            return False
        count = len(value)
        return count <= _AXES and all(type(axis) is int for axis in value) and set(value) == {*range(1, count + 1)}


class Margins(Kind, frozen=True):
    """The sizes that are added to, or removed from, the four sides of an image."""

    allowed = "a whole number, 0 or more, a tuple of 2 of them, or of 2 such tuples ((top, bottom), (left, right))"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) and len(value) == 2 else (value,)
        return all(map(Sizes(2, 0).accepts, each))


class Arrays(Kind, frozen=True):
    """A list of numbers or lists."""

    allowed = "a list"

    def accepts(self, value: Any) -> bool:
        return isinstance(value, tuple)


class Unwritten(Kind, frozen=True):
    """An array, which a literal cannot give; only None is accepted."""

    allowed = "None: Keras takes an array, which a literal cannot give; call set_weights on the built layer"

    def accepts(self, value: Any) -> bool:
        return value is None
