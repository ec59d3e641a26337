"""Which variants of a comparison must be equal, how equal, and why.

A pair must be equal ``"bitwise"``, or ``"close"`` (within the tolerance of its coarser dtype), or only in its
``"shape"`` where nothing was computed; or it need not be equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec.structs import replace

from rnnshape.layers.arguments import CONSTRAINTS, KERNEL_INITIALIZERS, REGULARIZERS
from rnnshape.layers.base import CUDNN, compute_dtype
from rnnshape.layers.changes import as_layers, everywhere, without
from rnnshape.layers.node import Node
from rnnshape.layers.quirks import STACKED, UNLIKE, UNLIKE_DTYPES, UNROLLED
from rnnshape.layers.wires import Graph
from rnnshape.report.checks import TOLERANCES
from rnnshape.spec.calls import random

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.spec.comparison import Variant

# Bounded activations; with any other, differences in the last bits may grow without limit.
_BOUNDED = {"tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "softsign", "softmax", "sparse_sigmoid", "sparsemax"}

# Factors of the tolerance.  A SimpleRNN has no gate that damps a difference in the last bits from step to step; a GPU
# multiplies float32 with the 10 bits of TF32.
_UNGATED, _TF32 = 100.0, 400.0

# Arguments that do not change what a layer with given weights computes in a first call outside training.
_IRRELEVANT = {
    *("unroll", "implementation", "use_cudnn", "dtype", "name", "trainable", "seed", "stateful", "return_state"),
    *("dropout", "recurrent_dropout", "rate", "noise_shape", "unit_forget_bias", "activity_regularizer"),
    *(argument.name for argument in (*KERNEL_INITIALIZERS, *REGULARIZERS, *CONSTRAINTS)),
    *("embeddings_initializer", "embeddings_regularizer", "embeddings_constraint"),
}
# Layers that do the same at each time step with and without TimeDistributed.
_BY_STEP = ("Dense", "Activation", "Dropout")
# Arguments that change the output of the outermost layer, but not its states.
_OUTPUT_ONLY = ("return_sequences", "merge_mode", "zero_output_for_mask")


@dataclass(frozen=True, slots=True)
class Must:
    """How equal a pair must be (None: it need not be), why, and the tolerance (None: that of its dtype)."""

    kind: Literal["bitwise", "close", "shape"] | None
    why: str
    tolerance: float | None = None


class Ran(NamedTuple):
    """How a variant was run: the execution mode, the kernel and the device."""

    way: str
    kernel: str
    device: str


DIFFERENT = "different functions"
"""The reason begins with this where two layers compute different functions."""


def must(variants: tuple[Variant, Variant], ran: tuple[Ran, Ran], role: str) -> Must:
    """How equal this role must be in two variants with the same weights."""
    first, other = variants
    if first.spec.keras != other.spec.keras:
        return Must(None, "another release of Keras may compute it otherwise")
    if other.static:
        return Must("shape", "the static structure must match the returned one")
    if random(first.spec) or random(other.spec):
        return Must(None, "in training each variant draws its own dropout masks")
    if first.spec.mask != other.spec.mask:
        return Must(None, "a masked step is skipped: the states are kept, the output is repeated or zero")
    masked, of_state = _masked(first), not role.endswith("output")
    # In a first call, stateful makes no difference.
    idle = _IRRELEVANT if first.spec.calls == 1 else _IRRELEVANT - {"stateful"}
    functions = [_function(one.spec.layer, idle, masked, of_state) for one in (first, other)]
    if functions[0] != functions[1]:
        return Must(None, f"{DIFFERENT}: {_unlike(*functions)}")
    fused = [CUDNN in one.kernel for one in ran]
    if masked and fused[0] != fused[1] and not of_state:
        return Must(None, "at masked steps cuDNN outputs zeros and the loop repeats its last output")
    reasons = list(_apart((first.spec.layer, other.spec.layer), ran))
    bitwise = "; ".join(_same(first.spec.layer, other.spec.layer)) or "the same arithmetic on the same numbers"
    if not reasons:
        return Must("bitwise", bitwise)
    if _unbounded(first.spec.layer):
        return Must(None, "its activation is unbounded: differences in the last bits may grow without limit")
    # A float32 output is no more exact than float16 if a layer inside computes in float16.
    tolerance = max(TOLERANCES[dtype] for dtype in (*_computes(first.spec.layer), *_computes(other.spec.layer)))
    return Must("close", "; ".join(why for why, _ in reasons), tolerance * max(slack for _, slack in reasons))


def quirk(first: Variant, other: Variant) -> str | None:
    """The heading of ``PAGE`` for the Keras bug that makes the two differ; None if no bug is known."""
    node = other.spec.layer
    if other.static or other.way == "predict":
        if any(part.name == "StackedRNNCells" or isinstance(_cell(part), tuple) for part in node.walk()):
            return STACKED
        if any(part.name == "Bidirectional" and part["backward_layer"] is not None for part in node.walk()):
            return UNLIKE
        if any(part.name == "Bidirectional" and len(_computes(part)) > 1 for part in node.walk()):
            return UNLIKE_DTYPES
    unrolled = [_loops(one.spec.layer) for one in (first, other)]
    if _masked(other) and unrolled[0] != unrolled[1] and _turned_and_zeroed(node):
        return UNROLLED
    return None


def _masked(variant: Variant) -> bool:
    """Whether there is a mask: one that is passed in, or one that a layer computes."""
    made = (
        part.name == "Masking" or (part.has("mask_zero") and part["mask_zero"]) for part in variant.spec.layer.walk()
    )
    return variant.spec.mask is not None or any(made)


def _cell(node: Node) -> object:
    return node["cell"] if node.has("cell") else None


def _loops(node: Node) -> list[bool]:
    return [part["unroll"] for part in node.walk() if part.has("unroll")]


def _turned_and_zeroed(node: Node) -> bool:
    """Whether a layer inside reads backwards, returns a sequence, and outputs zeros at masked steps."""
    if node.name == "Bidirectional":
        return bool(node["layer"]["return_sequences"]) or any(map(_turned_and_zeroed, node.children))
    return any(
        all(part.has(name) and part[name] for name in ("go_backwards", "zero_output_for_mask", "return_sequences"))
        for part in node.walk()
    ) or any(_turned_and_zeroed(child) for child in node.children)


# -- one function -------------------------------------------------------------------------------


def _function(node: Node, idle: set[str], masked: bool, of_state: bool) -> Node:
    """The layer without the arguments that do not change what it computes; equal nodes are the same function."""

    def bare(part: Node) -> Node:
        if part.cls.kind == "graph":  # its outputs are compared one by one
            return part.but(graph=replace(part["graph"], outputs=None))
        return without(part, idle if masked else idle | {"zero_output_for_mask"})

    known = everywhere(as_layers(everywhere(node, bare)), _of_one_step)
    return _states_only(known) if of_state else known


def _of_one_step(node: Node) -> Node:
    """The layer in a TimeDistributed, if it does the same without it."""
    return node["layer"] if node.name == "TimeDistributed" and node["layer"].name in _BY_STEP else node


def _states_only(node: Node) -> Node:
    """The last layer of a stack, both layers of a Bidirectional, or the layer, without what affects only the output."""
    if node.cls.kind == "stack":
        *before, last = node["layers"]
        return node.but(layers=(*before, _states_only(last)))
    bare = without(node, set(_OUTPUT_ONLY))
    if node.name != "Bidirectional":
        return bare
    inside = {name: _states_only(value) for name, value in bare.given if isinstance(value, Node)}
    return bare.but(**inside)


def _unlike(first: Node, other: Node) -> str:
    """The first difference of two layers: their classes, or the arguments that differ."""
    for one, two in zip(first.walk(), other.walk(), strict=False):
        if one.cls is not two.cls:
            return f"{one.name} and {two.name}"
        differ = [
            f"{name}={one[name]!r} and {two[name]!r}"
            for name in one.cls.defaults
            if one[name] != two[name] and not isinstance(one[name], Node | Graph | tuple)
        ]
        if differ:
            return ", ".join(differ)
    if first.cls.kind == other.cls.kind == "graph":
        return "their calls are wired in other ways"
    return f"{first.text} and {other.text}"


# -- how it is computed -------------------------------------------------------------------------


def _same(first: Node, other: Node) -> Iterator[str]:
    """The differences of the two layers that leave the arithmetic of each step the same."""
    names = [[part.name for part in node.walk() if part.name != "TimeDistributed"] for node in (first, other)]
    if names[0] != names[1]:
        yield "RNN(cell) and the layer of that name compute the same numbers"
    if _loops(first) != _loops(other):
        yield "with or without unroll, each step does the same arithmetic"


def _apart(nodes: tuple[Node, Node], ran: tuple[Ran, Ran]) -> Iterator[tuple[str, float]]:
    """The reasons why the last bits may differ, each with the factor of the tolerance."""
    ways = [one.way for one in ran]
    grows = _UNGATED if any(part.name.startswith("SimpleRNN") for part in nodes[0].walk()) else 1.0
    if _computes(nodes[0]) != _computes(nodes[1]):
        yield "equal within the precision of the coarser dtype", grows
    if "xla" in ways and ways[0] != ways[1]:
        yield "XLA fuses and reorders the arithmetic", grows
    elif ways[0] != ways[1]:
        yield "a graph may sum in another order", grows
    elif "eager" not in ways and any(_same(*nodes)):
        yield "two graphs may sum in another order", grows
    if any("GPU" in one.device for one in ran) and ran[0] != ran[1]:
        single = _computes(nodes[0]) | _computes(nodes[1]) <= {"float32", "float64"}
        yield "a GPU sums in another order and multiplies in TF32", max(grows, _TF32 if single else 1.0)
    if _wrapped(nodes[0]) != _wrapped(nodes[1]):
        why = "the layer in TimeDistributed does the same at each step without it"
        yield f"{why}: only the sums have another order", grows
    if _implementations(nodes[0]) != _implementations(nodes[1]):
        yield "gate by gate or all gates at once: the sums have another order", grows


def _unbounded(node: Node) -> bool:
    """Whether a recurrent layer or a cell has an unbounded activation; a Dense has no loop and does not count."""
    names = ("activation", "recurrent_activation")
    return any(
        part[name] not in _BOUNDED
        for part in node.walk()
        if part.has("return_sequences") or part.cls.kind == "cell"
        for name in names
        if part.has(name)
    )


def _computes(node: Node) -> set[str]:
    """The dtypes in which its layers and cells compute."""
    return {compute_dtype(part["dtype"]) for part in node.walk() if part.has("dtype")}


def _wrapped(node: Node) -> int:
    return sum(part.name == "TimeDistributed" for part in node.walk())


def _implementations(node: Node) -> list[int]:
    """The implementation of each layer; recurrent_dropout forces 1."""
    return [
        1 if part["recurrent_dropout"] else part["implementation"] for part in node.walk() if part.has("implementation")
    ]
