"""Objects in the place of a name: an initializer, a regularizer, a constraint, an activation.

>>> Made("initializer", "Orthogonal", (("gain", 0.5),))
Orthogonal(gain=0.5)
>>> Function("my_act", like="tanh")
my_act
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

# Functions of TensorFlow that compute what one of Keras' names does, but whose config Keras cannot read back.
UNCOPIED = {
    **dict.fromkeys(("tf.nn.silu", "tf.nn.swish"), "silu"),
    **dict.fromkeys(("tf.nn.softmax", "tf.math.softmax"), "softmax"),
    **dict.fromkeys(("tf.nn.log_softmax", "tf.math.log_softmax"), "log_softmax"),
    **dict.fromkeys(("tf.exp", "tf.math.exp"), "exponential"),
    "tf.identity": "linear",
}


class Made(Struct, frozen=True):
    """An object of one of Keras' classes, with the arguments that differ from Keras' defaults."""

    what: str
    name: str
    given: tuple[tuple[str, Any], ...] = ()

    def __repr__(self) -> str:
        return self.written()

    @property
    def module(self) -> str:
        """The module of Keras that has the class; activations that take arguments are layers."""
        return "layers" if self.what == "activation" else f"{self.what}s"

    def written(self, keras: str = "") -> str:
        """The constructor call; ``keras`` is the prefix of Keras' modules."""
        prefix = f"{keras}{self.module}." if keras else ""
        return f"{prefix}{self.name}({', '.join(f'{name}={value!r}' for name, value in self.given)})"

    def __getitem__(self, argument: str) -> Any:
        """The argument's value, None where it was not given."""
        return dict(self.given).get(argument)

    def of_dtype(self, policy: str) -> Made:
        """The same object with this dtype policy; only an activation layer has one."""
        if self.what != "activation":
            return self
        named = [pair for pair in self.given if pair[0] == "name"]
        own = [pair for pair in self.given if pair[0] not in ("dtype", "name")]
        return Made(self.what, self.name, (*own, ("dtype", policy), *named))


class Function(Struct, frozen=True):
    """An activation that Keras has no name for, as it was written.

    ``like`` is the name of the activation whose values it has here: of one of TensorFlow's functions the same one, of
    a function that cannot be known the default of the argument.
    """

    text: str
    like: str

    def __repr__(self) -> str:
        return self.text

    @property
    def known(self) -> bool:
        return self.text in UNCOPIED

    @property
    def copied(self) -> bool:
        """Whether Keras can make it anew from its config; a function of one's own must be registered for that."""
        return not self.known and not re.match(r"lambda\b", self.text)

    @property
    def identifier(self) -> str:
        """A name under which a program can define it."""
        return re.sub(r"\W+", "_", self.text).strip("_") or "function"

    def written(self, keras: str = "") -> str:
        """The function; with ``keras`` as a program has it that knows nothing but TensorFlow and Keras."""
        if not keras or self.known:
            return self.text
        return self.identifier if self.copied else f"lambda x: {keras}activations.{self.like}(x)"


def class_of(value: Any) -> Any:
    """The class of an object by Keras' name, and the value itself where it is a name or None."""
    return value.name if isinstance(value, Made) else value
