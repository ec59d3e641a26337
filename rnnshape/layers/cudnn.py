"""Keras' conditions for the cuDNN kernel of LSTM and GRU, and its errors if they are not met.

The conditions are those of ``backend/tensorflow/rnn.py`` and of ``inner_loop`` in ``lstm.py`` and ``gru.py``
(read in 3.15.1).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from rnnshape.layers import dropping
from rnnshape.layers.base import Refusal, Rule, compute_dtype, variable_dtype
from rnnshape.layers.release import KERAS_3, asked, change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.layers.base import Given
    from rnnshape.layers.masking import Mask
    from rnnshape.layers.node import LayerClass, Node
    from rnnshape.layers.release import Release


DROPS_MASK = change(
    "3.0",
    "a mask attached to the tensor is dropped when initial_state is passed",
    "layers/layer.py: Layer.__call__",
)


def mask_used(given: Given) -> Mask | None:
    """The mask that a recurrent layer uses.

    Keras ignores a mask attached to the tensor if ``initial_state`` is passed too, but still attaches it to the output
    (``docs/keras-quirks.md``).
    """
    mask = given.mask
    if mask is None or (not mask.argument and given.initial is not None and DROPS_MASK.made):
        return None
    return mask.over(given.dims[0].size)


def refusals(node: Node, given: Given, cudnn: tuple[Rule, ...]) -> Iterable[Refusal]:
    """Keras' errors if it has to run cuDNN and cannot."""
    forced = node.has("use_cudnn") and node["use_cudnn"] is True
    if asked() < KERAS_3:
        return ()  # Keras 2 chooses the kernel at run time
    return _refused(given, [rule for rule in cudnn if not rule.ok], forced=forced) if given.gpu or forced else ()


def _refused(given: Given, broken: list[Rule], *, forced: bool) -> Iterator[Refusal]:
    if given.gpu and broken == [_XLA]:
        yield Refusal(
            "InvalidArgumentError: Keras picks cuDNN where it sees a GPU, and XLA cannot compile CudnnRNNV3",
            "use_cudnn=False, or --execution graph",
        )
    if given.gpu and given.execution == "graph" and not broken and not all(_fits_cudnn(mask_used(given))):
        yield Refusal(
            "InvalidArgumentError: assertion failed: the mask does not correspond to right-padded sequences",
            "use_cudnn=False, --execution eager, or a mask that is padded on the right and has no empty row",
        )
    if forced and broken:
        yield Refusal(
            "ValueError: use_cudnn=True was specified, but cuDNN is not supported for this layer configuration",
            "use_cudnn='auto', or " + ", ".join(rule.fix for rule in broken),
        )


_BACKEND = "keras/src/backend/tensorflow/rnn.py"
_XLA = Rule(
    "execution is not xla",
    False,
    "use another --execution, or use_cudnn=False: on a GPU Keras picks cuDNN, which XLA cannot compile",
    "execution='xla'",
    "tensorflow/core/kernels/cudnn_rnn_ops.cc: registered for GPU, not for XLA",
)
_OP = "tensorflow/core/ops/cudnn_rnn_ops.cc: CudnnRNNV3"


# The arguments that decide; the size of a layer does not.
DECIDING = (
    "activation", "recurrent_activation", "use_bias", "unroll", "recurrent_dropout", "use_cudnn", "reset_after",
)  # fmt: skip


def fused_cudnn(node: Node, given: Given) -> tuple[Rule, ...]:
    """Keras' conditions for the cuDNN kernel, each with the fix that meets it."""
    names = _deciding(node.cls, asked(), outside=dropping.DROPS_OUTSIDE.made)
    said = tuple([(name, value) for name, value in node.given if name in names])
    dtypes = node["dtype"], given.dtype, given.within
    return _fused_rules(
        node.cls, names, said, dtypes, mask_used(given), execution=given.execution, keras_2=asked() < KERAS_3
    )


@cache
def _deciding(layer: LayerClass, release: Release, *, outside: bool) -> tuple[str, ...]:
    """The arguments of a class that decide; dropout is one of them unless it is applied ``outside`` the kernel."""
    names = (*DECIDING, *(() if outside else ("dropout",)))
    return tuple(name for name in names if name in layer.by_name and not layer.by_name[name].missing_in(release))


