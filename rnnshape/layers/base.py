"""The words in which a layer class says what it is: one ``LayerClass`` is one entry of the table.

A class declares its arguments and one function, its theory: what comes out when ``Given`` goes in.
Theory answers with real Python tuples and lists of ``Leaf``, nested the way Keras nests its
tensors, so that nothing has to translate between a rule and the container that it speaks of.
"""

from __future__ import annotations

from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from rnnshape.form import LATER, Key, formed
from rnnshape.layers.dims import Dim
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.layers.masking import Mask, Scan
    from rnnshape.layers.scan import Strip

Dims: TypeAlias = tuple[Dim, ...]
# Of each step of each sample whether it is zero throughout; None where theory cannot know.
Zeros: TypeAlias = tuple[tuple[bool | None, ...], ...]


_SIZE, _OK = attrgetter("size"), attrgetter("ok")


class Leaf(Struct):
    """A tensor that theory expects: its role, its dimensions, its dtype."""

    role: str
    dims: Dims
    dtype: str


# Keras' own containers: a Leaf, or a tuple or list of these.
Returned: TypeAlias = Any


class Law(NamedTuple):
    """An equality between returned tensors.

    ``check`` is Python over the roles.  A law that is not ``guaranteed`` teaches: people believe
    it, and it does not hold, or holds only by accident.  ``elsewhere`` says what is otherwise where another kernel
    runs, cuDNN or the loop.
    """

    check: str
    guaranteed: bool
    why: str
    elsewhere: str = ""


@formed(
    "weight",
    name="Its name in Keras.",
    shape="The sizes.",
    symbolic="The symbolic sizes, such as 2H.",
    gates=Key("The gates side by side in the last dimension.", LATER),
)
class Weight(Struct, frozen=True):
    """A weight: its name, its dimensions, the gates side by side in its last one, the dtype it is kept in.

    ``trainable`` is False where a layer within another one is not.
    """

    name: str
    dims: Dims
    gates: tuple[str, ...] = ()
    dtype: str = "float32"
    trainable: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple([dim.size for dim in self.dims])

    @property
    def symbolic(self) -> tuple[str, ...]:
        return tuple([dim.letter for dim in self.dims])

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(map(_SIZE, self.dims))

    def behind(self, prefix: str) -> Weight:
        """The same weight under a name that begins with ``prefix``."""
        return Weight(prefix + self.name, self.dims, self.gates, self.dtype, self.trainable)


class Product(Struct, frozen=True):
    """The multiply-adds of matrix products or convolutions: all ``factors``, times the sum of ``summed`` if any.

    An LSTM's step is ``Product((N, 4H), (C, H))``: a product with the input and one with the state.
    """

    factors: Dims
    summed: Dims = ()

    @property
    def size(self) -> int:
        size: int = prod(map(_SIZE, self.factors)) * (sum(map(_SIZE, self.summed)) if self.summed else 1)
        return size

    def repeated(self, time: Dim) -> Product:
        """The same once a step; time stands behind the batch."""
        factors = self.factors
        return Product((factors[0], time, *factors[1:]), self.summed)


@formed(
    rule="A condition.",
    ok="Whether it is met.",
    decided_by=Key("What decides it: an argument, the dtype or the mask.", LATER, of="decided"),
    source=Key("Where Keras checks it: a file, and a name in it.", LATER),
)
class Rule(NamedTuple):
    """One condition of the cuDNN kernel, and the change that would meet it where it is not met.

    ``decided`` is what decides it, such as ``recurrent_dropout=0.2``; ``source`` where Keras asks for it:
    ``"keras/src/backend/tensorflow/rnn.py: cudnn_ok"``.
    """

    rule: str
    ok: bool
    fix: str = ""
    decided: str = ""
    source: str = ""


# What a layer can run as.  "step" has no loop over time: a lone cell, a Dense.
CUDNN, LOOP, UNROLLED, STEP = "cudnn", "loop", "unrolled", "step"


class Kernel(Struct, frozen=True):
    """How one recurrent layer is computed: its rules, and what runs where cuDNN does not.

    ``layer`` names it within the whole, ``"forward LSTM(8)"``, and is empty for the whole itself; ``where``
    stands before its rules where they are said in a row with others': ``"forward: "``.
    """

    layer: str
    rules: tuple[Rule, ...]
    otherwise: str
    where: str = ""

    @property
    def eligible(self) -> bool:
        return all(map(_OK, self.rules))

    def chosen(self, *, gpu: bool) -> str:
        """What Keras runs where it sees a GPU, and where it sees none."""
        return CUDNN if gpu and self.eligible else self.otherwise

    def inside(self, layer: str, where: str) -> Kernel:
        """The same kernel as part of a wrapper: its name there, and what its rules and fixes are said of."""
        rules = self.rules
        if where and not self.eligible:
            rules = tuple(rule if rule.ok else rule._replace(fix=rule.fix and where + rule.fix) for rule in rules)
        return Kernel(layer, rules, self.otherwise, where + self.where)


class Refusal(NamedTuple):
    """What Keras is known to raise on a layer that is well formed, and the way round it."""

    message: str
    hint: str


