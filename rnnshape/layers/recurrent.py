"""RNN, LSTM, GRU and SimpleRNN: layers that run a cell over time.

The containers are those of Keras' ``layers/rnn/rnn.py``: ``output``, or ``(output, *states)`` with
``return_state`` (read in 3.15.1).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers import arguments as arg
from rnnshape.layers import contents, dropping, quirks
from rnnshape.layers.base import LOOP, UNROLLED, Answer, Given, Kernel, Leaf, cast, compute_dtype, several, through
from rnnshape.layers.building import one_dtype, unmaskable, unregularized
from rnnshape.layers.cells import GATED, PLAIN, gru_step, keeps_units, lstm_step, never_cudnn, simple_rnn_step
from rnnshape.layers.cudnn import fused_cudnn, mask_used, refusals
from rnnshape.layers.former import (
    LISTED,
    ZEROES,
    in_order,
    kept_in_another_dtype,
    mask_on_last_step,
    note_on_state,
    unlike_kept,
    unlike_states,
)
from rnnshape.layers.laws import TURNED, kept, of_output, strips
from rnnshape.layers.legacy import letters, time_major, with_runtime
from rnnshape.layers.masking import Mask, Scan, attached, unmasked_scan
from rnnshape.layers.node import LayerClass, Node
from rnnshape.layers.release import KERAS_3, asked
from rnnshape.layers.scan import START, ZERO, Scanning
from rnnshape.layers.stacked import STACKED_RNN_CELLS, renest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.layers.base import Law, Rule

_RNN_LOOP = "rnn/rnn.py: RNN.inner_loop"


def over_time(node: Node, given: Given, step: Answer, cudnn: tuple[Rule, ...]) -> Answer:
    """The answer of a recurrent layer, from its cell's answer for one time step (``step``)."""
    dtype = compute_dtype(node["dtype"])
    batch, time = given.dims[:2]
    last = step.outputs[0].dims[1:]
    sequences = node["return_sequences"]
    output = Leaf("output", (batch, time, *last) if sequences else (batch, *last), dtype)
    states = cast(step.states, dtype)
    returned = several((output, *states)) if node["return_state"] else output
    used = mask_used(given)
    scan = _scan(node, given, used, cudnn)
    laws: list[Law] = []
    if node["return_state"]:
        laws += of_output(node, time.size, step.hidden.role, scan) if step.hidden else ()
        laws += kept(states, scan) if scan.mask is not None else ()
    return Answer(
        outputs=(output,),
        states=states,
        returned=returned,
        hidden=step.hidden and cast(step.hidden, dtype),
        weights=step.weights,
        laws=laws,
        cudnn=[Kernel("", cudnn, UNROLLED if node["unroll"] else LOOP)],
        mask=attached(given.mask) if sequences else None,
        notes=(*step.notes, *(() if LISTED.made else note_on_state(node, cudnn)), *_turned(node, time.size)),
        products=[product.repeated(time) for product in step.products],
        refusals=[
            *step.refusals,
            *refusals(node, given, cudnn),
            *([] if used is None else unmaskable(node, used, time, (step.outputs[0], step.states))),
            *unregularized(node, given, returned),
            *(kept_in_another_dtype(node, step.states) if node["stateful"] else ()),
            *(unlike_kept(node, given) if node["stateful"] and given.initial is not None else ()),
            *(mask_on_last_step(node, used, time) if node["unroll"] else ()),
        ],
        begins=states if states == step.states else through(step.states, dtype),
        scan=scan,
        strips=strips(node, scan, used or given.mask) if given.mask and given.watched else (),
        quirks=tuple(_quirks(scan, sequences=sequences, dropped=used is None)) if given.mask else (),
    )


def _turned(node: Node, steps: int) -> Iterator[str]:
    # With return_state the laws show it; a Bidirectional turns the output of its backward layer around.
    if node["go_backwards"] and node["return_sequences"] and not node["return_state"] and steps > 1:
        yield TURNED


def _scan(node: Node, given: Given, mask: Mask | None, cudnn: tuple[Rule, ...]) -> Scan:
    if mask is None or (not mask.argument and mask.said is None):
        return unmasked_scan(node["go_backwards"], given.dims[1].size == 1)
    eligible = all(rule.ok for rule in cudnn)
    scanning = Scanning(
        backwards=node["go_backwards"],
        zero=node["zero_output_for_mask"] and (ZEROES.made or not node.has("filters")),
        unroll=node["unroll"],
        start=START if given.initial in ("ones", "random") else ZERO,
        fused=given.gpu and eligible,
    )
    return Scan.of(scanning, mask, eligible=eligible)


def _quirks(scan: Scan, *, sequences: bool, dropped: bool) -> Iterator[str]:
    if dropped:
        yield quirks.DROPPED
    if sequences and scan.amiss:
        yield quirks.UNROLLED


def _fused(
    step: Callable[[Node, Given], Answer], cudnn: Callable[[Node, Given], tuple[Rule, ...]]
) -> Callable[[Node, Given], Answer]:
    def theory(node: Node, given: Given) -> Answer:
        batch, _, channels = given.dims
        one = step(node, Given((batch, channels), given.dtype, given.letter))
        if given.training or node["dropout"] or node["recurrent_dropout"]:
            one.refusals += dropping.refusals(node, given)
        return over_time(node, given, one, cudnn(node, given))

    return time_major(theory)


