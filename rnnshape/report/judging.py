"""Compares the sides of a comparison: which pairs must be equal, which are, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from rnnshape.errors import RnnshapeError
from rnnshape.layers import release
from rnnshape.report.alike import DIFFERENT, Must, must, quirk
from rnnshape.report.assembling import assemble
from rnnshape.report.checks import FIRST_CALL, compare
from rnnshape.report.comparison import STRUCTURE, Compared, Pair, Side
from rnnshape.report.timing import Timing
from rnnshape.spec.comparison import RULES
from rnnshape.structure import Structure, Tensor, brackets, label, labelled, leaves, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.lab.sides import Outcome
    from rnnshape.spec.comparison import Comparison, Variant
    from rnnshape.theory import Prediction


def judge(comparison: Comparison, predictions: list[Prediction], outcomes: tuple[Outcome, ...]) -> Compared:
    """The answer, from a prediction and an outcome of the lab for each variant."""
    sides = tuple(_side(comparison, *one) for one in zip(comparison.variants, predictions, outcomes, strict=True))
    pairs = [pair for number in range(1, len(sides)) for pair in _pairs(number, sides)]
    return Compared(comparison, sides, tuple(pairs))


def _side(comparison: Comparison, variant: Variant, predicted: Prediction, outcome: Outcome) -> Side:
    seen = outcome.seen
    with release.of(variant.spec.keras):
        report = assemble(variant.spec, _comparable(predicted), seen)
    returned = outcome.static if seen is None or isinstance(seen, RnnshapeError) else seen.returned
    if outcome.way == RULES:
        returned = predicted.returned
    return Side(
        variant=variant,
        report=report,
        structure=returned and _in_order(labelled(returned, predicted.returned), predicted.returned),
        way=outcome.way,
        kernel=outcome.kernel,
        weights=outcome.unmapped,
        timing=Timing.of(outcome.times, training=comparison.training),
    )


def _comparable(predicted: Prediction) -> Prediction:
    """The prediction without what a comparison does not observe: other calls, inner outputs, the steps of a state."""
    return replace(
        predicted,
        laws=tuple(law for law in predicted.laws if FIRST_CALL not in law.check),
        strips=tuple(strip for strip in predicted.strips if not strip.of.endswith("state")),
        flow=(),
    )


def _in_order(structure: Structure, predicted: Structure) -> Structure:
    """The structure with the role of each tensor, even if the containers differ from the predicted ones.

    Keras returns the same tensors in the same order, however they are nested.
    """
    known = list(leaves(predicted))
    if len(known) != len(list(leaves(structure))):
        return structure
    roles = iter(known)
    return mapped(lambda tensor: label(tensor, next(roles)), structure)


def _pairs(number: int, sides: tuple[Side, ...]) -> Iterator[Pair]:
    first, side = sides[0], sides[number]
    if first.structure is None or side.structure is None:
        return
    yield _containers(number, first, side)
    theirs = first.tensors
    for role, tensor in side.tensors.items():
        if role in theirs:
            yield _pair(number, first, side, (theirs[role], tensor))


def _containers(number: int, first: Side, side: Side) -> Pair:
    """The pair that compares the containers; they must be equal where theory predicts the same for both."""
    seen = [_brackets(one.structure) for one in (first, side)]
    predicted = [_brackets(one.report.predicted) for one in (first, side)]
    needed: Literal["shape"] | None = "shape" if predicted[0] == predicted[1] else None
    equal = seen[0] == seen[1]
    why = "the same containers" if equal else f"{seen[1]} against {seen[0]}"
    pair = Pair(STRUCTURE, number, 0, None, equal, None, None, needed, why)
    return _explained(pair, first, side)


def _brackets(structure: Structure | None) -> str:
    return "" if structure is None else brackets(structure, lambda tensor: tensor.role)


def _pair(number: int, first: Side, side: Side, tensors: tuple[Tensor, Tensor]) -> Pair:
    theirs, own = tensors
    wanted = _must(first, side, own.role)
    if first.variant.static or side.variant.static:  # the first, too, may be for a release that is not installed
        shapes_equal, dtypes_equal = theirs.shape == own.shape, own.dtype in ("", theirs.dtype)
        why = wanted.why if shapes_equal and dtypes_equal else _against(own, theirs)
        pair = Pair(own.role, number, 0, own, shapes_equal and dtypes_equal, None, None, wanted.kind, why)
    else:
        equal, exact, difference = compare(first.arrays[own.role], side.arrays[own.role], tolerance=wanted.tolerance)
        if difference is None and theirs.shape == own.shape:
            wanted = Must(None, "not finite: overflow may differ")
        why = wanted.why if theirs.shape == own.shape else f"{_against(own, theirs)}; {wanted.why}"
        pair = Pair(own.role, number, 0, own, equal, exact, difference, wanted.kind, why)
    return _explained(pair, first, side)


def _must(first: Side, side: Side, role: str) -> Must:
    if side.weights is not None and not side.variant.static:
        return Must(None, f"{DIFFERENT}: {side.weights}")
    return must((first.variant, side.variant), (first.ran, side.ran), role)


def _explained(pair: Pair, first: Side, side: Side) -> Pair:
    """The pair with the Keras bug that breaks it, if one is known."""
    return pair if pair.kept else replace(pair, quirk=quirk(first.variant, side.variant))


def _against(own: Tensor, theirs: Tensor) -> str:
    sizes = [f"({', '.join(map(str, tensor.shape))})" for tensor in (own, theirs)]
    if sizes[0] != sizes[1]:
        return f"{sizes[0]} against {sizes[1]}"
    return f"{own.dtype} against {theirs.dtype}"
