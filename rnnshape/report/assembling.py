"""Builds the Report from a prediction and the lab's result: the one place where the two are compared."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.errors import Internal, Refused, RnnshapeError
from rnnshape.layers.base import Given
from rnnshape.layers.entries import walk
from rnnshape.layers.wiring import wire
from rnnshape.report.checks import between_calls, unverified, verified
from rnnshape.report.environment import environment
from rnnshape.report.error import Error
from rnnshape.report.expected import Expected, held, refused
from rnnshape.report.kernels import Kernels
from rnnshape.report.masked import names_of, observed_mask, predicted_mask
from rnnshape.report.report import Report
from rnnshape.report.returned import Flow, Returned, Wired
from rnnshape.report.state import called
from rnnshape.report.stored import file_notes, stored
from rnnshape.report.weights import Weights
from rnnshape.spec.data import to_data
from rnnshape.spec.expect import known_letters
from rnnshape.structure import Structure, labelled, leaves, same
from rnnshape.theory.predict import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rnnshape.lab.observe import Observation
    from rnnshape.spec import Spec
    from rnnshape.theory import Prediction, Verdict


def assemble(spec: Spec, predicted: Prediction, outcome: Observation | RnnshapeError | None) -> Report:
    """The Report of a prediction and the lab's ``outcome``, which is None when the lab did not run."""
    file = stored(spec)
    theory = Report(
        spec=spec,
        returned=Returned("y", predicted.returned, None),
        weighed=Weights(predicted.weights, predicted.params),
        checks=tuple(map(unverified, predicted.laws)),
        cost=predicted.cost,
        cudnn=Kernels(predicted.cudnn, predicted.cudnn.chosen(gpu=spec.device != "cpu")),
        environment=environment(spec),
        flow=tuple(
            Flow(f"layer {number}: y", structure, None, text, to)
            for number, ((text, structure), to) in enumerate(
                zip(predicted.flow, _ways(spec, predicted), strict=True), 1
            )
        ),
        wiring=_wired(spec, predicted.into, None),
        notes=(*spec.notes, *file_notes(file), *predicted.notes),
        masked=predicted_mask(spec, predicted),
        begins=predicted.begins,
        calls=called(spec),
        quirks=predicted.quirks,
        file=file,
    )
    if outcome is None or isinstance(outcome, RnnshapeError):
        error = _error(spec, predicted, outcome)
        if error is None and spec.expect is None:
            return theory
        return replace(theory, error=error, expectations=_expected(spec, predicted, theory, error, None))
    observed = labelled(outcome.returned, predicted.returned)
    alike = same(observed, predicted.returned)
    passed = [labelled(back, part.predicted) for part, back in zip(theory.flow, outcome.flow, strict=True)]
    begun = outcome.into and predicted.into and labelled(outcome.into, predicted.into)
    where = environment(spec, outcome)
    between = between_calls(where)
    names = _names(spec, predicted, outcome, observed) if alike else {}
    masked = observed_mask(theory.masked, outcome, observed, names) if theory.masked and alike else theory.masked
    # A comparison observes only the last call, so its outcome has no calls.
    calls = replace(theory.calls, other_batch_seen=outcome.other_batch) if theory.calls and outcome.calls else None
    report = replace(
        theory,
        returned=replace(theory.returned, observed=observed),
        weighed=replace(theory.weighed, observed=tuple(outcome.weights)),
        checks=tuple(verified(law, names, between) for law in predicted.laws) if alike else (),
        cudnn=Kernels(
            predicted.cudnn,
            predicted.cudnn.chosen(gpu=outcome.gpu),
            outcome.cudnn_used,
            _traced(predicted.cudnn, outcome.traced),
        ),
        environment=where,
        values=outcome.values,
        warnings=outcome.warnings,
        flow=tuple(replace(part, observed=back) for part, back in zip(theory.flow, passed, strict=True)),
        wiring=_wired(spec, predicted.into, begun),
        masked=masked,
        calls=calls,
        file=theory.file and replace(theory.file, apart=outcome.apart),
    )
    return replace(report, expectations=_expected(spec, predicted, report, None, names))


def _ways(spec: Spec, predicted: Prediction) -> list[dict[str, tuple[str, ...]] | None]:
    """Where the results of each call of a graph go; None for each layer of a stack."""
    if (graph := spec.graph) is None or not predicted.flow:
        return [None] * len(predicted.flow)
    return [graph.goes(call) for call in graph.calls]


def _traced(verdict: Verdict, seen: tuple[str, ...] | None) -> tuple[Chosen, ...] | None:
    """The traced kernels with theory's layer names; ``"?"`` fills in where the two have different lengths."""
    if seen is None:
        return None
    names = [kernel.layer for kernel in verdict.kernels]
    return tuple([Chosen(*both) for both in zip_longest(names[: len(seen)], seen, fillvalue="?")])


def _expected(
    spec: Spec, predicted: Prediction, report: Report, error: Error | None, names: dict[str, Any] | None
) -> tuple[Expected, ...]:
    """The contract line by line; empty for an error that the contract does not expect, as ``error`` reports it."""
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
        within=[part.structure for part in report.flow] if spec.graph else [],
    )
    return tuple(lines)


def _wired(spec: Spec, predicted: Structure | None, observed: Structure | None) -> Wired | None:
    if spec.into is None or predicted is None:
        return None
    return Wired("decoder: y", predicted, observed, spec.into, wire(spec.layer, spec.into, spec.dims).code)


def _error(spec: Spec, predicted: Prediction, outcome: RnnshapeError | None) -> Error | None:
    """The lab's error, with theory's hint.

    A refusal that theory knows comes before an error of this machine, such as a missing GPU.
    """
    known = predicted.refusal
    if outcome is not None and (known is None or isinstance(outcome, Refused | Internal)):
        return Error.of(outcome, known and known.hint, run=to_data(spec))
    return known and Error(Refused.kind, known.message, known.hint, Refused.exit_code)


def _masks(spec: Spec) -> Iterator[tuple[str, Any]]:
    """For a graph: the values of the names that each call's mask defines in checks."""
    for step in walk(spec.layer, spec.given()) if spec.graph else ():
        if step.answer.scan is not None and step.answer.scan.mask is not None:
            for name, value in names_of(step.answer.scan.mask.rows).items():
                yield f"{step.call.name}_{name}", value


def _names(spec: Spec, predicted: Prediction, outcome: Observation, observed: Structure) -> dict[str, Any]:
    """The values of the names in a check: letters, roles, and the results of calls."""
    names: dict[str, Any] = {dim.letter: dim.size for dim in spec.dims}
    for weight in predicted.weights:
        names.update((dim.letter, dim.size) for dim in weight.dims if dim.letter.isidentifier())
    names.update(zip((leaf.role for leaf in leaves(observed)), outcome.values, strict=True))
    for (_, part), values in zip(predicted.flow, outcome.inner, strict=False):
        names.update(zip((leaf.role for leaf in leaves(part)), values, strict=True))
    names.update(_masks(spec))
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
