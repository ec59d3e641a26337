"""The Report: theory and lab side by side, with the verdicts.  It is also written as JSON.

This module does not know how a Report is rendered; the renderers do not know Keras.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from msgspec import Struct

from rnnshape.errors import FAILED, OK, UNAVAILABLE
from rnnshape.form import LATER, MAYBE, Formed, Key, as_data, formed
from rnnshape.layers.base import Weight  # noqa: TC001  the type of a key
from rnnshape.layers.quirks import PAGE
from rnnshape.report.aspect import Disagreement  # noqa: TC001  the type of a key
from rnnshape.report.checks import Check
from rnnshape.report.error import Error
from rnnshape.report.expected import Expected
from rnnshape.report.inputs import Fed, Input, inputs_of
from rnnshape.report.kernels import Kernels
from rnnshape.report.masked import Masked
from rnnshape.report.returned import Flow, Returned, Wired, bare
from rnnshape.report.shown import Shown
from rnnshape.report.state import Calls, keywords
from rnnshape.report.stored import Stored
from rnnshape.report.timing import Timing
from rnnshape.report.weights import Weights
from rnnshape.spec import Spec
from rnnshape.spec.data import to_data
from rnnshape.structure import Structure, Tensor, brackets, leaves
from rnnshape.theory import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.report.aspect import Aspect
    from rnnshape.theory.unrolled import Unrolled

SCHEMA_VERSION = "1.0"


@formed("quirk", page="A page of the documentation.", heading="A heading on it.")
class Quirk(NamedTuple):
    """Where a bug of Keras is documented."""

    page: str
    heading: str


@formed(
    schema_version=Key("A minor step adds keys, a major one breaks.", pattern=r"^1\.[0-9]+$"),
    name="A batch run's name.",
    expression=Key("The layer as an expression, which can be pasted back.", null=True),
    input=Key("The input of the layer; null when the request was wrong.", null=True),
    predicted=Key("The predicted structure; null when the request was wrong.", null=True),
    observed="The structure that the real layer returned; null when nothing ran.",
    agrees="Whether theory and the real layer agree; else see disagreements.",
    checks="The equalities between the returned tensors.",
    weights="The layer's weights, in Keras' order.",
    params=Key("The number of parameters.", null=True),
    cudnn=Key("Whether Keras may use cuDNN, and why.", null=True),
    environment="",
    error="Why there is no observation.",
    ok="Theory agrees, every guaranteed check and every expectation holds, and nothing failed.",
    run=Key("The run as data, to run it again; null when it cannot be read.", LATER, null=True),
    cost=Key("The cost of one forward call; null when the request was wrong.", LATER, null=True),
    expectations=Key("The expected results, and the real ones.", MAYBE),
    inputs=Key("The inputs of wired calls, where there are several; the first is input.", MAYBE),
    flow=Key("The output of each layer of a stack.", MAYBE),
    notes=Key("How the input was given; how sizes were computed.", MAYBE),
    warnings=Key("The warnings of Keras.", MAYBE),
    timing=Key("", MAYBE),
    mask=Key("", MAYBE, of="masked"),
    initial_state=Key("The initial states passed in, nested, as Python.", MAYBE),
    calls=Key("", MAYBE),
    quirks=Key("The Keras bugs that affect this layer.", MAYBE, of="documented"),
    disagreements=Key("Where theory and the real layer differ.", MAYBE),
    unruled=Key("The classes of --import: theory has no rule for them, and predicted is an empty tuple.", MAYBE),
    into=Key("", MAYBE, of="wiring"),
    file=Key("", MAYBE),
)
class Report(Shown, Formed, Struct, frozen=True):
    """One answer: the Spec, the aspects, the environment, and the error if there is one.

    ``observed``, ``agrees`` and the verdicts of ``checks`` are None unless the layer ran.

    * ``values``: the arrays of the observed tensors, in the order in which they are returned.
    * ``flow``: the outputs of the layers of a stack, or of the calls of a graph.
    * ``wiring``: the second layer of ``into``.
    * ``expectations``: the expected results, one item a line of the contract.
    * ``timing``: the time of one call.
    * ``masked``: the effect of the mask.
    * ``begins``: the initial states passed in, nested as the call takes them.
    * ``calls``: the result of several calls.
    * ``quirks``: headings of ``layers.quirks.PAGE``, for the Keras bugs that affect this layer.
    * ``unruled``: the classes that theory has no rule for; ``predicted`` is an empty tuple then.
    * ``file``: the weights in the file of a saved model.
    """

    spec: Spec
    returned: Returned
    weighed: Weights
    checks: tuple[Check, ...]
    cost: Cost
    cudnn: Kernels
    environment: dict[str, Any]
    error: Error | None = None
    values: tuple[Any, ...] = ()
    flow: tuple[Flow, ...] = ()
    wiring: Wired | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    expectations: tuple[Expected, ...] = ()
    timing: Timing | None = None
    masked: Masked | None = None
    begins: Structure | None = None
    calls: Calls | None = None
    quirks: tuple[str, ...] = ()
    unruled: tuple[str, ...] = ()
    file: Stored | None = None

    schema_version: ClassVar[str] = SCHEMA_VERSION

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """The aspects, in the order in which their disagreements are reported."""
        single = (self.wiring, self.masked, self.calls, self.cudnn, self.timing, self.file)
        there = [aspect for aspect in single if aspect is not None]
        return (self.returned, self.weighed, *self.flow, *there, *self.checks, *self.expectations)

    @property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where theory and the real layer differ; when nothing ran, where theory and a saved model's file differ."""
        if self.observed is None:
            return tuple(self.file.disagreements()) if self.file is not None else ()
        return tuple([one for aspect in self.aspects for one in aspect.disagreements()])

    @property
    def agrees(self) -> bool | None:
        """Whether theory and the real layer agree; None when nothing ran, or theory has no rule for the layer."""
        compared = self.observed is not None and (not self.unruled or self.disagreements)
        return not self.disagreements if compared else None

    @property
    def ok(self) -> bool:
        """Whether theory and lab agree, all aspects hold, and there is no error except an expected one."""
        return (
            (self.error is None or self.error_expected)
            and self.agrees is not False
            and all(aspect.ok for aspect in self.aspects)
        )

    @property
    def error_expected(self) -> bool:
        """Whether the contract expects an error; ``expectations`` has which one, and whether it was raised."""
        return self.spec.expect is not None and self.spec.expect.error is not None

    @property
    def exit_code(self) -> int:
        if self.ok:
            return OK
        if self.error is not None and (not self.error_expected or self.error.exit_code == UNAVAILABLE):
            return self.error.exit_code
        return FAILED

    @property
    def name(self) -> str | None:
        return self.spec.name

    @property
    def input(self) -> Input:
        return Input(self.spec.input, self.spec.symbolic, self.spec.input_dtype)

    @property
    def predicted(self) -> Structure:
        return self.returned.predicted

    @property
    def observed(self) -> Structure | None:
        return self.returned.observed

    @property
    def structure(self) -> Structure:
        """The observed structure; the predicted one when nothing ran."""
        return self.returned.structure

    @property
    def weights(self) -> tuple[Weight, ...]:
        return self.weighed.predicted

    @property
    def params(self) -> int:
        return self.weighed.params

    @property
    def run(self) -> dict[str, Any]:
        return to_data(self.spec)

    @property
    def initial_state(self) -> str | None:
        """The states passed in, as Python; None without any, and for a cell, which takes them by position."""
        return dict(keywords(self.spec, self.begins)).get("initial_state") if self.begins else None

    @property
    def documented(self) -> tuple[Quirk, ...]:
        return tuple([Quirk(PAGE, heading) for heading in self.quirks])

    @property
    def expression(self) -> str:
        """The canonical expression: pasting it back asks for the same layer."""
        return self.spec.layer.text

    @property
    def unpacking(self) -> str:
        """The line to paste: ``output, state_h, state_c = layer(x)``."""
        beside = "".join(f", {name}={value}" for name, value in keywords(self.spec, self.begins))
        if self.spec.layer.cls.kind != "cell":
            return f"{self.targets} = layer(x{beside})"
        assert self.begins is not None  # a cell has no call without states
        states = brackets(self.begins, lambda tensor: f"{tensor.role}_0")
        return f"{self.targets} = cell(x, {states}{beside})"

    @property
    def targets(self) -> str:
        """The names that the result unpacks into: ``output, state_h, state_c``."""
        return bare(brackets(self.structure, lambda tensor: tensor.role))

    @property
    def states_handed_in(self) -> tuple[Tensor, ...]:
        """The states that the call takes: a cell's, or those of ``initial_state``."""
        return tuple(leaves(self.begins)) if self.begins else ()

    @property
    def unrolled(self) -> Unrolled:
        """The layer unrolled over time, by theory; computed on access."""
        from rnnshape.theory.unrolled import unroll

        return unroll(self.spec, self.predicted, [part.predicted for part in self.flow])

    @property
    def inputs(self) -> tuple[Fed, ...]:
        """The inputs of wired calls, where there are several; the first is ``input`` too."""
        found = inputs_of(self.spec)
        return found if len(found) > 1 else ()

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """The report as plain data for ``json.dumps``; with ``values``, each observed tensor also has its values.

        Values are nested lists of numbers.
        """
        data = as_data(self)
        if values and self.observed:
            for tensor, array in zip(_tensors(data["observed"]), self.values, strict=True):
                tensor["values"] = _numbers(array)
        return data


def _tensors(structure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if structure["kind"] == "tensor":
        yield structure
    for item in structure.get("items", ()):
        yield from _tensors(item)


def _numbers(array: Any) -> Any:
    """Nested lists of numbers, with null for values that are not finite, which JSON does not have."""
    numbers = array.astype("float64") if array.dtype.kind not in "iub" else array
    nested = numbers.tolist()
    return nested if all(map(isfinite, numbers.flat)) else _finite(nested)


def _finite(nested: Any) -> Any:
    if isinstance(nested, list):
        return [_finite(item) for item in nested]
    return nested if isfinite(nested) else None
