"""RNN and the fused layers LSTM, GRU and SimpleRNN: a cell, run over time.

The containers are those of Keras' ``layers/rnn/rnn.py``: ``output``, or ``(output, *states)`` with
``return_state``.  The conditions of cuDNN are those of ``backend/tensorflow/rnn.py`` and of
``inner_loop`` in ``lstm.py`` and ``gru.py`` (read in 3.15.1).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnshape.layers import arguments as arg
from rnnshape.layers import contents, dropping, installed, quirks
from rnnshape.layers.base import (
    LOOP,
    UNROLLED,
    Answer,
    Given,
    Kernel,
    Law,
    Leaf,
    Refusal,
    Rule,
    cast,
    compute_dtype,
    flat,
    through,
    variable_dtype,
)
from rnnshape.layers.building import unregularized
from rnnshape.layers.cells import (
    GRU_CELL,
    LSTM_CELL,
    SIMPLE_RNN_CELL,
    gru_step,
    keeps_units,
    lstm_step,
    never_cudnn,
    simple_rnn_step,
)
from rnnshape.layers.laws import kept, of_output, strips
from rnnshape.layers.masking import Mask, Scan, unmasked_scan
from rnnshape.layers.node import LayerClass, Node
from rnnshape.layers.scan import START, ZERO, Scanning
from rnnshape.layers.stacked import STACKED_RNN_CELLS, nesting, stepped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.layers.base import Returned
    from rnnshape.layers.dims import Dim

_LONE_CELL = "IndexError: an unrolled stack of one cell passes its states on without their list"

_MASKED_DTYPES = "InvalidArgumentError: a masked step selects between states of two dtypes, the stack's and a cell's"
_LOST_STATES = "InvalidArgumentError: an unrolled stack of one stack loses states from the second step on"
_SYMBOLIC = "TypeError: an unrolled stack of one stack asks how long a state is, which a graph does not know"
_LOOPED_DTYPES = "TypeError: a state enters the loop in the stack's dtype and leaves it in its cell's"
_MASKED_LONE_CELL = "ValueError: The two structures don't have the same nested structure (a stack of one cell, masked)"

_RNN_LOOP = "rnn/rnn.py: RNN.inner_loop"

SEQUENCE_INPUT = ("N", "T", "C")


def over_time(node: Node, given: Given, step: Answer, cudnn: tuple[Rule, ...]) -> Answer:
    """The answer of a recurrent layer whose cell answers ``step`` on one time step."""
    dtype = compute_dtype(node["dtype"])
    batch, time = given.dims[:2]
    last = step.outputs[0].dims[1:]
    sequences = node["return_sequences"]
    output = Leaf("output", (batch, time, *last) if sequences else (batch, *last), dtype)
    states = cast(step.states, dtype)
    returned = (output, *states) if node["return_state"] else output
    used = mask_used(given)
    scan = _scan(node, given, used, cudnn)
    laws: list[Law] = []
    if node["return_state"]:
        laws += of_output(node, time.size, step.hidden.role, scan) if step.hidden else ()
        laws += kept(states, scan)
    return Answer(
        outputs=(output,),
        states=states,
        returned=returned,
        hidden=step.hidden and cast(step.hidden, dtype),
        weights=step.weights,
        laws=laws,
        cudnn=[Kernel("", cudnn, UNROLLED if node["unroll"] else LOOP)],
        mask=given.mask.passed_on() if given.mask and sequences else None,
        notes=step.notes,
        products=[product.repeated(time) for product in step.products],
        refusals=[
            *step.refusals,
            *_refusals(node, given, cudnn),
            *unmaskable(node, used, time, (step.outputs[0], step.states)),
            *unregularized(node, given, returned),
        ],
        begins=through(step.states, dtype),
        scan=scan,
        strips=strips(node, scan, given.mask) if given.mask and given.watched else (),
        quirks=tuple(_quirks(scan, sequences=sequences, dropped=used is None)) if given.mask else (),
    )


def _scan(node: Node, given: Given, mask: Mask | None, cudnn: tuple[Rule, ...]) -> Scan:
    if mask is None or (not mask.argument and mask.said is None):
        return unmasked_scan(node["go_backwards"], given.dims[1].size == 1)
    eligible = all(rule.ok for rule in cudnn)
    scanning = Scanning(
        backwards=node["go_backwards"],
        zero=node["zero_output_for_mask"],
        unroll=node["unroll"],
        start=START if given.initial in ("ones", "random") else ZERO,
        fused=given.gpu and eligible,
    )
    return Scan.of(scanning, mask, eligible=eligible)


def mask_used(given: Given) -> Mask | None:
    """The mask by which a recurrent layer goes.

    Keras looks at what is attached to the tensor only where the tensor is all that is handed in: beside an
    ``initial_state`` that mask is dropped, and yet goes on with the output (``docs/keras-quirks.md``).
    """
    dropped = given.mask is not None and not given.mask.argument and given.initial is not None
    return None if dropped else given.mask


def unmaskable(node: Node, mask: Mask | None, time: Dim, stepped: Returned) -> Iterator[Refusal]:
    """Where a mask cannot be laid over what a step computes.

    Keras puts axes of one behind those of the mask and repeats it over the axes that it lacks; where mask and tensor
    both have an axis the sizes must be the same, or the mask's 1 (``_expand_mask`` in
    ``keras/src/backend/tensorflow/rnn.py``).  Unrolled it repeats the mask over all axes, also those that it has.
    """
    if mask is None or not (mask.behind or mask.steps != time.size):
        return
    fit = mask.steps == time.size and all(
        len(mask.behind) < len(leaf.dims)
        and all(
            size == 1 or (size == dim.size and not node["unroll"])
            for size, dim in zip(mask.behind, leaf.dims[1:], strict=False)
        )
        for leaf in flat(stepped)
    )
    if not fit:
        shape = ", ".join(map(str, (mask.batch, mask.steps, *mask.behind)))
        yield Refusal(
            f"ValueError: a mask of shape ({shape}) does not match the steps of {node.name}",
            f"the mask attached to the tensor, ({shape}), must be (N, T) or have the sizes of the output's axes: pass "
            "mask= of shape (N, T), or keep the spatial size (padding='same', strides=1, channels_last, no unroll)",
        )


def _quirks(scan: Scan, *, sequences: bool, dropped: bool) -> Iterator[str]:
    if dropped:
        yield quirks.DROPPED
    if sequences and scan.amiss:
        yield quirks.UNROLLED


def _refusals(node: Node, given: Given, cudnn: tuple[Rule, ...]) -> Iterator[Refusal]:
    if not given.gpu and not (node.has("use_cudnn") and node["use_cudnn"] is True):
        return
    broken = [rule for rule in cudnn if not rule.ok]
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
    if node.has("use_cudnn") and node["use_cudnn"] is True and broken:
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


# All that decides; the size of a layer does not.
DECIDING = (
    "activation", "recurrent_activation", "use_bias", "unroll", "recurrent_dropout", "use_cudnn", "reset_after",
)  # fmt: skip


def fused_cudnn(node: Node, given: Given) -> tuple[Rule, ...]:
    """Keras' conditions for the cuDNN kernel, each with the change that would meet it."""
    deciding = (*DECIDING, "dropout") if installed.keras() < dropping.DROPS_OUTSIDE else DECIDING
    said = tuple((name, node[name]) for name in deciding if node.has(name))
    return _fused_rules(node.name, said, (node["dtype"], given.dtype, given.within), mask_used(given), given.execution)


