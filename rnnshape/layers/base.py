"""The types of an entry of the table of layers: what its theory gets (``Given``) and returns (``Answer``).

A layer class declares its arguments and one function, its theory.  The function returns real Python tuples and lists of
``Leaf``, nested as Keras nests its tensors.
"""

from __future__ import annotations

from math import prod
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from msgspec import Struct, field

from rnnshape.form import LATER, Key, formed
from rnnshape.layers.dims import Dim
from rnnshape.layers.release import change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.layers.masking import Mask, Scan
    from rnnshape.layers.scan import Strip

Dims: TypeAlias = tuple[Dim, ...]
# For each step of each sample, whether all its values are zero; None where theory cannot know.
Zeros: TypeAlias = tuple[tuple[bool | None, ...], ...]


_SIZE, _OK = attrgetter("size"), attrgetter("ok")


class Leaf(Struct, gc=False):
    """A predicted tensor: its role, its dimensions, its dtype."""

    role: str
    dims: Dims
    dtype: str


# Keras' own containers: a Leaf, or a tuple or list of these.
Returned: TypeAlias = Any


class Law(NamedTuple):
    """An equality between returned tensors.

    ``check`` is Python over the roles.  A law that is not ``guaranteed`` shows a misconception: many expect it, but it
    does not hold, or only by coincidence.  ``elsewhere`` says what differs with the other kernel, cuDNN or the loop.
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
class Weight(Struct, frozen=True, gc=False):
    """A weight: its name, its dimensions, the gates side by side in the last one, and the dtype in which it is stored.

    ``trainable`` is False if the layer or a layer around it is not trainable.
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
        """The number of values."""
        return prod(map(_SIZE, self.dims))

    def behind(self, prefix: str) -> Weight:
        """The same weight with ``prefix`` in front of its name."""
        return Weight(prefix + self.name, self.dims, self.gates, self.dtype, self.trainable)


class Product(Struct, frozen=True, gc=False):
    """The multiply-adds of matrix products or convolutions: all ``factors``, times the sum of ``summed`` if any.

    A step of an LSTM is ``Product((N, 4H), (C, H))``: a product with the input and one with the state.
    """

    factors: Dims
    summed: Dims = ()

    @property
    def size(self) -> int:
        size: int = prod(map(_SIZE, self.factors)) * (sum(map(_SIZE, self.summed)) if self.summed else 1)
        return size

    def repeated(self, time: Dim) -> Product:
        """The same product for each time step; time is the second factor, after the batch."""
        factors = self.factors
        return Product((factors[0], time, *factors[1:]), self.summed)


@formed(
    rule="A condition.",
    ok="Whether it is met.",
    decided_by=Key("What decides it: an argument, the dtype or the mask.", LATER, of="decided"),
    source=Key("Where Keras checks it: a file, and a name in it.", LATER),
)
class Rule(NamedTuple):
    """One condition of the cuDNN kernel; ``fix`` is the change that would meet it.

    ``decided`` is what decides it, such as ``recurrent_dropout=0.2``; ``source`` is where Keras checks it:
    ``"keras/src/backend/tensorflow/rnn.py: cudnn_ok"``.
    """

    rule: str
    ok: bool
    fix: str = ""
    decided: str = ""
    source: str = ""


# The kernels of a layer.  "step" has no loop over time: a cell, a Dense.
CUDNN, LOOP, UNROLLED, STEP = "cudnn", "loop", "unrolled", "step"


class Kernel(Struct, frozen=True, gc=False):
    """How one recurrent layer is computed: the rules of cuDNN, and the kernel if they are not met (``otherwise``).

    ``layer`` is its name in a wrapper, ``"forward LSTM(8)"``; empty for the whole layer.  ``where`` is the prefix of
    its rules in a list with those of other layers: ``"forward: "``.
    """

    layer: str
    rules: tuple[Rule, ...]
    otherwise: str
    where: str = ""

    @property
    def eligible(self) -> bool:
        return all(map(_OK, self.rules))

    def chosen(self, *, gpu: bool) -> str:
        """The kernel that Keras chooses with or without a GPU."""
        return CUDNN if gpu and self.eligible else self.otherwise

    def inside(self, layer: str, where: str) -> Kernel:
        """The same kernel inside a wrapper, with its name there and the prefix of its rules and fixes."""
        rules = self.rules
        if where and not self.eligible:
            rules = tuple(rule if rule.ok else rule._replace(fix=rule.fix and where + rule.fix) for rule in rules)
        return Kernel(layer, rules, self.otherwise, where + self.where)


