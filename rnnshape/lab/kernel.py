"""Which kernel Keras chose, read from the graph that it traces and not from the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.lab.tensorflow import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CUDNN_OPS = frozenset({"CudnnRNN", "CudnnRNNV2", "CudnnRNNV3"})


def uses_cudnn(call: Callable[[], Any]) -> bool:
    """Whether the graph traced from a call holds cuDNN's operation, in it or in a function below."""
    graph = load().function(call).get_concrete_function().graph.as_graph_def()
    return not CUDNN_OPS.isdisjoint(_operations(graph))


def _operations(graph: Any) -> Iterator[str]:
    for node in graph.node:
        yield node.op
    for function in graph.library.function:
        for node in function.node_def:
            yield node.op
