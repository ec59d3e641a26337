"""Theory and lab side by side, with the verdicts: the object that machines read as JSON.

Nothing here knows how a Report is drawn, and nothing that draws one knows Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from math import isfinite
from typing import TYPE_CHECKING, Any

from rnnshape.errors import FAILED, OK, UNAVAILABLE, Refused, RnnshapeError
from rnnshape.layers.base import Given
from rnnshape.layers.quirks import PAGE
from rnnshape.layers.wiring import wire
from rnnshape.report.checks import Check, between_calls, unverified, verified
from rnnshape.report.environment import environment, installed
from rnnshape.report.error import Error
from rnnshape.report.expected import Expected, held, refused
from rnnshape.report.masked import Masked, foretold, names_of, seen
from rnnshape.report.state import Calls, called, keywords
from rnnshape.spec.data import to_data
from rnnshape.spec.expect import known_letters
from rnnshape.structure import Nest, Structure, Tensor, brackets, labelled, leaves, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rnnshape.lab.observe import Observation
    from rnnshape.layers import Node
    from rnnshape.layers.base import Weight
    from rnnshape.report.timing import Timing
    from rnnshape.spec import Spec
    from rnnshape.theory import Cost, Prediction, Verdict
    from rnnshape.theory.unrolled import Unrolled

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Flow:
    """What one layer of a stack hands to the next, as theory says and as it was seen."""

    expression: str
    predicted: Structure
    observed: Structure | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "expression": self.expression,
            "predicted": self.predicted.to_dict(),
            "observed": self.observed and self.observed.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Wired:
    """A second layer that begins with the states of the first."""

    layer: Node
    initial_state: str
    predicted: Structure
    observed: Structure | None

    @property
    def structure(self) -> Structure:
        return self.observed or self.predicted

    @property
    def unpacking(self) -> str:
        """The line to paste: ``decoder_output = decoder(x, initial_state=[state_h, state_c])``."""
        left = _bare(brackets(self.structure, lambda tensor: f"decoder_{tensor.role}"))
        return f"{left} = decoder(x, initial_state={self.initial_state})"

    def to_dict(self) -> dict[str, Any]:
        return {
            "expression": self.layer.text,
            "initial_state": self.initial_state,
            "predicted": self.predicted.to_dict(),
            "observed": self.observed and self.observed.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One answer.  ``observed``, ``agrees`` and the verdicts of ``checks`` are None unless a layer ran.

    ``values`` are the arrays of the observed tensors, in the order in which they are returned; ``flow``
    is what passes between the layers of a stack, ``wiring`` the second layer, if one was asked for;
    ``expectations`` is the contract of the Spec, line by line.  ``kernels`` is what the rules say that each layer
    runs as where it ran (where nothing ran: where it was asked to), ``traced`` what the graph shows, or None.
    ``timing`` is how long a call took, if that was asked.

    ``masked`` is what the mask did, ``begins`` the roles of the states that were handed in, nested as the call takes
    them, and ``begun`` these one by one, ``calls`` what came of calling it more than once, and ``quirks`` the headings
    under which ``layers.quirks.PAGE`` tells of a bug of Keras that was met.
    """

    spec: Spec
    predicted: Structure
    observed: Structure | None
    agrees: bool | None
    checks: tuple[Check, ...]
    weights: tuple[Weight, ...]
    params: int
    cost: Cost
    cudnn: Verdict
    cudnn_used: bool | None
    kernels: tuple[tuple[str, str], ...]
    environment: dict[str, Any]
    traced: tuple[tuple[str, str], ...] | None = None
    error: Error | None = None
    values: tuple[Any, ...] = ()
    flow: tuple[Flow, ...] = ()
    wiring: Wired | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    expectations: tuple[Expected, ...] = ()
    timing: Timing | None = None
    masked: Masked | None = None
    begins: Any = None
    begun: tuple[Tensor, ...] = ()
    calls: Calls | None = None
    quirks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Theory and lab agree, every guaranteed check holds, what is expected is met, and no error but that came."""
        return (
            (self.error is None or self.error_expected)
            and all(line.met is not False for line in self.expectations)
            and self.agrees is not False
            and all(check.holds is not False for check in self.checks if check.guaranteed)
        )

    @property
    def error_expected(self) -> bool:
        """Whether the contract says that an error must come; which one, ``expectations`` tells."""
        return self.spec.expect is not None and self.spec.expect.error is not None

    @property
    def exit_code(self) -> int:
        if self.ok:
            return OK
        if self.error is not None and (not self.error_expected or self.error.exit_code == UNAVAILABLE):
            return self.error.exit_code
        return FAILED

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
        assert isinstance(self.predicted, Nest)  # a cell returns (output, states)
        states = brackets(self.predicted.items[1], lambda tensor: f"{tensor.role}_0")
        return f"{self.targets} = cell(x, {states}{beside})"

    @property
    def targets(self) -> str:
        """The names that the result unpacks into: ``output, state_h, state_c``."""
        return _bare(brackets(self.structure, lambda tensor: tensor.role))

    @property
    def states_handed_in(self) -> tuple[Tensor, ...]:
        """The states that the call takes: a cell's, or those of ``initial_state``."""
        if self.spec.layer.cls.kind == "cell":
            return tuple(leaves(self.predicted))[1:]
        return self.begun

    @property
    def structure(self) -> Structure:
        """What was observed, or, when nothing ran, what theory says."""
        return self.observed or self.predicted

    @property
    def unrolled(self) -> Unrolled:
        """The layer unrolled over time, as theory has it; worked out when it is asked for."""
        from rnnshape.theory.unrolled import unroll

        return unroll(self.spec, self.predicted, [part.predicted for part in self.flow])

    def to_dict(self, *, values: bool = False) -> dict[str, Any]:
        """The contract's object: plain data that ``json.dumps`` takes.

        With ``values`` each observed tensor has its numbers too, as nested lists.
        """
        spec = self.spec
        observed = self.observed and self.observed.to_dict()
        if values and observed:
            for tensor, array in zip(_tensors(observed), self.values, strict=True):
                tensor["values"] = _numbers(array)
        return {
            "schema_version": SCHEMA_VERSION,
            "name": spec.name,
            "expression": self.expression,
            "input": {"shape": list(spec.input), "symbolic": list(spec.letters), "dtype": spec.input_dtype},
            "predicted": self.predicted.to_dict(),
            "observed": observed,
            "agrees": self.agrees,
            "checks": [check.to_dict() for check in self.checks],
            "weights": [
                {
                    "name": weight.name,
                    "shape": [dim.size for dim in weight.dims],
                    "symbolic": [dim.letter for dim in weight.dims],
                    "gates": list(weight.gates),
                }
                for weight in self.weights
            ],
            "params": self.params,
            "cudnn": {
                "eligible": self.cudnn.eligible,
                "used": self.cudnn_used,
                "reasons": [
                    {"rule": rule.rule, "ok": rule.ok, "decided_by": rule.decided, "source": rule.source}
                    for rule in self.cudnn.rules
                ],
                "hint": self.cudnn.hint,
                "on_gpu": _kernels(self.cudnn.chosen(gpu=True)),
                "predicted": _kernels(self.kernels),
                "traced": None if self.traced is None else _kernels(self.traced),
            },
            "environment": self.environment,
            "error": self.error and self.error.to_dict(),
            "ok": self.ok,
            "run": to_data(spec),
            "cost": self.cost.to_dict(),
            **({"expectations": [line.to_dict() for line in self.expectations]} if self.expectations else {}),
            **({"flow": [part.to_dict() for part in self.flow]} if self.flow else {}),
            **({"notes": list(self.notes)} if self.notes else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            **({"timing": self.timing.to_dict()} if self.timing else {}),
            **({"mask": self.masked.to_dict()} if self.masked else {}),
            **({"initial_state": dict(keywords(spec, self.begins)).get("initial_state")} if self.begins else {}),
            **({"calls": self.calls.to_dict()} if self.calls else {}),
            **({"quirks": [{"page": PAGE, "heading": heading} for heading in self.quirks]} if self.quirks else {}),
            **({"into": self.wiring.to_dict()} if self.wiring else {}),
        }

    def _repr_html_(self) -> str:
        """What Jupyter shows: a notebook asks the object itself, by this name."""
        # The one line by which an answer reaches its drawing.  It knows that there is one and not what it is, and
        # who asks for JSON never loads it.
        from rnnshape.render import notebook

        return notebook(self)


def _kernels(chosen: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"layer": layer, "kernel": kernel} for layer, kernel in chosen]