class Refusal(NamedTuple):
    """An error that Keras is known to raise for a well-formed layer; ``hint`` says how to avoid it."""

    message: str
    hint: str


class Given(Struct, gc=False):
    """The input of a layer, for theory.

    * ``dims``, ``dtype``: of the input tensor; ``letter``: the letter of the layer's ``units``.
    * ``within``: the dtype policy of a wrapper that runs the layer's ``call`` itself, under its own autocast, such as
      TimeDistributed.
    * ``mask``: the mask of the input.
    * ``initial``: the values of the passed states (``"zeros"``, ``"ones"``, ``"random"``; None: no states).
    * ``gpu``: whether Keras sees a GPU; ``training``: whether dropout is active.
    * ``raw``: whether the tensor is the input of the whole, not another layer's output.
    * ``zeros``: which steps of another layer's output are all zeros (``layers.contents``; None: unknown).
    * ``execution``: ``"eager"``, ``"graph"`` or ``"xla"``; ``watched``: whether the strips are needed.
    * ``others``: dimensions and dtypes of the further inputs of a layer with several; ``masks``: their masks.
    * ``scores``: whether an attention is called with ``return_attention_scores``.
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


class Answer(Struct, gc=False):
    """The answer of theory for one layer or cell.

    * ``outputs``: one leaf, or two for a Bidirectional that does not merge.
    * ``returned``: the returned structure, in Keras' containers.
    * ``states``: the states in Keras' nesting, returned or not; ``hidden``: the state that the output equals.
    * ``flow``: what each layer of a stack returns.
    * ``cudnn``: how each recurrent layer inside is computed.
    * ``mask``: the mask attached to the output.
    * ``notes``: how sizes are computed; ``products``: the matrix products and convolutions of one call.
    * ``begins``: the initial states, nested as an ``initial_state``, in the coarsest dtype to which they are cast on
      the way to the cell.
    * ``scan``: the scan of a recurrent layer; ``strips``: the kinds of the steps of its output under a mask.
    * ``quirks``: headings of ``docs/keras-quirks.md``, for the Keras bugs that affect this layer.
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


def several(outputs: Iterable[Returned]) -> Returned:
    """The outputs of a layer in their container: a tuple, in Keras 2 a list."""
    return tuple(outputs) if _TUPLES.made else list(outputs)


def compute_dtype(policy: str | None) -> str:
    """The dtype in which a layer with this policy computes: float16 for ``mixed_float16``."""
    return "float32" if policy is None else policy.removeprefix("mixed_")


def variable_dtype(policy: str | None) -> str:
    """The dtype of the weights of a layer with this policy: float32 for ``mixed_float16``."""
    return "float32" if policy is None or policy.startswith("mixed_") else policy


def prefixed(prefix: str, value: Returned) -> Returned:
    """The same structure with ``prefix`` in front of each role."""
    if isinstance(value, Leaf):
        return Leaf(prefix + value.role, value.dims, value.dtype)
    return type(value)([prefixed(prefix, item) for item in value])


def flat(value: Returned) -> list[Leaf]:
    """The leaves of a structure, in order."""
    return [value] if isinstance(value, Leaf) else [leaf for item in value for leaf in flat(item)]


def cast(value: Returned, dtype: str) -> Returned:
    """The same structure with leaves of another dtype."""
    if isinstance(value, Leaf):
        return value if value.dtype == dtype else Leaf(value.role, value.dims, dtype)
    return type(value)([cast(item, dtype) for item in value])


# Dtypes by precision, the coarsest first.
_BY_DIGITS = ("bfloat16", "float16", "float32", "float64")


def through(value: Returned, dtype: str) -> Returned:
    """The same structure after a cast to ``dtype`` and back: each leaf has the coarser of the two dtypes."""
    if isinstance(value, Leaf):
        return value if value.dtype == dtype else cast(value, min(value.dtype, dtype, key=_BY_DIGITS.index))
    return type(value)([through(item, dtype) for item in value])
