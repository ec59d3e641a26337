"""Makes the Spec of one layer that the reader of code has found, with the options of the run.

>>> from rnnshape.reading.code.expression import parse
>>> spec_of(parse("LSTM(units)(Input((10, 8)))"), {}, None).input
(2, 10, 8)
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers.base import Given
from rnnshape.layers.input_mask import makes_its_own
from rnnshape.reading.code import mismatches
from rnnshape.reading.finishing import finish
from rnnshape.reading.left_open import cannot_build
from rnnshape.reading.shape import broken, flow, whole_shape
from rnnshape.spec.masks import MASK, PADDED, written
from rnnshape.spec.options import INPUT, LET
from rnnshape.spec.states import behind_masking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.reading.code.parsed import Parsed
    from rnnshape.spec import Spec


def spec_of(parsed: Parsed, run: Mapping[str, Any], name: str | None) -> Spec:
    """The Spec; problems have their places in the code.

    Raises:
        Invalid: the layer and the options do not fit together, or Keras rejects the call.
    """
    given = {**_with_call(parsed, run), LET.name: {**run.get(LET.name, {}), **dict(parsed.stands)}}
    try:
        spec = finish(parsed.node, given, name=name, fed=parsed.fed)
    except Invalid as error:
        placed = [_placed(problem, run, parsed) for problem in error.problems]
        raise Invalid([_of_names(problem, parsed) for problem in placed], parsed.text) from None
    if problems := [*mismatches.misfits(parsed.called, spec)]:
        raise Invalid(problems, parsed.text)
    if not spec.layer.without_rule:
        answer = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype))
        if parsed.targets is not None and (wrong := mismatches.unpacking(spec.layer, answer.returned, parsed.targets)):
            raise Invalid([Problem("", wrong, parsed.places[-1] if parsed.places else None)], parsed.text)
        if parsed.fed is not None and (wrong := cannot_build(parsed.fed, spec, answer, run)):
            raise Invalid([Problem("", wrong, parsed.fed.span)], parsed.text)
    notes = (*_notes(parsed, spec, run), *spec.notes)
    let = tuple({**dict(parsed.stands), **dict(spec.let)}.items())
    return spec if (notes, let) == (spec.notes, spec.let) else replace(spec, notes=notes, let=let)


def _of_names(problem: Problem, parsed: Parsed) -> Problem:
    """The problem; if it is about names without a value, its message says that their sizes are placeholders."""
    unknown = [note.split()[0] for note in parsed.notes if " is not given: " in note]
    there = [name for name in unknown if re.search(rf"\b{re.escape(name)}( =|\)|, )", problem.message)]
    if not there:
        return problem
    options = " ".join(f"--let {name}=…" for name in there)
    are = "are not given: numbers are used instead" if there[1:] else "is not given: a number is used instead"
    return Problem(
        problem.key, f"{problem.message}; {' and '.join(there)} {are}, {options} sets the size", problem.span
    )


def _with_call(parsed: Parsed, run: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the run and of the call in the code."""
    called = parsed.called
    if called.named_mask is not None and MASK.name not in run:
        run = {**run, MASK.name: PADDED}
    if twice := [name for name in called.options if name in run]:
        raise Invalid(Problem(name, "is already set in the call of the expression") for name in twice)
    return {**run, **called.options}


def _placed(problem: Problem, run: Mapping[str, Any], parsed: Parsed) -> Problem:
    """The problem with its place in the code: an argument of the call, the input, or a layer that rejects its input."""
    if problem.span is not None:
        return problem
    if problem.key in parsed.called.spans and problem.key not in run:
        return Problem("", f"{problem.key} {problem.message}", parsed.called.spans[problem.key])
    if problem.key not in ("", INPUT.name):
        return problem
    node = behind_masking(parsed.node, {INPUT.name: (), **run}, [])
    shape = whole_shape(node, run, [], parsed.fed)
    place = broken(node, shape) if problem.message == flow(node, shape) else None
    said = INPUT.name in run or parsed.fed is not None  # then a problem at the first layer is one of the input
    if place is not None and (place or not said):
        # Counted from the end, because a Masking that an option adds in front is not in the code.
        behind = (len(parsed.places) if node.cls.kind == "graph" else len(node.in_turn)) - place
        # The layers of a called model have no places.
        return Problem("", problem.message, parsed.places[-behind] if behind <= len(parsed.places) else None)
    if INPUT.name in run or parsed.fed is None:
        return problem
    return Problem("", problem.message, parsed.fed.span)


def _notes(parsed: Parsed, spec: Spec, run: Mapping[str, Any]) -> Iterator[str]:
    """The notes about the input, the states and the mask."""
    yield from parsed.notes
    if parsed.called.named_mask is not None and spec.mask is not None and MASK.name not in run:
        yield f"the code does not give the values of the mask: {written(spec.mask)} here, or give --mask"
    if (bare := mismatches.bare_state(parsed.called, spec)) is not None:
        yield bare
    loops = any(part.cls.kind == "recurrent" for part in spec.layer.walk())
    if spec.mask is None and loops and makes_its_own(spec.layer):
        yield "every step is valid here; --mask right shows what the mask changes"
    if parsed.counted and not spec.layer.without_rule:
        weights = spec.layer.cls.theory(spec.layer, spec.given()).weights
        yield f"{sum(weight.size for weight in weights):,} parameters; --weights lists them, with the formula"
    if parsed.fed is not None and parsed.fed.otherwise(spec.input):
        yield f"the options give {spec.input}, which overrides {parsed.fed.text} in the expression"