def _bare(text: str) -> str:
    """Without the outermost parentheses, which an assignment does not need."""
    return text[1:-1] if text.startswith("(") and not text.endswith(",)") else text


def _tensors(structure: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if structure["kind"] == "tensor":
        yield structure
    for item in structure.get("items", ()):
        yield from _tensors(item)


def _numbers(array: Any) -> Any:
    """Nested lists of numbers; JSON has no word for what is not finite, so that is null."""
    numbers = array.astype("float64") if array.dtype.kind not in "iub" else array
    nested = numbers.tolist()
    return nested if all(map(isfinite, numbers.flat)) else _finite(nested)


def _finite(nested: Any) -> Any:
    if isinstance(nested, list):
        return [_finite(item) for item in nested]
    return nested if isfinite(nested) else None


def assemble(spec: Spec, predicted: Prediction, outcome: Observation | RnnshapeError | None) -> Report:
    """The Report of a prediction and what the lab made of it; None when the lab was not asked."""
    told = Report(
        spec=spec,
        predicted=predicted.returned,
        observed=None,
        agrees=None,
        checks=tuple(map(unverified, predicted.laws)),
        weights=predicted.weights,
        params=predicted.params,
        cost=predicted.cost,
        cudnn=predicted.cudnn,
        cudnn_used=None,
        kernels=predicted.cudnn.chosen(gpu=spec.device != "cpu"),
        environment=environment(spec, installed()),
        flow=tuple(Flow(text, structure, None) for text, structure in predicted.flow),
        wiring=_wired(spec, predicted.into, None),
        notes=predicted.notes,
        masked=foretold(spec, predicted),
        begins=predicted.begins,
        begun=predicted.begun,
        calls=called(spec),
        quirks=predicted.quirks,
    )
    if outcome is None or isinstance(outcome, RnnshapeError):
        error = _error(predicted, outcome)
        if error is None and spec.expect is None:
            return told
        return replace(told, error=error, expectations=_expected(spec, predicted, told, error, None))
    observed = labelled(outcome.returned, predicted.returned)
    alike = same(observed, predicted.returned)
    passed = [labelled(back, part.predicted) for part, back in zip(told.flow, outcome.flow, strict=True)]
    begun = outcome.into and predicted.into and labelled(outcome.into, predicted.into)
    where = environment(spec, {**installed(), **outcome.versions}, outcome.device, outcome.execution, outcome.tf32)
    between = between_calls(where)
    names = _names(spec, predicted, outcome, observed) if alike else {}
    masked = seen(told.masked, outcome, names) if told.masked and alike else told.masked
    # A comparison looks at the last call alone.
    calls = replace(told.calls, other_batch_seen=outcome.other_batch) if told.calls and outcome.calls else None
    report = replace(
        told,
        observed=observed,
        agrees=alike
        and outcome.weights == tuple(tuple(dim.size for dim in weight.dims) for weight in predicted.weights)
        and all(same(part.predicted, back) for part, back in zip(told.flow, passed, strict=True))
        and (begun is None or (predicted.into is not None and same(begun, predicted.into)))
        and (masked is None or masked.agrees)
        and (calls is None or calls.agrees),
        checks=tuple(verified(law, names, between) for law in predicted.laws) if alike else (),
        cudnn_used=outcome.cudnn_used,
        kernels=predicted.cudnn.chosen(gpu=outcome.gpu),
        traced=_traced(predicted.cudnn, outcome.traced),
        environment=where,
        values=outcome.values,
        warnings=outcome.warnings,
        flow=tuple(replace(part, observed=back) for part, back in zip(told.flow, passed, strict=True)),
        wiring=_wired(spec, predicted.into, begun),
        masked=masked,
        calls=calls,
    )
    return replace(report, expectations=_expected(spec, predicted, report, None, names))


def _traced(verdict: Verdict, seen: tuple[str, ...] | None) -> tuple[tuple[str, str], ...] | None:
    """What was seen under theory's names; were theory to know of other layers, what it does not know has none."""
    if seen is None:
        return None
    names = [kernel.layer for kernel in verdict.kernels]
    return tuple(zip_longest(names[: len(seen)], seen, fillvalue="?"))


def _expected(
    spec: Spec, predicted: Prediction, report: Report, error: Error | None, names: dict[str, Any] | None
) -> tuple[Expected, ...]:
    """The contract line by line; an error that nobody expected is told by itself."""
    if spec.expect is None:
        return ()
    if error is not None:
        return () if spec.expect.error is None else (refused(spec.expect.error, error),)
    answer = spec.layer.cls.theory(spec.layer, Given(spec.dims, spec.input_dtype))
    lines = held(
        spec.expect,
        report.structure,
        params=report.params,
        eligible=report.cudnn.eligible,
        letters=known_letters(answer, spec.dims),
        laws=predicted.laws,
        values=names,
        between=between_calls(report.environment),
    )
    return tuple(lines)


def _wired(spec: Spec, predicted: Structure | None, observed: Structure | None) -> Wired | None:
    if spec.into is None or predicted is None:
        return None
    return Wired(spec.into, wire(spec.layer, spec.into, spec.dims).code, predicted, observed)


def _error(predicted: Prediction, outcome: RnnshapeError | None) -> Error | None:
    """The lab's error, with theory's way round it.

    What Keras is known to refuse anywhere is said before what is only missing on this machine.
    """
    known = predicted.refusal
    if outcome is not None and (known is None or isinstance(outcome, Refused)):
        return Error.of(outcome, known and known.hint)
    return known and Error(Refused.kind, known.message, known.hint, Refused.exit_code)


def _names(spec: Spec, predicted: Prediction, outcome: Observation, observed: Structure) -> dict[str, Any]:
    """What the names in a check stand for: letters, roles, and what the calls gave."""
    names: dict[str, Any] = {dim.letter: dim.size for dim in spec.dims}
    for weight in predicted.weights:
        names.update((dim.letter, dim.size) for dim in weight.dims if dim.letter.isidentifier())
    names.update(zip((leaf.role for leaf in leaves(observed)), outcome.values, strict=True))
    names["layer(x)"] = outcome.values
    twin = spec.layer.cls.twin(spec.layer)
    if twin is not None and outcome.twin is not None:
        names[f"{twin.name}(...)(x)"] = outcome.twin
    return {
        **names,
        **names_of(predicted.mask),
        **{f"{role}_0": value for role, value in outcome.begun.items()},
        **outcome.calls,
    }
