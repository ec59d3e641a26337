"""The answer to a comparison as plain data: the sides, and the pairs with what must be equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from rnnshape.errors import FAILED, OK, UNAVAILABLE
from rnnshape.form import Formed, Key, formed
from rnnshape.layers.quirks import PAGE
from rnnshape.report.alike import Ran
from rnnshape.report.report import SCHEMA_VERSION, Report
from rnnshape.report.shown import Shown
from rnnshape.spec.masks import written
from rnnshape.structure import Structure, Tensor, leaves

if TYPE_CHECKING:
    from rnnshape.report.timing import Timing
    from rnnshape.spec.comparison import Comparison, Variant

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


@formed(
    "pair",
    role="The role; structure means the containers.",
    variant="The index of the variant, from 0.",
    against="The index of the variant that it is compared with.",
    shape="The shape in this variant; null for the structure.",
    dtype="The dtype in this variant; null when unknown.",
    equal="Whether equal; for values, within the tolerance of the coarser dtype.",
    exact="Whether bitwise equal; null when no values were compared.",
    max_abs_diff="The largest absolute difference; null also when not finite or of different shapes.",
    must="The equality that is required; null when none is.",
    why="Why it must be equal, why it need not be, or how it differs.",
    quirk=Key("The documented Keras bug that breaks it; null when none is known.", of="documented"),
)
class Pair(Formed, Struct, frozen=True):
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
    must: Literal["bitwise", "close", "shape"] | None
    why: str
    quirk: str | None = None

    @property
    def kept(self) -> bool:
        """Whether it is as equal as it must be."""
        return self.must is None or bool(self.exact if self.must == "bitwise" else self.equal)

    @property
    def shape(self) -> tuple[int, ...] | None:
        return None if self.tensor is None else self.tensor.shape

    @property
    def dtype(self) -> str | None:
        return (self.tensor and self.tensor.dtype) or None

    @property
    def documented(self) -> str | None:
        """The page and the heading of the bug."""
        return self.quirk and f"{PAGE}: {self.quirk}"


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
