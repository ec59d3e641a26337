"""Objects as argument values: initializers, regularizers, constraints and activations.

>>> Made("initializer", "Orthogonal", (("gain", 0.5),))
Orthogonal(gain=0.5)
>>> Function("my_act", like="tanh")
my_act
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

# Functions of TensorFlow that compute the same as a name of Keras, but that Keras cannot restore from a config.
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
        """The module of Keras with the class; activations with arguments are layers."""
        return "layers" if self.what == "activation" else f"{self.what}s"

    def written(self, keras: str = "") -> str:
        """The constructor call; ``keras`` is the prefix of Keras' modules."""
        prefix = f"{keras}{self.module}." if keras else ""
        return f"{prefix}{self.name}({', '.join(f'{name}={value!r}' for name, value in self.given)})"

    def __getitem__(self, argument: str) -> Any:
        """The value of an argument; None if it was not given."""
        return dict(self.given).get(argument)

    def of_dtype(self, policy: str) -> Made:
        """The same object with this dtype policy; only an activation layer has one."""
        if self.what != "activation":
            return self
        named = [pair for pair in self.given if pair[0] == "name"]
        own = [pair for pair in self.given if pair[0] not in ("dtype", "name")]
        return Made(self.what, self.name, (*own, ("dtype", policy), *named))


class Function(Struct, frozen=True):
    """An activation that is a function, not a name of Keras; ``text`` is its code.

    ``like`` is the activation that is used in its place: the same one for a function of TensorFlow, the default of the
    argument for an unknown function.
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
        """Whether Keras can restore it from a config; a custom function must be registered for that."""
        return not self.known and not re.match(r"lambda\b", self.text)

    @property
    def identifier(self) -> str:
        """A Python name for the function in a program."""
        return re.sub(r"\W+", "_", self.text).strip("_") or "function"

    def written(self, keras: str = "") -> str:
        """The function as code; with ``keras``, as code that needs only TensorFlow and Keras."""
        if not keras or self.known:
            return self.text
        return self.identifier if self.copied else f"lambda x: {keras}activations.{self.like}(x)"


def class_of(value: Any) -> Any:
    """The class name of an object; the value itself if it is a name or None."""
    return value.name if isinstance(value, Made) else value
