"""Laws checked on values: bitwise first, then within the tolerance of the dtype."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.form import MAYBE, Key, formed
from rnnshape.formula import FormulaError, both_sides, claims_equality
from rnnshape.report.aspect import Aspect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnshape.layers.base import Law

# Tolerances, relative and absolute: a few units in the last place of a sum.  float32 has 2**-23 = 1.2e-7, and a
# recurrent layer adds up some hundred products a step.
# _ON_GPU is for two calls on a GPU: cuDNN and the loop sum in another order, and in float16 and bfloat16 the loop
# rounds after every step.
_ON_GPU = {"float64": 1e-8, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}
# TF32 keeps 10 bits of a factor, 2**-11 = 5e-4 a product, and each kernel rounds at other points.
_IN_TF32 = {**_ON_GPU, "float32": 5e-3}
TOLERANCES = {"float64": 1e-10, "float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}

SEEN = "observed here; theory has no rule for it"
"""The reason of an equality of a layer that theory has no rule for."""
BY_ACCIDENT = "equal here by coincidence"
# A law between calls contains this text, whatever else the call takes.
FIRST_CALL = "layer(x"


@formed(
    "check",
    check="The equality, as Python over the roles.",
    guaranteed="Whether theory guarantees it; if not, it shows a common misconception.",
    holds="Whether it holds, within the tolerance of the dtype; null when nothing ran.",
    exact="Whether it is bitwise exact.",
    max_abs_diff="The largest absolute difference; null also when shapes differ or it is not finite.",
    why=Key("The reason, in one line.", of="reason"),
    elsewhere=Key("What differs with another kernel, cuDNN or the loop.", MAYBE),
)
class Check(Aspect, Struct, frozen=True):
    """A law and its verdict; ``holds``, ``exact`` and ``max_abs_diff`` are None when nothing ran."""

    check: str
    guaranteed: bool
    why: str
    holds: bool | None = None
    exact: bool | None = None
    max_abs_diff: float | None = None
    elsewhere: str = ""

    @property
    def by_accident(self) -> bool:
        """Whether it holds here although theory does not guarantee it; the reason says why it need not hold."""
        return self.holds is True and not self.guaranteed and self.why != SEEN

    @property
    def reason(self) -> str:
        return f"{BY_ACCIDENT}: {self.why}" if self.by_accident else self.why

    @property
    def ok(self) -> bool:
        """False only if a guaranteed check does not hold."""
        return not self.guaranteed or self.holds is not False


def unverified(law: Law) -> Check:
    """The check of a law, without a verdict."""
    return Check(law.check, law.guaranteed, law.why, elsewhere=law.elsewhere)


def between_calls(environment: Mapping[str, Any]) -> Mapping[str, float]:
    """The tolerances between two calls, whose kernels may differ, on the device that they ran on."""
    if not str(environment["device"]).startswith("GPU"):
        return TOLERANCES
    return _IN_TF32 if environment["tf32"] else _ON_GPU


def verified(law: Law, names: Mapping[str, Any], between: Mapping[str, float] = TOLERANCES) -> Check:
    """The check of a law on the values of one run; ``names`` as in ``both_sides``.

    A law about ``layer(x …)`` compares two calls and uses the tolerances ``between``.

    A law with ``!=`` holds when its sides are not equal; ``exact`` and ``max_abs_diff`` describe the two sides
    as usual.

    Raises:
        FormulaError: the law uses an unknown name, or its sides cannot be compared; only a user's expectation can.
    """
    left, right = both_sides(law.check, names)
    tolerances = between if FIRST_CALL in law.check else TOLERANCES
    try:
        pairs = list(zip(_several(left), _several(right), strict=True))
        results = [compare(one, other, tolerances) for one, other in pairs]
    except (TypeError, ValueError, ArithmeticError) as error:
        raise FormulaError(f"{law.check!r}: the two sides cannot be compared: {error}") from error
    differences = [difference for _, _, difference in results]
    return Check(
        law.check,
        law.guaranteed,
        law.why,
        all(holds for holds, _, _ in results) == claims_equality(law.check),
        all(exact for _, exact, _ in results),
        max((value for value in differences if value is not None), default=None) if None not in differences else None,
        law.elsewhere,
    )


def shapes(side: Any) -> tuple[tuple[int, ...], ...]:
    """The shapes of one side of a check: one, or one for each array of a layer's call."""
    import numpy as np

    return tuple(map(np.shape, _several(side)))


def _several(side: Any) -> tuple[Any, ...]:
    return side if isinstance(side, tuple) else (side,)


def compare(
    left: Any, right: Any, tolerances: Mapping[str, float] = TOLERANCES, tolerance: float | None = None
) -> tuple[bool, bool, float | None]:
    """Whether two arrays are equal within tolerance, whether bitwise, and their largest absolute difference.

    Both are cast to the coarser of their two dtypes, because a wrapper may return a float32 state as float16.
    ``tolerance`` replaces that of the dtype.  The difference is None when shapes differ or it is not finite.
    """
    import numpy as np

    if isinstance(right, int | float):  # a number is compared with each element
        right = np.full(np.shape(left), right, np.asarray(left).dtype)
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False, False, None
    coarser = max((left.dtype, right.dtype), key=lambda dtype: tolerances.get(dtype.name, 0.0))
    left, right = left.astype(coarser), right.astype(coarser)
    wide, other = left.astype(np.float64), right.astype(np.float64)
    exact = bool(np.array_equal(wide, other, equal_nan=True))
    if exact:
        return True, True, 0.0
    tolerance = tolerances.get(coarser.name, 0.0) if tolerance is None else tolerance
    holds = bool(np.allclose(wide, other, rtol=tolerance, atol=tolerance, equal_nan=True))
    with np.errstate(invalid="ignore"):
        difference = float(np.max(np.abs(wide - other)))
    return holds, False, difference if isfinite(difference) else None