@lru_cache(maxsize=1024)
def _fused_rules(
    layer: str,
    arguments: tuple[tuple[str, Any], ...],
    dtypes: tuple[str | None, str, str | None],
    mask: Mask | None,
    execution: str,
) -> tuple[Rule, ...]:
    said = dict(arguments)
    inner_loop = f"keras/src/layers/rnn/{layer.lower()}.py: {layer}.inner_loop"

    def rule(name: str, wanted: str, ok: bool, source: str) -> Rule:
        decided = f"{name}={said[name]!r}"
        return Rule(f"{name} is {wanted}", ok, "" if ok else f"drop {decided}", decided, source)

    def is_(name: str, wanted: object) -> Rule:
        return rule(name, str(wanted), said[name] == wanted, f"{_BACKEND}: cudnn_ok")

    return (
        Rule("the layer is LSTM or GRU", True, "", layer, inner_loop),
        is_("activation", "tanh"),
        is_("recurrent_activation", "sigmoid"),
        is_("use_bias", True),
        is_("unroll", False),
        rule("recurrent_dropout", "0", not said["recurrent_dropout"], inner_loop),
        *([rule("dropout", "0", not said["dropout"], inner_loop)] if "dropout" in said else []),
        *([is_("reset_after", True)] if "reset_after" in said else []),
        rule("use_cudnn", "not False", said["use_cudnn"] is not False, inner_loop),
        _dtype_rule(*dtypes),
        *([_XLA] if execution == "xla" else []),
        *_mask_rules(mask, asserted=execution == "graph"),
    )


def _dtype_rule(policy: str | None, given: str, within: str | None) -> Rule:
    """cuDNN computes in every dtype of Keras, but input, states and weights must have the same one.

    Only a wrapper that runs ``call`` itself, as TimeDistributed does, can hand in another than the layer's.
    """
    dtype = compute_dtype(policy)
    # A mixed policy casts the weights that are read under it.
    mixed = within is not None and within.startswith("mixed_")
    weights = given if mixed else variable_dtype(policy)
    apart = [] if within is None else dict.fromkeys((given, dtype, weights))
    ok, said = len(apart) < 2, " and ".join(apart) or dtype
    decided = said if ok else f"input, states and weights are {said}"
    return Rule("one dtype throughout", ok, "" if ok else "give the wrapper and the layer one dtype", decided, _OP)


