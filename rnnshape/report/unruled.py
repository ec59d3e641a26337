"""The Report of a layer that theory has no rule for: what was observed and what its values show, without a verdict."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.layers.base import STEP, Kernel, Law, Rule, Weight
from rnnshape.layers.dims import Dim
from rnnshape.layers.wires import Wire
from rnnshape.report.checks import SEEN, between_calls, verified
from rnnshape.report.environment import environment
from rnnshape.report.expected import held
from rnnshape.report.kernels import Kernels
from rnnshape.report.report import Report
from rnnshape.report.returned import Flow, Returned
from rnnshape.report.stored import file_notes, stored
from rnnshape.report.weights import Weights
from rnnshape.structure import NOTHING, Structure, labelled, leaves, mapped
from rnnshape.theory import Cost, Verdict, flow_by_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rnnshape.lab.observe import Observation
    from rnnshape.layers.wires import Call, Graph
    from rnnshape.spec import Spec


def seen_alone(spec: Spec, outcome: Observation) -> Report:
    """The Report of what the lab observed; ``predicted`` is an empty tuple.

    In a stack or a graph, theory predicts the layers before the first class without a rule; these are compared.
    """
    names = spec.layer.without_rule
    observed = _named(outcome.returned, *_outputs(spec))
    where = environment(spec, outcome)
    weights = tuple(
        Weight(f"weight_{number}", tuple(Dim(size, str(size)) for size in shape))
        for number, shape in enumerate(outcome.weights)
    )
    values: dict[str, Any] = {dim.letter: dim.size for dim in spec.dims}
    values |= zip((tensor.role for tensor in leaves(observed)), outcome.values, strict=True)
    file = stored(spec, outcome.apart)
    report = Report(
        spec=spec,
        returned=Returned("y", NOTHING, observed),
        weighed=Weights(weights, sum(weight.size for weight in weights), tuple(outcome.weights)),
        checks=tuple(verified(law, values) for law in _shown(observed, values)),
        cost=Cost((), weights, (), spec.dims),
        cudnn=Kernels(Verdict((_kernel(names),)), (), outcome.cudnn_used),
        environment=where,
        values=outcome.values,
        flow=tuple(_flow(spec, outcome)),
        notes=(*spec.notes, *file_notes(file)),
        file=file,
        warnings=outcome.warnings,
        unruled=names,
    )
    if spec.expect is None:
        return report
    expectations = held(
        spec.expect,
        observed,
        params=report.params,
        eligible=None,
        letters={dim.letter: dim.size for dim in spec.dims},
        laws=(),
        values=values,
        between=between_calls(where),
    )
    return replace(report, expectations=tuple(expectations))


def _outputs(spec: Spec) -> tuple[str, ...]:
    """The names in the graph of the tensors that it returns; empty if the layer is not a graph."""
    if (graph := spec.graph) is None:
        return ()
    if graph.outputs is not None:
        return tuple(map(graph.word, graph.returned))
    return _words(graph, graph.calls[-1])


def _words(graph: Graph, call: Call) -> tuple[str, ...]:
    """The names in the graph of the results of a call."""
    wires = (Wire(call.name, (index,)) for index in range(len(call.results)))
    return tuple(map(graph.word, wires if call.results else (Wire(call.name),)))


def _named(returned: Structure, *words: str) -> Structure:
    """The structure with these names as roles; if their number differs, ``output``, ``state_0``, ``state_1`` …"""
    paths = [tensor.path for tensor in leaves(returned)]
    roles = words if len(words) == len(paths) else ("output", *(f"state_{index}" for index in range(len(paths) - 1)))
    by_path = dict(zip(paths, roles, strict=True))
    return mapped(lambda tensor: replace(tensor, role=by_path[tensor.path]), returned)


def _shown(observed: Structure, values: Mapping[str, Any]) -> Iterator[Law]:
    """The equalities between tensors, or between a tensor and a step of another, that hold in the values."""
    for left, right in combinations(leaves(observed), 2):
        if left.shape == right.shape:
            laws = [f"{left.role} == {right.role}"]
        elif (left.shape[0], *left.shape[2:]) == right.shape:
            laws = [f"{left.role}[:, -1] == {right.role}", f"{left.role}[:, 0] == {right.role}"]
        else:
            continue
        candidates = (Law(check, False, SEEN) for check in laws)
        yield from (law for law in candidates if verified(law, values).holds)


def _flow(spec: Spec, outcome: Observation) -> Iterator[Flow]:
    """What each layer of a stack, or each call of a graph, returned, with the prediction where there is one."""
    ruled = [*flow_by_rule(spec)]
    graph = spec.graph
    texts = [layer.text for layer in spec.layer.in_turn] if graph is None else [*graph.statements]
    for place, (text, back) in enumerate(zip(texts, outcome.flow, strict=False)):
        predicted = ruled[place] if place < len(ruled) else NOTHING
        words = () if graph is None else _words(graph, graph.calls[place])
        to = None if graph is None else graph.goes(graph.calls[place])
        seen = _named(back, *words) if predicted is NOTHING else labelled(back, predicted)
        yield Flow(f"layer {place + 1}: y", predicted, seen, text, to)


def _kernel(names: tuple[str, ...]) -> Kernel:
    what = " and ".join(names)
    return Kernel("", (Rule("theory has a rule for every layer", False, "", f"none for {what}"),), STEP)
