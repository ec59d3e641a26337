"""Keras' names of activations, initializers, regularizers and constraints.

They are the keys of ``ALL_OBJECTS_DICT`` in Keras' ``activations/__init__.py``, ``initializers/__init__.py``,
``regularizers/__init__.py`` and ``constraints/__init__.py`` (read in 3.15.1).  Keras makes an object from its name;
``unmade`` has the names for which this is impossible, and why.  ``tests/layers/test_vocabulary.py`` compares the lists
with Keras.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from rnnshape.layers.release import KERAS_3

if TYPE_CHECKING:
    from rnnshape.layers.release import Release


class Names(Struct, frozen=True):
    """One of Keras' lists of names.

    ``unmade`` are names from which no object can be made, with the reason; ``since`` has the first release of some
    names.  ``in_2`` are names that Keras 2 had too, so that only the first releases of Keras 3 lack them.
    """

    what: str
    known: tuple[str, ...]
    unmade: dict[str, str] = {}
    since: dict[str, Release] = {}
    in_2: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[str, ...]:
        """The names from which Keras can make an object."""
        return tuple(name for name in self.known if name not in self.unmade)

    def had(self, name: str, release: Release) -> bool:
        """Whether a release of Keras has this name."""
        return release >= self.since.get(name, ()) or (name in self.in_2 and release < KERAS_3)


def snake(name: str) -> str:
    """The name of a class in snake case, another key of it in Keras' lists."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _of_classes(classes: str, *further: str) -> tuple[str, ...]:
    """The names of these classes, each also in snake case, and further names."""
    return tuple(sorted((*classes.split(), *map(snake, classes.split()), *further)))


_BASE = "it is the base class and does nothing"
_STFT = "it fits the kernel of a short-time Fourier transform only"
_VALUE = "it needs a value: use 'zeros' or 'ones'"

_FUNCTIONS = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold"
)
ACTIVATIONS = Names(
    "activation",
    tuple(_FUNCTIONS.split()),
    {"threshold": "it needs a threshold and a default value: use 'relu' or 'hard_shrink'"},
    {
        **dict.fromkeys(("hard_silu", "hard_swish", "leaky_relu", "log_softmax", "relu6", "silu"), (3,)),
        **dict.fromkeys(("celu", "glu", "hard_shrink", "hard_tanh"), (3, 7)),
        **dict.fromkeys(("log_sigmoid", "soft_shrink", "squareplus", "tanh_shrink"), (3, 7)),
        **dict.fromkeys(("sparse_plus", "sparsemax", "threshold"), (3, 8)),
        "sparse_sigmoid": (3, 10),
    },
    # tf_keras has them from tf.nn
    ("leaky_relu", "log_softmax", "relu6", "silu"),
)

INITIALIZERS = Names(
    "initializer",
    _of_classes(
        "Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity Initializer LecunNormal LecunUniform Ones "
        "Orthogonal RandomNormal RandomUniform STFT TruncatedNormal VarianceScaling Zeros",
        *("IdentityInitializer", "OrthogonalInitializer", "STFTInitializer", "normal", "one", "uniform", "zero"),
    ),
    {
        **dict.fromkeys(("Constant", "constant"), _VALUE),
        **dict.fromkeys(("Initializer", "initializer"), _BASE),
        **dict.fromkeys(("STFT", "STFTInitializer", "stft"), _STFT),
    },
    {
        "OrthogonalInitializer": (3,),
        "Orthogonal": (3, 4),
        **dict.fromkeys(("IdentityInitializer", "STFT", "STFTInitializer", "stft"), (3, 7)),
    },
    ("Orthogonal",),
)
IDENTITY = ("Identity", "IdentityInitializer", "identity")
ORTHOGONAL = ("Orthogonal", "OrthogonalInitializer", "orthogonal")

REGULARIZERS = Names(
    "regularizer",
    _of_classes("L1 L1L2 L2 OrthogonalRegularizer Regularizer"),
    dict.fromkeys(("Regularizer", "regularizer"), _BASE),
)
L1_REGULARIZER = ("L1", "l1")
ORTHOGONAL_REGULARIZER = ("OrthogonalRegularizer", "orthogonal_regularizer")

CONSTRAINTS = Names("constraint", _of_classes("Constraint MaxNorm MinMaxNorm NonNeg UnitNorm"))
LISTS = (ACTIVATIONS, INITIALIZERS, REGULARIZERS, CONSTRAINTS)


def of(what: str) -> Names:
    """The list of a kind, such as ``"initializer"``."""
    return next(known for known in LISTS if known.what == what)