def cell_of(node: Node) -> Node:
    """The cell of an RNN; Keras puts a list of cells into StackedRNNCells."""
    cell = node["cell"]
    return Node.of(STACKED_RNN_CELLS, {"cells": cell}) if isinstance(cell, tuple) else cell


def _rnn(node: Node, given: Given) -> Answer:
    cell = cell_of(node)
    if not node.trainable and asked() < KERAS_3 and cell.has("cells"):
        cell = cell.but(trainable=False)  # the order of the weights is then that of the cells
    batch, _, *rest = given.dims
    step = cell.cls.theory(cell, Given((batch, *rest), given.dtype, given.letter))
    if not cell.trainable:
        step.weights = in_order([(False, step.weights)])
    step.refusals += dropping.refusals(node, given, cell)
    step.refusals += unlike_states(node, cell, given)
    begins = through(through(step.states, compute_dtype(cell["dtype"])), compute_dtype(node["dtype"]))
    if cell.cls is STACKED_RNN_CELLS:
        renest(node, cell, step, given)
    fused = FUSED_BY_CELL.get(cell.name)
    instead = f"use {fused} instead of RNN({cell.name})" if fused in ("LSTM", "GRU") else "use LSTM or GRU layers"
    decided = f"RNN calls its {cell.name} step by step"
    answer = over_time(node, given, step, never_cudnn(instead, decided, _RNN_LOOP))
    answer.begins = begins  # unrolled, the returned states may be nested differently
    return answer


def fused_twin(node: Node) -> Node | None:
    """The layer without ``RNN`` that computes the same as ``RNN(cell)`` with the same weights."""
    cell = cell_of(node)
    fused = FUSED_BY_CELL.get(cell.name)
    if fused is None or compute_dtype(cell["dtype"]) != compute_dtype(node["dtype"]):
        return None
    # The cell's dtype policy decides on the weights; both compute in the same dtype.
    outer = {name: value for name, value in node.given if name not in ("cell", "dtype")}
    both = {**dict(cell.given), **outer}
    # It changes no output, and may fit the cell's output but not the layer's.
    both.pop("activity_regularizer", None)
    takes = FUSED[fused].by_name
    # Such as the seed of a SimpleRNNCell, which the SimpleRNN of Keras 2 lacks: without dropout it changes nothing.
    twin = Node.of(FUSED[fused], {name: value for name, value in both.items() if not takes[name].missing_in(asked())})
    if "implementation" in both and (twin.cls.by_name["implementation"].missing_in(asked()) or dropping.by_gates(twin)):
        return twin.but(implementation=2)  # it multiplies in another order
    return twin


RETURNS = (arg.RETURN_SEQUENCES, arg.RETURN_STATE, arg.GO_BACKWARDS, arg.STATEFUL)
_LOOP = (arg.UNROLL, arg.TIME_MAJOR)
REGULARIZED = (*arg.REGULARIZERS, arg.ACTIVITY_REGULARIZER, *arg.CONSTRAINTS)
_DROPPING = (*REGULARIZED, *arg.DROPOUTS)
PASSED_ON = (*arg.EVERY_LAYER, arg.ZERO_OUTPUT_FOR_MASK)

_lstm, _gru = _fused(lstm_step, fused_cudnn), _fused(gru_step, fused_cudnn)
recurrent = partial(LayerClass, kind="recurrent", letters=letters, contents=contents.recurrent)

LSTM = recurrent(
    "LSTM",
    arguments=(
        *(*GATED, arg.UNIT_FORGET_BIAS, *_DROPPING, arg.NAMED_SEED, *RETURNS),
        *reversed(_LOOP),  # in Keras 2 the others have them in the other order
        *(arg.USE_CUDNN, *PASSED_ON, arg.IMPLEMENTATION, arg.RETURN_RUNTIME),
    ),
    theory=lambda node, given: with_runtime(node, _lstm(node, given)),
    check=keeps_units,
)
GRU = recurrent(
    "GRU",
    arguments=(
        *(*GATED, *_DROPPING, arg.NAMED_SEED, *RETURNS, *_LOOP, arg.RESET_AFTER, arg.USE_CUDNN, *PASSED_ON),
        replace(arg.IMPLEMENTATION, since=(3, 4), in_2=True),
        arg.RETURN_RUNTIME,
    ),
    theory=lambda node, given: with_runtime(node, _gru(node, given)),
    check=keeps_units,
)
SIMPLE_RNN = recurrent(
    "SimpleRNN",
    arguments=(*PLAIN, *_DROPPING, *RETURNS, arg.UNROLL, arg.RNN_SEED, *PASSED_ON, arg.TIME_MAJOR),
    theory=_fused(
        simple_rnn_step,
        lambda node, given: never_cudnn("use LSTM or GRU", "SimpleRNN has no kernel of its own", _RNN_LOOP),
    ),
    check=keeps_units,
)
RNN = recurrent(
    "RNN",
    arguments=(
        arg.Argument("cell", arg.Nested("cell", many=True), help="The cell that computes one step:"),
        *(*RETURNS, *_LOOP, arg.ZERO_OUTPUT_FOR_MASK, *arg.BASE),
    ),
    theory=time_major(_rnn),
    twin=fused_twin,
    check=one_dtype,
)

FUSED = {layer.name: layer for layer in (LSTM, GRU, SIMPLE_RNN)}
FUSED_BY_CELL = {f"{name}Cell": name for name in FUSED}