def _mask_rules(mask: Mask | None, *, asserted: bool) -> Iterator[Rule]:
    """What Keras asks of the mask's values when the layer runs; a call without a mask is asked nothing.

    An eager call that breaks one of these takes the loop.  A graph holds cuDNN whatever the values are: there they are
    ``asserted`` when it runs.
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
        yield Rule(rule, chosen, "" if chosen else fix, decided, f"{_BACKEND}: _assert_valid_mask")


def _fits_cudnn(mask: Mask | None) -> tuple[bool, bool]:
    """Whether a mask is right-padded, and whether each of its rows has a step."""
    return (True, True) if mask is None else (mask.right_padded, not mask.empty_row)


def _fused(
    step: Callable[[Node, Given], Answer], cudnn: Callable[[Node, Given], tuple[Rule, ...]]
) -> Callable[[Node, Given], Answer]:
    def theory(node: Node, given: Given) -> Answer:
        batch, _, channels = given.dims
        one = step(node, Given((batch, channels), given.dtype, given.letter))
        if given.training:
            one.refusals += dropping.refusals(node, given)
        return over_time(node, given, one, cudnn(node, given))

    return theory


def cell_of(node: Node) -> Node:
    """The cell of an RNN; Keras puts a list of cells into StackedRNNCells."""
    cell = node["cell"]
    return Node.of(STACKED_RNN_CELLS, {"cells": cell}) if isinstance(cell, tuple) else cell


def _rnn(node: Node, given: Given) -> Answer:
    cell = cell_of(node)
    batch, _, *rest = given.dims
    step = cell.cls.theory(cell, Given((batch, *rest), given.dtype, given.letter))
    if given.training:
        step.refusals += dropping.refusals(node, given, cell)
    begins = through(through(step.states, compute_dtype(cell["dtype"])), compute_dtype(node["dtype"]))
    if cell.cls is STACKED_RNN_CELLS:
        _renest(node, cell, step, given)
    fused = FUSED_BY_CELL.get(cell.name)
    instead = f"use {fused} instead of RNN({cell.name})" if fused in ("LSTM", "GRU") else "use LSTM or GRU layers"
    decided = f"RNN calls its {cell.name} step by step"
    answer = over_time(node, given, step, never_cudnn(instead, decided, _RNN_LOOP))
    answer.begins = begins  # unrolled, what comes back may be nested otherwise
    return answer


def _renest(node: Node, cell: Node, step: Answer, given: Given) -> None:
    """Put the states of a stack into the nesting that Keras returns them in.

    The loop packs them as the initial states are nested.  Unrolled, they come back as the last step
    left them; and a masked loop fails when a step changes their nesting.
    """
    masked = mask_used(given) is not None
    computing = (
        part for part in cell.walk() if not part.has("cells")
    )  # a stack within hands their states on as they are
    unlike = any(compute_dtype(part["dtype"]) != compute_dtype(cell["dtype"]) for part in computing)
    if masked and unlike:
        step.refusals.append(Refusal(_MASKED_DTYPES, "give the stack and its cells one dtype"))
    if not node["unroll"]:
        if unlike and given.execution != "eager":
            step.refusals.append(
                Refusal(_LOOPED_DTYPES, "give the stack and its cells one dtype, or --execution eager")
            )
        if masked and nesting(step.returned[1]) != nesting(step.states):
            step.refusals.append(Refusal(_MASKED_LONE_CELL, "use RNN(cell) for a single cell, not a list of one"))
        return
    if masked:
        return
    try:
        _unrolled(node, cell, step, given)
    except IndexError:
        step.refusals.append(Refusal(_LONE_CELL, "use RNN(cell) for a single cell, or drop unroll"))
    except ValueError:
        # Taken for the states of the outer stack, all but the first were dropped.
        step.refusals.append(Refusal(_LOST_STATES, "use the inner stack alone, or drop unroll"))
    except TypeError:
        step.refusals.append(Refusal(_SYMBOLIC, "use the inner stack alone, drop unroll, or --execution eager"))


def _unrolled(node: Node, cell: Node, step: Answer, given: Given) -> None:
    """Put into ``step`` what the last step of an unrolled stack returns.

    Raises:
        IndexError, ValueError, TypeError: see ``stepped``; outputs that cannot be put in a row, states that do not fit.
    """
    batch, time, *rest = given.dims
    begun, outputs, x = flat(step.states), [], Leaf("input", (batch, *rest), given.dtype)
    # The nesting settles after two steps.
    for _ in range(min(time.size, 4)):
        output, new = stepped(cell, x, step.states, rest[-1].size, symbolic=given.execution != "eager")
        step.states = new if isinstance(new, list) else [new]
        outputs.append(output)
    if node["return_sequences"] and len({tuple(dim.size for dim in output.dims) for output in outputs}) > 1:
        raise ValueError("the steps return outputs of different widths")
    left = flat(step.states)
    if node["stateful"] and any(old.dims != new.dims for old, new in zip(begun, left, strict=False)):
        raise ValueError("a state is kept in another shape")
    last = outputs[-1]
    step.outputs = (Leaf("output", last.dims, step.outputs[0].dtype),)
    step.hidden = next((leaf for leaf in left if leaf.role == last.role and leaf.dims == last.dims), None)


def fused_twin(node: Node) -> Node | None:
    """The fused layer that computes what ``RNN(cell)`` computes, given the same weights."""
    cell = cell_of(node)
    fused = FUSED_BY_CELL.get(cell.name)
    if fused is None or compute_dtype(cell["dtype"]) != compute_dtype(node["dtype"]):
        return None
    # The cell's dtype policy decides on the weights; both compute in the same dtype.
    outer = {name: value for name, value in node.given if name not in ("cell", "dtype")}
    return Node.of(FUSED[fused], {**dict(cell.given), **outer})


_FUSED_TAIL = (
    arg.RETURN_SEQUENCES,
    arg.RETURN_STATE,
    arg.GO_BACKWARDS,
    arg.STATEFUL,
    arg.UNROLL,
)
_REGULARIZED = (*arg.REGULARIZERS, arg.ACTIVITY_REGULARIZER, *arg.CONSTRAINTS, *arg.DROPOUTS)
_PASSED_ON = (*arg.EVERY_LAYER, arg.ZERO_OUTPUT_FOR_MASK)

LSTM = LayerClass(
    "LSTM",
    "recurrent",
    (
        arg.UNITS,
        arg.ACTIVATION,
        arg.RECURRENT_ACTIVATION,
        arg.USE_BIAS,
        *arg.KERNEL_INITIALIZERS,
        arg.UNIT_FORGET_BIAS,
        *_REGULARIZED,
        arg.SEED,
        *_FUSED_TAIL,
        arg.USE_CUDNN,
        *_PASSED_ON,
        arg.IMPLEMENTATION,
    ),
    _fused(lstm_step, fused_cudnn),
    lambda node, rank: SEQUENCE_INPUT,
    check=keeps_units,
    contents=contents.recurrent,
)
GRU = LayerClass(
    "GRU",
    "recurrent",
    (
        arg.UNITS,
        arg.ACTIVATION,
        arg.RECURRENT_ACTIVATION,
        arg.USE_BIAS,
        *arg.KERNEL_INITIALIZERS,
        *_REGULARIZED,
        arg.SEED,
        *_FUSED_TAIL,
        arg.RESET_AFTER,
        arg.USE_CUDNN,
        *_PASSED_ON,
        arg.IMPLEMENTATION,
    ),
    _fused(gru_step, fused_cudnn),
    lambda node, rank: SEQUENCE_INPUT,
    check=keeps_units,
    contents=contents.recurrent,
)
SIMPLE_RNN = LayerClass(
    "SimpleRNN",
    "recurrent",
    (
        arg.UNITS,
        arg.ACTIVATION,
        arg.USE_BIAS,
        *arg.KERNEL_INITIALIZERS,
        *_REGULARIZED,
        *_FUSED_TAIL,
        arg.SEED,
        *_PASSED_ON,
    ),
    _fused(
        simple_rnn_step,
        lambda node, given: never_cudnn("use LSTM or GRU", "SimpleRNN has no kernel of its own", _RNN_LOOP),
    ),
    lambda node, rank: SEQUENCE_INPUT,
    check=keeps_units,
    contents=contents.recurrent,
)
RNN = LayerClass(
    "RNN",
    "recurrent",
    (
        arg.Argument("cell", arg.Nested("cell", many=True), help="The cell that computes one step:"),
        *_FUSED_TAIL,
        arg.ZERO_OUTPUT_FOR_MASK,
        *arg.BASE,
    ),
    _rnn,
    lambda node, rank: SEQUENCE_INPUT,
    twin=fused_twin,
    contents=contents.recurrent,
)

FUSED = {layer.name: layer for layer in (LSTM, GRU, SIMPLE_RNN)}
FUSED_BY_CELL = {LSTM_CELL.name: LSTM.name, GRU_CELL.name: GRU.name, SIMPLE_RNN_CELL.name: SIMPLE_RNN.name}
