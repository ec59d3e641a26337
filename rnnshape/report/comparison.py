"""The answer to a comparison: which pairs must be equal, which are, and why.  Plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.errors import FAILED, OK, UNAVAILABLE, RnnshapeError
from rnnshape.layers import release
from rnnshape.layers.quirks import PAGE
from rnnshape.report.alike import DIFFERENT, Must, Ran, must, quirk
from rnnshape.report.assembling import assemble
from rnnshape.report.checks import FIRST_CALL, compare
from rnnshape.report.report import SCHEMA_VERSION, Report
from rnnshape.report.shown import Shown
from rnnshape.report.timing import Timing
from rnnshape.spec.comparison import RULES
from rnnshape.spec.masks import written
from rnnshape.structure import Structure, Tensor, brackets, label, labelled, leaves, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.lab.sides import Outcome
    from rnnshape.spec.comparison import Comparison, Variant
    from rnnshape.theory import Prediction

STRUCTURE = "structure"
"""The ``role`` of the pair that compares the containers."""


class Side(Struct, frozen=True):
    """One variant: its report, what it returned, and how long it took.

    ``report`` is that of the single layer.  ``structure`` is the structure with roles: observed, static or predicted;
    None without one.  ``weights`` says why its weights are not copied from the first; None if they are.
    """

    variant: Variant
    report: Report
    structure: Structure | None
    way: str
    kernel: str | None
    weights: str | None
    timing: Timing | None

    @property
    def ran(self) -> Ran:
        return Ran(self.way, self.kernel or "", self.report.environment["device"] or "")

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {} if self.structure is None else {tensor.role: tensor for tensor in leaves(self.structure)}

    @property
    def arrays(self) -> dict[str, Any]:
        return dict(zip(self.tensors, self.report.values, strict=False))

    def to_dict(self, first: Side) -> dict[str, Any]:
        report = self.report
        return {
            "label": self.variant.label,
            "expression": report.expression,
            "mask": self.variant.spec.mask and written(self.variant.spec.mask),
            "way": self.way,
            "device": report.environment["device"],
            "kernel": self.kernel,
            "cudnn": {"eligible": report.cudnn.eligible, "used": report.cudnn.used, "hint": report.cudnn.hint},
            "weights": self.weights or "same",
            "observed": self.structure and _dtype_or_null(self.structure.to_dict()),
            "laws": [check.to_dict() for check in report.checks],
            "timing": self.timing and {**self.timing.to_dict(), "ratio": ratio(self, first)},
            "error": report.error and report.error.to_dict(),
            **self._release(),
        }

    def _release(self) -> dict[str, Any]:
        """The release of Keras, if one was asked for, and what changed in it."""
        if self.variant.spec.keras is None:
            return {}
        return {"keras": self.report.environment["keras"], "changes": list(self.variant.changes)}


def _dtype_or_null(structure: dict[str, Any]) -> dict[str, Any]:
    """The dtype as null where it is unknown, as from ``compute_output_shape``."""
    if structure["kind"] == "tensor":
        return {**structure, "dtype": structure["dtype"] or None}
    return {**structure, "items": [_dtype_or_null(item) for item in structure["items"]]}


def ratio(side: Side, first: Side) -> float | None:
    """The median time divided by that of the first; None without a time."""
    if side.timing is None or first.timing is None or not first.timing.median:
        return None
    return side.timing.median / first.timing.median


class Pair(Struct, frozen=True):
    """One role of a variant compared with the first; ``variant`` and ``against`` are indices of the variants.

    ``exact`` and ``max_abs_diff`` are None where nothing was computed.  ``must`` is how equal the pair has to be (None:
    it need not).  ``quirk`` is the heading of the Keras bug that breaks it.
    """

    role: str
    variant: int
    against: int
    tensor: Tensor | None
    equal: bool
    exact: bool | None
    max_abs_diff: float | None
    must: str | None
    why: str
    quirk: str | None = None

    @property
    def kept(self) -> bool:
        """Whether it is as equal as it must be."""
        return self.must is None or bool(self.exact if self.must == "bitwise" else self.equal)

    def to_dict(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "variant": self.variant,
            "against": self.against,
            "shape": self.tensor and list(self.tensor.shape),
            "dtype": (self.tensor and self.tensor.dtype) or None,
            "equal": self.equal,
            "exact": self.exact,
            "max_abs_diff": self.max_abs_diff,
            "must": self.must,
            "why": self.why,
            "quirk": self.quirk and f"{PAGE}: {self.quirk}",
        }


class Compared(Shown, Struct, frozen=True):
    """The answer to a Comparison."""

    comparison: Comparison
    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]

    @property
    def broken(self) -> tuple[Pair, ...]:
        """The pairs that must be equal and are not."""
        return tuple(pair for pair in self.pairs if not pair.kept)

    @property
    def errors(self) -> tuple[Side, ...]:
        return tuple(side for side in self.sides if side.report.error is not None)

    @property
    def ok(self) -> bool:
        """Whether every pair that must be equal is equal, and the report of every variant is ok."""
        return not self.broken and all(side.report.ok for side in self.sides)

    @property
    def exit_code(self) -> int:
        codes = [side.report.exit_code for side in self.errors]
        if UNAVAILABLE in codes:
            return UNAVAILABLE
        # With an axis, an error of another variant than the first is a difference, not a wrong request.
        differs = self.comparison.axis is not None and self.sides[0] not in self.errors
        return OK if self.ok else FAILED if differs or not codes else max(codes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that ``json.dumps`` takes; ``rnnshape schema compare`` describes it."""
        first = self.sides[0]
        spec = first.variant.spec
        return {
            "schema_version": SCHEMA_VERSION,
            "axis": self.comparison.axis,
            "input": {"shape": list(spec.input), "symbolic": list(spec.symbolic), "dtype": spec.input_dtype},
            "compare": [side.to_dict(first) for side in self.sides],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "environment": {**first.report.environment, "execution": first.way},
            "ok": self.ok,
        }


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


# -- pairs --------------------------------------------------------------------------------------


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
    needed = "shape" if predicted[0] == predicted[1] else None
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
        equal, exact, apart = compare(first.arrays[own.role], side.arrays[own.role], tolerance=wanted.tolerance)
        if apart is None and theirs.shape == own.shape:
            wanted = Must(None, "not finite: overflow may differ")
        why = wanted.why if theirs.shape == own.shape else f"{_against(own, theirs)}; {wanted.why}"
        pair = Pair(own.role, number, 0, own, equal, exact, apart, wanted.kind, why)
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
