"""A contract compared with the answer: expected and got, side by side.

When nothing ran, the prediction is compared; ``met`` is None for what only the values can decide.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rnnshape.errors import Internal
from rnnshape.form import formed
from rnnshape.formula import both_sides, canonical, claims_equality, names_in
from rnnshape.layers.base import Law
from rnnshape.layers.dims import sized
from rnnshape.report.aspect import Aspect
from rnnshape.report.checks import shapes, verified
from rnnshape.spec.expect import ANY
from rnnshape.structure import brackets, leaves

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from rnnshape.errors import RnnshapeError
    from rnnshape.report.error import Error
    from rnnshape.spec.expect import Expectations
    from rnnshape.structure import Structure

_ROLE = re.compile(r"(?:(?:forward|backward|cell\d+)_)*(?:output|state(?:_[hc])?)")
"""A name that can only be a role; any other may be one that only a run has, such as that of a further call."""


@formed(
    "expectation",
    expect="The subject: structure, params, checks, cudnn, error or a role.",
    expected="",
    got="",
    met="Whether it is met; null when nothing ran.",
)
class Expected(Aspect, Struct, frozen=True):
    """One line of a contract: its subject, both sides as text, and whether it is met."""

    expect: str
    expected: str
    got: str
    met: bool | None

    @property
    def ok(self) -> bool:
        return self.met is not False


def held(
    expect: Expectations,
    structure: Structure,
    *,
    params: int,
    eligible: bool | None,
    letters: Mapping[str, int],
    laws: tuple[Law, ...],
    values: Mapping[str, Any] | None,
    between: Mapping[str, float],
    within: Iterable[Structure] = (),
) -> Iterator[Expected]:
    """Compare every line of the contract with the answer; ``values`` (as in ``both_sides``) is None when nothing ran.

    ``eligible`` is None where theory has no rule for the layer; ``between`` are the tolerances between two calls, as in
    ``verified``; ``within`` is what calls of a graph return.
    """
    if expect.error is not None:
        yield refused(expect.error, None, ran=values is not None)
    if expect.structure is not None:
        wanted = ast.unparse(ast.parse(expect.structure.strip(), mode="eval"))
        got = brackets(structure, lambda tensor: tensor.role)
        yield Expected("structure", wanted, got, wanted == got)
    returned = {tensor.role: tensor.shape for one in (structure, *within) for tensor in leaves(one)}
    for role, sizes in expect.shapes:
        yield _shape(role, sizes, returned, letters)
    if expect.params is not None:
        yield Expected("params", str(expect.params), str(params), expect.params == params)
    if expect.cudnn is not None:
        words = {True: "eligible", False: "ineligible", None: "theory has no rule for it"}
        met = None if eligible is None else expect.cudnn is eligible
        yield Expected("cudnn", words[expect.cudnn], words[eligible], met)
    for check in expect.checks:
        yield _by_theory(check, laws, returned) if values is None else _checked(check, values, between)


def refused(wanted: str, error: RnnshapeError | Error | None, *, ran: bool = True) -> Expected:
    """Compare the expected error, by its kind or a part of its message, with the one raised."""
    if error is None:
        return Expected("error", wanted, "no error", False if ran else None)
    # An internal error is a bug of rnnshape and never meets an expectation.
    met = error.kind != Internal.kind and (wanted == error.kind or wanted.lower() in error.message.lower())
    return Expected("error", wanted, f"{error.kind}: {error.message}", met)


def _shape(role: str, sizes: tuple[int | str, ...], shapes: Mapping[str, Any], letters: Mapping[str, int]) -> Expected:
    wanted = [size if isinstance(size, int) or size == ANY else sized(size, letters) for size in sizes]
    said = f"({', '.join(map(str, sizes))})"
    if said != (numbers := f"({', '.join(map(str, wanted))})"):
        said += f" = {numbers}"
    if role not in shapes:
        return Expected(role, said, f"is not returned: {', '.join(shapes)}", False)
    got = shapes[role]
    met = len(got) == len(wanted) and all(size in (ANY, real) for size, real in zip(wanted, got, strict=True))
    return Expected(role, said, f"({', '.join(map(str, got))})", met)


def _checked(check: str, values: Mapping[str, Any], between: Mapping[str, float]) -> Expected:
    try:
        left, right = map(shapes, both_sides(check, values))
        if left != right and () not in right:  # most likely a slice was forgotten; without this, != would hold
            return Expected("checks", check, f"of shapes {_said(left)} and {_said(right)}", False)
        result = verified(Law(check, True, ""), values, between)
    except ValueError as error:  # a FormulaError, or an error of NumPy for nested sides without a shape
        return Expected("checks", check, str(error), False)
    apart = "not finite" if result.max_abs_diff is None else f"max difference {result.max_abs_diff:.2g}"
    return Expected("checks", check, "equal" if result.exact else apart, result.holds)


def _said(shapes: tuple[tuple[int, ...], ...]) -> str:
    return str(shapes[0] if len(shapes) == 1 else shapes)


def _by_theory(check: str, laws: tuple[Law, ...], returned: Container[str]) -> Expected:
    """The line of a check when nothing ran.

    Theory decides it only if a law guarantees the equality, or if a role is not returned.
    """
    missing = [name for name in sorted(names_in(check)) if _ROLE.fullmatch(name) and name not in returned]
    if missing:
        return Expected("checks", check, f"{missing[0]!r} is not returned here", False)
    equality = canonical(check).replace("!=", "==")
    if any(law.guaranteed and canonical(law.check) == equality for law in laws):
        return Expected("checks", check, "equal by rule", claims_equality(check))
    return Expected("checks", check, "theory does not decide it", None)
