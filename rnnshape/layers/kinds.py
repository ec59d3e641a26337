"""The kinds of argument values, each with its check, its message and its JSON Schema."""

from __future__ import annotations

import math
import sys
from typing import Any

from msgspec import Struct

from rnnshape.errors import nearest
from rnnshape.layers import names
from rnnshape.layers.objects import Function, Made
from rnnshape.layers.release import Release, dotted
from rnnshape.layers.stand_ins import Rate, Size

_HUGE = sys.float_info.max
# TensorFlow has sizes and seeds in 64 bits, and takes a Python float as a float32.
INT64 = 2**63 - 1
FLOAT32 = math.nextafter(2.0**128 - 2.0**103, 0)


class Kind(Struct, frozen=True):
    """The values that an argument takes.  ``allowed`` completes the sentence "must be …"."""

    allowed = "a literal: a number, a string, True, False, None, a list or a tuple"
    metavar = "VALUE"
    many = False  # whether a flag of this kind can be repeated

    def accepts(self, value: Any) -> bool:
        """Whether ``value`` (a Python literal, with tuples for lists) is allowed."""
        return True

    def from_text(self, text: str) -> Any:
        """The value of a flag's text; text without a value is returned as it is."""
        return text

    def meant(self, value: Any) -> Any:
        """The value as Keras stores it, if Keras accepts several spellings of it."""
        return value

    def refusal(self, value: Any) -> str:
        """The message for a value that is not accepted."""
        return f"must be {self.allowed}"

    def missing_in(self, value: Any, release: Release) -> str | None:
        """Why this release of Keras does not take an accepted value; None if it takes it."""
        return None

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what an option of this kind accepts, as in YAML and JSON: a tuple is a list.

        JSON does not distinguish 2.0 from 2, so ``2.0`` is a whole number there; ``accepts`` is stricter.
        """
        return {}


class Whole(Kind, frozen=True):
    """A whole number with a minimum, and optionally a maximum; not ``True`` or ``2.0``."""

    least: int = 1
    most: int | None = None
    metavar = "INT"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"a whole number, {self.least} {'or more' if self.most is None else f'to {self.most}'}"

    def accepts(self, value: Any) -> bool:
        return type(value) in (int, Size) and self.least <= value <= (INT64 if self.most is None else self.most)

    def refusal(self, value: Any) -> str:
        if self.most is None and type(value) is int and value > INT64:
            return f"must be at most {INT64}, the largest whole number in TensorFlow"
        return super().refusal(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": INT64 if self.most is None else self.most}

    def from_text(self, text: str) -> Any:
        # int() would also accept "1_000" and " 7 ", which are typing errors in a shell.
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(text) <= 30 else text


class Flag(Kind, frozen=True):
    allowed = "True or False"
    metavar = ""

    def accepts(self, value: Any) -> bool:
        return type(value) is bool

    def meant(self, value: Any) -> Any:
        return bool(value) if type(value) is int and value in (0, 1) else value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Number(Kind, frozen=True):
    """A finite number between two bounds, both included."""

    least: float = -math.inf
    most: float = math.inf
    metavar = "FLOAT"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        if math.isinf(self.least):
            return "a number"
        if math.isinf(self.most):
            return f"a number, {self.least:g} or more"
        return f"a number from {self.least:g} to {self.most:g}"

    def accepts(self, value: Any) -> bool:
        # math.isfinite() raises for a whole number that is too large for a float; it counts as infinite.
        return type(value) in (int, float, Rate) and max(self.least, -_HUGE) <= value <= min(self.most, _HUGE)

    def schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": max(self.least, -_HUGE), "maximum": min(self.most, _HUGE)}

    def from_text(self, text: str) -> Any:
        try:
            return float(text) if "_" not in text else text
        except ValueError:
            return text


class DropRate(Number, frozen=True):
    """A fraction to drop."""

    least: float = 0
    most: float = 1


class OneOf(Kind, frozen=True):
    """One of a few values; in a shell, ``True``, ``False`` and ``None`` are written in lower case."""

    values: tuple[Any, ...]
    metavar = "NAME"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return "one of " + ", ".join(map(repr, self.values))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(str(value).lower() for value in self.values)

    def accepts(self, value: Any) -> bool:
        return any(value is known or (value == known and type(value) is type(known)) for known in self.values)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}

    def from_text(self, text: str) -> Any:
        return dict(zip(self.texts, self.values, strict=True)).get(text.lower(), text)

    def refusal(self, value: Any) -> str:
        if isinstance(value, str) and value.lower() in self.texts:
            meant = self.from_text(value)
            bare = "" if isinstance(meant, str) else ", without quotes"
            return f"must be {self.allowed} (did you mean {meant!r}{bare}?)"
        return f"must be {self.allowed}{nearest(value, self.texts) if isinstance(value, str) else ''}"


class AnyCase(OneOf, frozen=True):
    """One of a few words, which Keras takes in upper case too (``keras/src/backend/config.py``)."""

    def meant(self, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


class Named(OneOf, frozen=True):
    """A name of one of Keras' lists, from which Keras makes an object, or None."""

    of: names.Names

    @classmethod
    def among(cls, of: names.Names) -> Named:
        """The names of one list."""
        return cls((*of.usable, None), of)

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"{article(self.of.what)} of Keras ({', '.join(self.of.usable)}) or None"

    def accepts(self, value: Any) -> bool:
        if isinstance(value, Made):
            return value.what == self.of.what
        return super().accepts(value) or (isinstance(value, Function) and self.of is names.ACTIVATIONS)

    def from_text(self, text: str) -> Any:
        # "Zeros" and "zeros" are different names in Keras.
        return text if text in self.values else super().from_text(text)

    def refusal(self, value: Any) -> str:
        if isinstance(value, str) and value in self.of.unmade:
            return f"cannot be {value!r}, which Keras cannot make from its name: {self.of.unmade[value]}"
        hint = nearest(value, self.of.usable) if isinstance(value, str) else ""
        # The list is long; a suggestion is enough.
        return f"must be the name of a Keras {self.of.what}{hint}" if hint else f"must be {self.allowed}"

    def missing_in(self, value: Any, release: Release) -> str | None:
        if not isinstance(value, str) or self.of.had(value, release):
            return None
        since = self.of.since[value]
        return f"cannot use the {self.of.what} {value!r} in Keras {dotted(release)}: it came with Keras {dotted(since)}"


