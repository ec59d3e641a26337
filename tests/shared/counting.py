"""Counts multiply-adds in the graph that TensorFlow traces, from the types and static shapes of its operations.

It counts the ``MatMul`` and ``Conv`` operations that the graph's outputs need, and a loop's body once for each step.
Nothing here is specific to a layer class.
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

# Operations with these names multiply; one that is not counted below raises an error.
_SUSPECT = ("MatMul", "Conv", "Einsum", "Rnn", "RNN", "Dot")


class Uncounted(Exception):
    """The multiply-adds of this operation cannot be counted."""


def called(spec: rnnshape.Spec) -> tuple[Any, Any]:
    """The real layer after its first call, and the arguments of the call."""
    layer = build(spec.layer)
    inputs = feed(spec, layer)
    layer(*inputs)
    return layer, inputs


def traced(spec: rnnshape.Spec) -> tuple[Any, Any]:
    """The real layer and its traced function, on an input of this shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = build(spec.layer)
        inputs = feed(spec, layer)
        layer(*inputs)  # a graph cannot create states, and before Keras 3.5 no weights
        signature = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
        return layer, tf.compat.v1.wrap_function(layer, signature)


def multiply_adds(graph: Any) -> int:
    """The multiply-adds of matrix products and convolutions for all outputs of the graph."""
    return sum(map(_counted, needed(graph)))


def needed(graph: Any) -> Iterator[Any]:
    """The operations that the outputs depend on.

    Keras adds one more step, only to get the dtype of the output; TensorFlow does not run it.
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
        # A transposed convolution: each element of the input, the last operand, adds to a window of each filter.
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
    """A matrix product: each element of the result is a sum over the shared dimension."""
    left = operation.inputs[0].shape.as_list()
    turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
    return prod(operation.outputs[0].shape.as_list()) * left[-2 if turned else -1]


def _convolution(operation: Any) -> int:
    """A convolution: each element of the result is a sum over the window and the input channels."""
    *window, channels, _ = operation.inputs[1].shape.as_list()
    return prod(operation.outputs[0].shape.as_list()) * prod(window) * channels


def _times(most: Any) -> int:
    """The number of steps of a loop, which Keras gives as the maximum of a constant."""
    if most.op.type == "Max":
        most = most.op.inputs[0]
    return int(np.max(tf.get_static_value(most)))
