"""Multiply-adds counted from the graph that TensorFlow traces: the kinds and the static shapes of its operations.

Nothing here knows what an LSTM is: what is counted are ``MatMul`` and ``Conv`` operations that the graph's outputs
need, with a loop's body as often as the loop runs.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnshape.lab.build import build
from rnnshape.lab.observe import feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import rnnshape

# Anything of these names multiplies; what is not counted below must not pass for nothing.
_SUSPECT = ("MatMul", "Conv", "Einsum", "Rnn", "RNN", "Dot")


class Uncounted(Exception):
    """There is no way to count this operation."""


def called(spec: rnnshape.Spec) -> tuple[Any, Any]:
    """The real layer after its first call, and what it was called with."""
    layer = build(spec.layer)
    inputs = feed(spec, layer)
    layer(*inputs)
    return layer, inputs


def traced(spec: rnnshape.Spec) -> tuple[Any, Any]:
    """The real layer and the function that TensorFlow traces of it, on an input of this shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = build(spec.layer)
        inputs = feed(spec, layer)
        layer(*inputs)  # a graph cannot make states, nor, before Keras 3.5, weights
        signature = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
        return layer, tf.compat.v1.wrap_function(layer, signature)


def multiply_adds(graph: Any) -> int:
    """How often the graph multiplies and adds in matrix products and convolutions, for all of its outputs."""
    return sum(map(_counted, needed(graph)))


def needed(graph: Any) -> Iterator[Any]:
    """The operations that the outputs depend on.

    Keras computes one step more to learn the dtype of the output; nothing reads it, and TensorFlow
    does not run it.
    """
    waiting = [tensor.op for tensor in graph.outputs]
    seen = set()
    while waiting:
        operation = waiting.pop()
        if operation not in seen:
            seen.add(operation)
            yield operation
            waiting += [tensor.op for tensor in operation.inputs]


def _counted(operation: Any) -> int:
    kind = operation.type
    if kind in ("While", "StatelessWhile"):
        return _times(operation.inputs[1]) * multiply_adds(_body(operation, "body"))
    if kind in ("PartitionedCall", "StatefulPartitionedCall"):
        return multiply_adds(_body(operation, "f"))
    if kind in ("MatMul", "BatchMatMul", "BatchMatMulV2"):
        return _matrix_product(operation)
    if kind in ("Conv2D", "Conv3D"):
        return _convolution(operation)
    if kind == "DepthwiseConv2dNative":
        return prod(operation.outputs[0].shape.as_list()) * prod(operation.inputs[1].shape.as_list()[:2])
    if kind == "Conv2DBackpropInput":
        # A convolution transposed: each number of the input, its last operand, goes into a window of each filter.
        *window, filters, _ = operation.inputs[1].shape.as_list()
        return prod(operation.inputs[2].shape.as_list()) * prod(window) * filters
    if any(name in kind for name in (*_SUSPECT, "If", "Case")) or _called(operation):
        raise Uncounted(kind)
    return 0


def _called(operation: Any) -> bool:
    return any(attr.HasField("func") for attr in operation.node_def.attr.values())


def _body(operation: Any, attribute: str) -> Any:
    return operation.graph._get_function(operation.get_attr(attribute).name).graph


def _matrix_product(operation: Any) -> int:
    """Each number of the result is a sum over the dimension that the two sides share."""
    left = operation.inputs[0].shape.as_list()
    turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
    return prod(operation.outputs[0].shape.as_list()) * left[-2 if turned else -1]


def _convolution(operation: Any) -> int:
    """Each number of the result is a sum over the window and the channels that come in."""
    *window, channels, _ = operation.inputs[1].shape.as_list()
    return prod(operation.outputs[0].shape.as_list()) * prod(window) * channels


def _times(most: Any) -> int:
    """How often a loop runs: Keras gives it the number of steps, as the largest of one constant."""
    if most.op.type == "Max":
        most = most.op.inputs[0]
    return int(np.max(tf.get_static_value(most)))