def article(noun: str) -> str:
    """The noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class MaskValue(Number, frozen=True):
    """The value of a masked step.  For any dtype, TensorFlow converts a float to float32 and an int to int64."""

    least: float = -FLOAT32
    most: float = FLOAT32

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"a number from {self.least:.8g} to {self.most:.8g}; a whole number from -2**63 to 2**63 - 1"

    def accepts(self, value: Any) -> bool:
        return -INT64 - 1 <= value <= INT64 if type(value) is int else super().accepts(value)

    def schema(self) -> dict[str, Any]:
        whole = {"type": "integer", "minimum": -INT64 - 1, "maximum": INT64}
        return {"anyOf": [whole, super().schema() | {"not": {"type": "integer"}}]}


class Maybe(Kind, frozen=True):
    """A value of another kind, or None."""

    of: Kind

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"{self.of.allowed}, or None"

    def accepts(self, value: Any) -> bool:
        return value is None or self.of.accepts(value)


class Sizes(Kind, frozen=True):
    """One whole number, or one for each spatial dimension, for convolutions."""

    rank: int
    least: int = 1
    metavar = "INT[,INT…]"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        return f"a whole number, {self.least} or more, or a tuple of {self.rank} of them"

    def accepts(self, value: Any) -> bool:
        each = value if isinstance(value, tuple) and len(value) == self.rank else (value,)
        return all(map(Whole(self.least).accepts, each))

    def schema(self) -> dict[str, Any]:
        size = Whole(self.least).schema()
        return {"anyOf": [size, {"type": "array", "items": size, "minItems": self.rank, "maxItems": self.rank}]}

    def from_text(self, text: str) -> Any:
        sizes = tuple(Whole(self.least).from_text(part) for part in text.split(","))
        return sizes[0] if len(sizes) == 1 else sizes


class Nested(Kind, frozen=True):
    """Another layer or cell; ``role`` says which kind of layer."""

    role: str
    many: bool = False
    none: bool = False

    @property
    def allowed(self) -> str:  # type: ignore[override]
        what = {"cell": "an RNN cell", "recurrent": "a recurrent layer", "layer": "a layer"}[self.role]
        return what + (f", or a list of {self.role}s" if self.many else "") + (" or None" if self.none else "")