class Given(Struct):
    """What reaches a layer: dimensions, dtype, and the letter that its ``units`` go by.

    ``within`` is the dtype policy of a wrapper that runs the layer's ``call`` itself, under its own
    autocast, as TimeDistributed does; ``mask`` is the mask that comes with it; ``initial`` what the states that are
    handed in hold (``"zeros"``, ``"ones"``, ``"random"``; None: none are); ``gpu`` whether Keras sees a GPU,
    ``training`` whether dropout drops.

    ``raw`` says that the tensor is what was fed, and not another layer's output; ``zeros`` which steps of another
    layer's output are zero throughout (``layers.contents``; None: nothing is known of it).  ``execution`` is how
    the layer is run: ``"eager"``, ``"graph"`` or ``"xla"``; ``watched`` whether it is wanted what each step shows.
    ``others`` are the dimensions and dtypes of the inputs behind the first, for a layer that merges several, and
    ``masks`` the masks attached to them; ``scores`` whether an attention is called with ``return_attention_scores``.
    """

    dims: Dims
    dtype: str
    letter: str = "H"
    within: str | None = None
    mask: Mask | None = None
    initial: str | None = None
    gpu: bool = False
    training: bool = False
    raw: bool = True
    zeros: Zeros | None = None
    execution: str = "eager"
    watched: bool = False
    others: tuple[tuple[Dims, str], ...] = ()
    masks: tuple[Mask | None, ...] = ()
    scores: bool = False


class Answer(Struct):
    """What theory says of one layer or cell.

    ``outputs`` holds one leaf, or two for a Bidirectional that does not merge; ``states`` the
    states in Keras' nesting whether or not they are returned; ``hidden`` is the leaf of ``states``
    that the output equals.  ``returned`` is the whole, in Keras' containers; ``flow`` what each layer
    of a stack returns; ``cudnn`` how each recurrent layer within is computed; ``mask`` the mask that is attached to the
    output; ``notes`` why a size is what it is; ``products`` the matrix products and convolutions of one call.

    ``begins`` is the states that the layer begins with, nested as ``initial_state`` is passed, in the coarsest dtype
    to which they are cast on their way to the cell: more digits than that would be lost there.

    ``scan`` is what a recurrent layer does with each sample, ``strips`` what the steps of its output show under a
    mask, ``quirks`` under which headings ``docs/keras-quirks.md`` tells of a bug of Keras that is met here.
    """

    outputs: tuple[Leaf, ...]
    returned: Returned
    states: Returned = ()
    hidden: Leaf | None = None
    weights: list[Weight] = field(default_factory=list)
    laws: list[Law] = field(default_factory=list)
    cudnn: list[Kernel] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    flow: tuple[tuple[str, Returned], ...] = ()
    mask: Mask | None = None
    notes: tuple[str, ...] = ()
    products: list[Product] = field(default_factory=list)
    begins: Returned = ()
    scan: Scan | None = None
    strips: tuple[Strip, ...] = ()
    quirks: tuple[str, ...] = ()


_TUPLES = change("3.0", "a layer with several outputs returns a tuple; before, a list", "layers/rnn/rnn.py: RNN.call")


_IN_ORDER = change(
    "3.0",
    "layer.weights has the weights in the order in which they are made; before, those that are not trainable come last",
    "layers/layer.py: Layer.weights",
)


def in_order(parts: Iterable[tuple[bool, Iterable[Weight]]], *, trainable: bool = True) -> list[Weight]:
    """The weights of a layer's parts, as ``layer.weights`` has them; of each part whether it is trainable.

    ``trainable`` says whether the layer itself is: where it is not, no part is.
    """
    if _IN_ORDER.made or not trainable:
        return [weight for _, part in parts for weight in part]
    weights = [
        weight if trainable else replace(weight, trainable=False) for trainable, part in parts for weight in part
    ]
    return sorted(weights, key=lambda weight: not weight.trainable)


def several(outputs: Iterable[Returned]) -> Returned:
    """The container of a layer's outputs: a tuple, in Keras 2 a list."""
    return tuple(outputs) if _TUPLES.made else list(outputs)


def compute_dtype(policy: str | None) -> str:
    """The dtype in which a layer of this policy computes and returns: ``mixed_float16`` is float16."""
    return "float32" if policy is None else policy.removeprefix("mixed_")


def variable_dtype(policy: str | None) -> str:
    """The dtype of its weights: ``mixed_float16`` keeps them in float32."""
    return "float32" if policy is None or policy.startswith("mixed_") else policy


def prefixed(prefix: str, value: Returned) -> Returned:
    """The same leaves under roles that begin with ``prefix``, containers kept."""
    if isinstance(value, Leaf):
        return Leaf(prefix + value.role, value.dims, value.dtype)
    return type(value)([prefixed(prefix, item) for item in value])


def flat(value: Returned) -> list[Leaf]:
    """The leaves, in order."""
    return [value] if isinstance(value, Leaf) else [leaf for item in value for leaf in flat(item)]


def cast(value: Returned, dtype: str) -> Returned:
    """The same leaves in another dtype, containers kept."""
    if isinstance(value, Leaf):
        return value if value.dtype == dtype else Leaf(value.role, value.dims, dtype)
    return type(value)([cast(item, dtype) for item in value])


# The more of these a number goes through, the fewer of its digits are left.
_BY_DIGITS = ("bfloat16", "float16", "float32", "float64")


def through(value: Returned, dtype: str) -> Returned:
    """The same leaves as they are after a cast to ``dtype`` and back: in the coarser of the two."""
    if isinstance(value, Leaf):
        return value if value.dtype == dtype else cast(value, min(value.dtype, dtype, key=_BY_DIGITS.index))
    return type(value)([through(item, dtype) for item in value])
