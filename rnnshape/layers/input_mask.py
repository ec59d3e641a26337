"""Where the mask of the input goes: into the data, or as ``mask=`` to the calls that take one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape.layers.node import IMPORTED

if TYPE_CHECKING:
    from rnnshape.layers.node import Node
    from rnnshape.layers.wires import Call, Graph


def makes_its_own(node: Node) -> bool:
    """Whether the first layer computes the mask from its input: Masking, or an Embedding with ``mask_zero``."""
    first = node.first
    return first.name == "Masking" or (first.name == "Embedding" and bool(first["mask_zero"]))


def takes(node: Node) -> bool:
    """Whether the call of the first layer takes ``mask=``; of one's own class Keras says it."""
    first = node.first
    loops = first.cls.kind in ("recurrent", IMPORTED) or first.name in ("Bidirectional", "TimeDistributed")
    return loops or first.cls.takes_mask


def reaches(graph: Graph, call: Call) -> bool:
    """Whether the mask of the first input reaches a call: as ``mask=``, or in the data if it makes its mask from them.

    It is in the data if the graph's first layer makes its mask.
    """
    if [wire.source for wire in call.inputs] != [graph.entries[0].name]:
        return False
    node = graph.by_name[call.layer]
    return makes_its_own(node) if makes_its_own(graph.by_name[graph.calls[0].layer]) else takes(node)
