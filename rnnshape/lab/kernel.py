"""Finds the kernel that Keras chose, from the traced graph and from the operations that ran, never from the rules."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from rnnshape.lab.blame import is_keras
from rnnshape.lab.build import Stack
from rnnshape.lab.tensorflow import keras, load
from rnnshape.layers.base import CUDNN, LOOP, STEP, UNROLLED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CUDNN_OPS = frozenset({"CudnnRNN", "CudnnRNNV2", "CudnnRNNV3"})
LOOP_OPS = frozenset({"While", "StatelessWhile"})


def traced_or_none(layer: Any, call: Callable[..., Any], *inputs: Any) -> tuple[str, ...] | None:
    """As ``traced``; None where tracing fails: a graph is stricter than Python and needs one dtype in a loop."""
    try:
        return traced(layer, call, *inputs)
    except Exception as error:
        if not is_keras(error):
            raise
        return None  # the layer ran, so there is an answer


def traced(layer: Any, call: Callable[..., Any], *inputs: Any) -> tuple[str, ...]:
    """The kernel of each recurrent layer inside, in the traced graph: ``"cudnn"``, ``"loop"`` or ``"unrolled"``.

    ``call`` is how the layer is called.  The order is that of the layers in theory; a layer without a loop over time
    is one ``"step"``.
    """
    graph, made = operations(layer, call, *inputs)
    return tuple(_kernel(own, UNROLLED) for own in made) or (_kernel(graph, STEP),)


def _kernel(operations: list[str], otherwise: str) -> str:
    if not CUDNN_OPS.isdisjoint(operations):
        return CUDNN
    return otherwise if LOOP_OPS.isdisjoint(operations) else LOOP


def operations(layer: Any, call: Callable[..., Any], *inputs: Any) -> tuple[list[str], list[list[str]]]:
    """The operations of the traced graph, and those of the calls of each recurrent layer.

    Nothing runs, so the graph may contain an operation that has no kernel on this machine.
    """
    recurrent = list(_recurrent(layer))
    made: list[list[Any]] = [[] for _ in recurrent]
    for each, noted in zip(recurrent, made, strict=True):
        # An attribute of the object hides the method of the class; it is deleted below.
        each.__dict__["call"] = partial(_noting, each.call, noted)
    try:
        graph = load().function(call, autograph=False).get_concrete_function(*inputs).graph
    finally:
        for each in recurrent:
            del each.__dict__["call"]
    # A layer that is not built yet is traced twice: the variables are created in the first graph.
    own = [[operation.type for operation in each if operation.graph is graph] for each in made]
    return [operation.type for operation in graph.get_operations()], own


def _noting(call: Callable[..., Any], made: list[Any], *arguments: Any, **keywords: Any) -> Any:
    """The result of the call; the operations that it adds to the graph are added to ``made``."""
    graph = load().compat.v1.get_default_graph()
    before = len(graph.get_operations())
    result = call(*arguments, **keywords)
    made += graph.get_operations()[before:]
    return result


def _recurrent(layer: Any) -> Iterator[Any]:
    """The recurrent layers inside stacks, Bidirectional and TimeDistributed, in the order of theory."""
    layers = keras().layers
    if isinstance(layer, Stack):
        for each in layer.layers:
            yield from _recurrent(each)
    elif isinstance(layer, layers.Bidirectional):
        yield from _recurrent(layer.forward_layer)
        yield from _recurrent(layer.backward_layer)
    elif isinstance(layer, layers.TimeDistributed):
        yield from _recurrent(layer.layer)
    elif isinstance(layer, layers.RNN):
        yield layer


@contextmanager
def noticing_cudnn() -> Iterator[Callable[[], bool]]:
    """Watch the operations of TensorFlow, eager or in a graph; yields a function: whether cuDNN's was among them."""
    from tensorflow.python.framework import op_callbacks

    seen = False

    def callback(operation: Any, *_: Any, **__: Any) -> None:
        nonlocal seen
        name = operation.decode() if isinstance(operation, bytes) else operation
        seen = seen or name in CUDNN_OPS

    op_callbacks.add_op_callback(callback)
    try:
        yield lambda: seen
    finally:
        op_callbacks.remove_op_callback(callback)
