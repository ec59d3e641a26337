"""Sizes that an Input leaves open, ``Input((None, 8))``, and without which Keras cannot build the model.

The lab calls the layers on an array, of which all sizes are known, so it does not see this error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rnnshape.layers.dims import letters_in
from rnnshape.spec.options import BATCH, INPUT, LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.layers import Node
    from rnnshape.layers.base import Answer
    from rnnshape.reading.code.declared import Fed
    from rnnshape.spec import Spec

# The letter of an axis whose size a layer computes, such as T' after a convolution.
_COMPUTED = re.compile(r"'+\d*$")


def cannot_build(fed: Fed, spec: Spec, answer: Answer, run: Mapping[str, Any]) -> str | None:
    """Why Keras cannot build the model on the Input in the code; None if it can, or if an option gives the size.

    In each release from 3.3 to 3.15 and in tf_keras 2.21.
    """
    if INPUT.name in run or not (fed.symbolic or (fed.built and spec.layer.cls.kind == "stack")):
        return None
    said = {letter: option.name for option, letter in LETTERS.items()}
    axes = {dim.letter for dim, size in zip(spec.dims, fed.sizes, strict=True) if size is None}
    if fed.sizes[-1] is None and spec.dims[-1].letter != "T":
        return None  # rnnshape itself writes an input without a known shape like this
    axes -= {letter for letter in axes if said.get(letter) in run}
    if "N" in axes and (loop := next((part for part in spec.layer.walk() if _keeps_states(part)), None)) is not None:
        what = f"{loop.name} is stateful, so Keras needs the batch size, which {fed.text} leaves open"
        return f"{what}: give it batch_size=…, or --{BATCH.name} for the answer"
    for letter in axes - {"N"}:
        for weight in answer.weights:
            if letter in {_COMPUTED.sub("", one) for dim in weight.dims for one in letters_in(dim.letter)}:
                word, option = "number of steps" if letter == "T" else f"size {letter}", said.get(letter, INPUT.name)
                shape = ", ".join(dim.letter for dim in weight.dims)
                what = f"Keras cannot make the weight {weight.name} ({shape}): {fed.text} leaves the {word} open"
                return f"{what}; give it there, or --{option} for the answer"
    return None


def _keeps_states(part: Node) -> bool:
    return part.has("stateful") and bool(part["stateful"])
