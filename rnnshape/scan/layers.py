"""The layers, models and wired calls of a file, with their predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnshape import theory
from rnnshape.errors import Invalid
from rnnshape.reading.code.asking import asked
from rnnshape.reading.finishing import finish
from rnnshape.scan.finding import Found
from rnnshape.spec.options import LET
from rnnshape.structure import brackets, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.reading.code.parsed import Parsed
    from rnnshape.scan.texts import Text
    from rnnshape.scan.walk import Walk
    from rnnshape.structure import Tensor


def found_in(walk: Walk, text: Text) -> Iterator[Found]:
    """Each layer or model with what it returns; those that Keras rejects are left out, because they have findings."""
    if not walk.made:
        return
    for parsed in asked(walk.values):
        try:
            yield _found(parsed, text)
        except Invalid:
            continue


def _found(parsed: Parsed, text: Text) -> Found:
    options = {**parsed.called.options, LET.name: dict(parsed.stands)}
    spec = finish(parsed.node, options, name=parsed.name, fed=parsed.fed)
    predicted = theory.predict(spec)
    start = parsed.places[0][0] if parsed.places else 0
    cell, line = text.at(text.code.count("\n", 0, start) + 1)
    return Found(
        parsed.name,
        spec.layer.text,
        line,
        cell,
        brackets(predicted.returned, _shape),
        tuple((leaf.role, leaf.symbolic) for leaf in leaves(predicted.returned)),
        tuple((layer, brackets(returned, _shape)) for layer, returned in predicted.flow),
        predicted.params,
        predicted.cost.multiply_adds,
        parsed.stands,
        None if parsed.fed is None or spec.graph else spec.input,
    )


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(tensor.symbolic)})"
