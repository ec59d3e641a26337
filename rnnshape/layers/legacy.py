"""Arguments that only the recurrent layers of Keras 2 have: ``time_major`` and ``return_runtime``.

From tf_keras' ``layers/rnn/base_rnn.py``, ``lstm.py`` and ``gru.py`` (read in 2.21.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from rnnshape.layers.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rnnshape.errors import Problem
    from rnnshape.layers.base import Answer, Given
    from rnnshape.layers.node import Node

SEQUENCE, TIME_FIRST = ("N", "T", "C"), ("T", "N", "C")


def letters(node: Node, rank: int | None) -> tuple[str, ...]:
    """The letters of a recurrent layer's input."""
    return TIME_FIRST if node["time_major"] else SEQUENCE


def time_major(theory: Callable[[Node, Given], Answer]) -> Callable[[Node, Given], Answer]:
    """The theory of a layer whose input and output may be time first."""

    def turned(node: Node, given: Given) -> Answer:
        if not node["time_major"]:
            return theory(node, given)
        time, batch, *rest = given.dims
        answer = theory(node, replace(given, dims=(batch, time, *rest)))
        if not node["return_sequences"]:
            return answer
        output = answer.outputs[0]
        first, second, *others = output.dims
        output.dims = (second, first, *others)
        answer.laws = [law._replace(check=law.check.replace("[:, -1, :]", "[-1, :, :]")) for law in answer.laws]
        answer.laws = [law._replace(check=law.check.replace("[:, 0, :]", "[0, :, :]")) for law in answer.laws]
        return answer

    return turned


def with_runtime(node: Node, answer: Answer) -> Answer:
    """``(output, runtime)``: the number of the runtime that computed it, if no state is returned."""
    if node["return_runtime"] and not node["return_state"]:
        answer.returned = (answer.outputs[0], Leaf("runtime", (), "float32"))
    return answer


def unsupported(node: Node) -> Iterator[Problem]:
    """Reject these arguments in a layer inside another one."""
    from rnnshape.errors import Problem

    for part in node.walk()[1:]:
        for name in ("time_major", "return_runtime"):
            if part.has(name) and part[name]:
                yield Problem("", f"{name} of a layer within {node.name} is not supported here: drop it")
