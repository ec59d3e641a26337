"""Differences of recurrent layers and wrappers in older releases of Keras: states, weights, masks and errors.

None of them is in the newest release; each rule has its ``Change``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers.base import Refusal, compute_dtype, flat, variable_dtype
from rnnshape.layers.release import KERAS_3, asked, change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.layers.base import Given, Returned, Rule, Weight
    from rnnshape.layers.dims import Dim
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import Node

_IN_ORDER = change(
    "3.0",
    "layer.weights has the weights in the order of their creation; before, those that are not trainable are last",
    "layers/layer.py: Layer.weights",
)


def in_order(parts: Iterable[tuple[bool, Iterable[Weight]]], *, trainable: bool = True) -> list[Weight]:
    """The weights of a layer's parts in the order of ``layer.weights``; each part says whether it is trainable.

    ``trainable`` says whether the layer itself is trainable; if not, no part is.
    """
    if _IN_ORDER.made or not trainable:
        return [weight for _, part in parts for weight in part]
    weights = [
        weight if trainable else replace(weight, trainable=False) for trainable, part in parts for weight in part
    ]
    return sorted(weights, key=lambda weight: not weight.trainable)


ZEROES = change("3.0", "ConvLSTM uses zero_output_for_mask", "layers/rnn/conv_lstm.py")
_KEEPS_ANY_DTYPE = change(
    "3.8",
    "a stateful layer keeps states of a mixed policy, or of another dtype than its own",
    "layers/rnn/rnn.py: RNN._create_state_variables",
    in_2=True,
)


LISTED = change(
    "3.11",
    "cuDNN's GRU returns its state as one tensor; before, each row of it as a state of its own",
    "backend/tensorflow/rnn.py: _cudnn_gru",
    in_2=True,
)


def note_on_state(node: Node, cudnn: tuple[Rule, ...]) -> Iterator[str]:
    """A note about the state that cuDNN returns, which differs only on a GPU."""
    if node.name == "GRU" and node["return_state"] and all(rule.ok for rule in cudnn):
        yield "with cuDNN this Keras returns each row of the state as a tensor of its own (fixed in Keras 3.11)"


def unlike_kept(node: Node, given: Given) -> Iterator[Refusal]:
    """Reject passed states of another dtype than the kept ones, because a graph of Keras 2 has to choose one."""
    kept = "float32" if node.has("filters") else variable_dtype(node["dtype"])
    if asked() < KERAS_3 and given.execution != "eager" and compute_dtype(node["dtype"]) != kept:
        what = "true_fn and false_fn arguments to tf.cond must have the same type of return values"
        yield Refusal(f"TypeError: {what}", "drop stateful, or --execution eager")


def kept_in_another_dtype(node: Node, states: Returned) -> Iterator[Refusal]:
    """Reject states that a stateful layer cannot keep: its variables have its dtype, and TensorFlow does not cast."""
    # A ConvLSTM of Keras 2 has variables of another dtype (base_conv_rnn.py: reset_states).
    if _KEEPS_ANY_DTYPE.made and (ZEROES.made or not node.has("filters")):
        return
    kept = variable_dtype(node["dtype"]) if ZEROES.made or not node.has("filters") else "float32"
    for leaf in flat(states):
        if leaf.dtype != kept:
            yield Refusal(
                f"ValueError: Tensor conversion requested dtype {kept} for Tensor with dtype {leaf.dtype}: {leaf.role}",
                "drop stateful, or give the layer and its cell one dtype that is not mixed",
            )


_MATCHES = change(
    "3.0",
    "an unrolled layer under a mask with zero_output_for_mask runs without return_sequences",
    "backend.py of Keras 2: rnn",
)


def mask_on_last_step(node: Node, mask: Mask | None, time: Dim) -> Iterator[Refusal]:
    """Reject a mask of all steps that Keras 2 applies to the output of the last step only."""
    zeroed = node["zero_output_for_mask"] and not node["return_sequences"]
    if zeroed and mask is not None and time.size > 1 and not _MATCHES.made:
        yield Refusal(
            f"ValueError: Tensor's shape ({time.size}, …) is not compatible with supplied shape (1, …)",
            "drop unroll or zero_output_for_mask",
        )


def unlike_states(node: Node, cell: Node, given: Given) -> Iterator[Refusal]:
    """Reject passed states (a list) that differ from the kept ones (a tuple): a graph of Keras 2 has to choose one."""
    stacked = cell.has("cells") and asked() < KERAS_3
    if stacked and node["stateful"] and given.initial is not None and given.execution != "eager":
        what = "true_fn and false_fn arguments to tf.cond must have the same structure of return values"
        yield Refusal(f"TypeError: {what}", "drop initial_state or stateful, or --execution eager")