@lru_cache(maxsize=1024)
def _fused_rules(
    fused: LayerClass,
    deciding: tuple[str, ...],
    given: tuple[tuple[str, Any], ...],
    dtypes: tuple[str | None, str, str | None],
    mask: Mask | None,
    *,
    execution: str,
    keras_2: bool,
) -> tuple[Rule, ...]:
    layer, usual = fused.name, fused.usual
    said = {name: usual[name] for name in deciding} | dict(given)
    inner_loop = f"keras/src/layers/rnn/{layer.lower()}.py: {layer}.inner_loop"
    decides = f"{_BACKEND}: cudnn_ok"
    if keras_2:
        inner_loop = decides = f"tf_keras/src/layers/rnn/{layer.lower()}.py: {layer}.__init__"

    def rule(name: str, wanted: str, ok: bool, source: str) -> Rule:
        decided = f"{name}={said[name]!r}"
        return Rule(f"{name} is {wanted}", ok, "" if ok else f"drop {decided}", decided, source)

    def is_(name: str, wanted: object) -> Rule:
        return rule(name, str(wanted), said[name] == wanted, decides)

    return (
        Rule("the layer is LSTM or GRU", True, "", layer, inner_loop),
        is_("activation", "tanh"),
        is_("recurrent_activation", "sigmoid"),
        is_("use_bias", True),
        is_("unroll", False),
        rule("recurrent_dropout", "0", not said["recurrent_dropout"], inner_loop),
        *([rule("dropout", "0", not said["dropout"], inner_loop)] if "dropout" in said else []),
        *([is_("reset_after", True)] if "reset_after" in said else []),
        *([rule("use_cudnn", "not False", said["use_cudnn"] is not False, inner_loop)] if "use_cudnn" in said else []),
        _dtype_rule(*dtypes),
        *([_XLA] if execution == "xla" else []),
        *_mask_rules(mask, asserted=execution == "graph" and not keras_2, source=_OF_MASK[keras_2]),
    )


def _dtype_rule(policy: str | None, given: str, within: str | None) -> Rule:
    """The rule that input, states and weights have the same dtype; cuDNN supports every dtype of Keras.

    Only a wrapper that runs ``call`` itself, such as TimeDistributed, can pass another dtype than the layer's.
    """
    dtype = compute_dtype(policy)
    # A mixed policy of the wrapper casts the weights.
    mixed = within is not None and within.startswith("mixed_")
    weights = given if mixed else variable_dtype(policy)
    apart = [] if within is None else dict.fromkeys((given, dtype, weights))
    ok, said = len(apart) < 2, " and ".join(apart) or dtype
    decided = said if ok else f"input, states and weights are {said}"
    return Rule("one dtype throughout", ok, "" if ok else "give the wrapper and the layer one dtype", decided, _OP)


_OF_MASK = {
    False: f"{_BACKEND}: _assert_valid_mask",
    True: "tf_keras/src/layers/rnn/gru_lstm_utils.py: is_cudnn_supported_inputs",
}


def _mask_rules(mask: Mask | None, *, asserted: bool, source: str) -> Iterator[Rule]:
    """The rules for the mask's values, which Keras checks when the layer runs; without a mask, all are met.

    If one is not met, an eager call uses the loop.  A graph always contains cuDNN: there the rules are ``asserted``
    when it runs.
    """
    padded, full = _fits_cudnn(mask)
    for rule, ok, fix, broken in (
        ("the mask is right-padded", padded, "pad on the right", "the mask has valid steps after masked ones"),
        ("no row is fully masked", full, "drop the empty rows", "a row of the mask has no valid step"),
    ):
        if mask is None:
            decided = "no mask"
        elif asserted:
            decided = "the graph checks it when it runs" + ("" if ok else f", and fails: {broken}")
        else:
            decided = "the mask's values" if ok else broken
        chosen = ok or asserted
        yield Rule(rule, chosen, "" if chosen else fix, decided, source)


def _fits_cudnn(mask: Mask | None) -> tuple[bool, bool]:
    """Whether a mask is right-padded, and whether each row has a valid step."""
    return (True, True) if mask is None else (mask.right_padded, not mask.empty_row)
