"""Findings about masks: dropped by initial_state, lost in a layer, and last steps that are masked or backward.

``keeps_mask`` in the table says which layers attach the mask of their input to their output.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from rnnshape.layers.cudnn import DROPS_MASK
from rnnshape.reading.code.literals import MISSING
from rnnshape.scan.hits import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.layers import Node
    from rnnshape.scan.steps import Step, Steps
    from rnnshape.scan.walk import Part, Walk


# Layers that drop a mask and keep the time axis.
_SAME_AXIS = ("Conv1D", "SeparableConv1D", "DepthwiseConv1D", "MaxPooling1D", "AveragePooling1D")


class _Mask(NamedTuple):
    """The layer that made the mask, and the layer that drops it (None: no layer does)."""

    maker: Step
    lost: Step | None = None


class Masks:
    """Follows the masks through the steps of one walk."""

    def __init__(self, walk: Walk, steps: Steps) -> None:
        self.walk = walk
        self.steps = steps
        self.behind: dict[int, _Mask | None] = {}

    def hits(self) -> Iterator[Hit]:
        for step in self.steps.all:
            mask = self._reaching(step)
            self.behind[id(step)] = self._passed_on(step, mask)
            if mask is None or not _recurrent(step.node):
                continue
            if mask.lost is not None:
                what = f"{mask.lost.node.name} drops the mask of {mask.maker.node.name}"
                yield Hit("mask-lost", f"{what}: {step.node.name} reads the padding as data", mask.lost.tree)
            # Unknown states may be None, so there is no finding.
            elif step.states is not None and not step.has_mask and DROPS_MASK.made:
                what = f"Keras drops the mask of {mask.maker.node.name} because of initial_state: pass mask=… as well"
                yield Hit("mask-beside-state", what, step.call)
        for part in self.walk.parts:
            yield from self._last(part)

    def _reaching(self, step: Step) -> _Mask | None:
        """The mask of the only input of a step."""
        if len(step.inputs) != 1 or step.inputs[0].step is None:
            return None
        ref = step.inputs[0]
        assert ref.step is not None
        # The mask is attached to the output, not to the states.
        return self.behind.get(id(ref.step)) if ref.path in ((), (0,)) else None

    def _passed_on(self, step: Step, mask: _Mask | None) -> _Mask | None:
        node = step.node
        if node.cls.makes_mask and (node.name != "Embedding" or node["mask_zero"] is True):
            return _Mask(step)
        if mask is None:
            return None
        if mask.lost is not None:
            kept = node.cls.keeps_mask or node.name.startswith(_SAME_AXIS)
        elif _recurrent(node):
            kept = any(part.has("return_sequences") and part["return_sequences"] is True for part in node.walk())
        else:
            kept = node.cls.keeps_mask
            # A layer that uses the mask and removes the time axis does not lose it.
            if not (kept or node.cls.takes_mask or node.cls.kind != "layer" or node.cls.makes_mask):
                return _Mask(mask.maker, step)
        return mask if kept else None

    # -- the last step --------------------------------------------------------------------------

    def _last(self, part: Part) -> Iterator[Hit]:
        """Uses of ``output[:, -1]`` of a Bidirectional, or of a layer whose masked steps are zero."""
        ref = self.steps.ref(part.tensor)
        if ref.step is None or ref.path not in ((), (0,)) or ((ref.step.count or 0) > 1 and not ref.path):
            return
        axes = part.tree.slice.elts if isinstance(part.tree.slice, ast.Tuple) else []
        if len(axes) < 2 or not _whole(axes[0]) or self.walk.names.known(axes[1]) != -1:
            return
        node = ref.step.node
        loop = next((inner for inner in node.walk() if inner.has("return_sequences")), None)
        if loop is None or loop["return_sequences"] is not True:
            return
        if node.name == "Bidirectional":
            if not self._only_forward(axes[2:], node, loop):
                what = "at [:, -1] the backward half has read only one step"
                yield Hit("backward-last", f"{what}: use return_sequences=False, or output[:, 0, H:]", part.tree)
                return
        elif not (loop.has("zero_output_for_mask") and loop["zero_output_for_mask"] is True):
            return
        mask = self._reaching(ref.step)
        if mask is not None and mask.lost is None:
            what = f"the last step is zero where {mask.maker.node.name} masks it: use return_sequences=False"
            yield Hit("masked-last", what, part.tree)

    def _only_forward(self, axes: list[ast.expr], node: Node, loop: Node) -> bool:
        """Whether the code takes only the forward half, ``[:, -1, :H]``, or an unknown part."""
        if node["merge_mode"] != "concat":
            return True
        if not axes or _whole(axes[0]):
            return False
        if not isinstance(axes[0], ast.Slice) or axes[0].lower is None:
            return True
        begin = self.walk.names.known(axes[0].lower)
        return begin is MISSING or not loop.has("units") or begin != loop["units"]


def _recurrent(node: Node) -> bool:
    return node.cls.kind == "recurrent" or node.name == "Bidirectional"


def _whole(tree: ast.expr) -> bool:
    """Whether the index is ``:``."""
    return isinstance(tree, ast.Slice) and tree.lower is None and tree.upper is None and tree.step is None
