"""Makes a Comparison: several layers, or one layer in several variants, with the same input and weights.

>>> [variant.label for variant in compared(["LSTM(8)", "RNN(LSTMCell(8))"]).variants]
['LSTM(8)', 'RNN(LSTMCell(8))']
>>> [variant.spec.layer for variant in compared(["Bidirectional(GRU(8))"], axis="unroll").variants]
[Bidirectional(GRU(8)), Bidirectional(GRU(8, unroll=True))]
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import TABLE, release
from rnnshape.layers.changes import as_cells, as_layers, everywhere, set_everywhere
from rnnshape.reading.finishing import unavailable
from rnnshape.spec.comparison import AXES, AXIS, RULES, VALUES, WAYS, Comparison, Variant
from rnnshape.spec.masks import padded, refusal, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rnnshape.layers.base import Answer
    from rnnshape.layers.node import Node
    from rnnshape.spec.spec import Spec


def compared(
    layers: Sequence[str], options: Mapping[str, Any] | None = None, *, axis: str | None = None, timing: bool = False
) -> Comparison:
    """The comparison of several layers (expressions or commands' names), or of one along an axis.

    ``options`` are run options; they apply to every layer.

    Raises:
        Invalid: with every problem at once.
    """
    problems = [*_asked(layers, axis)]
    specs = _specs(layers, dict(options or {}), problems)
    if specs and len(specs) == len(layers):
        problems += _unlike_inputs(specs)
    for name in dict.fromkeys(name for spec in specs for name in spec.layer.without_rule):
        problems.append(Problem("", f"compare needs theory, which has no rule for {name}: show one layer at a time"))
    variants: list[Variant] = []
    if axis in AXES and len(specs) == 1 and not problems:
        variants = [*_along(axis, specs[0])]
        if len(variants) < 2:
            inside = " and ".join(dict.fromkeys(part.name for part in specs[0].layer.walk()))
            problems.append(Problem(AXIS.name, f"does not apply to {inside}"))
    elif axis is None:
        variants = [Variant(spec.layer.text, spec, spec.execution) for spec in specs]
    if problems:
        raise Invalid(problems, layers[0] if len(layers) == 1 else None)
    title = " vs ".join(spec.layer.text for spec in specs)
    return Comparison(title if axis is None else f"{title} by {axis}", tuple(variants), axis, timing)


def _asked(layers: Sequence[str], axis: str | None) -> Iterator[Problem]:
    if axis is not None and not AXIS.kind.accepts(axis):
        yield Problem(AXIS.name, AXIS.kind.refusal(axis) + _written_out(axis))
    elif axis is not None and len(layers) > 1:
        yield Problem(AXIS.name, f"varies one layer, but {len(layers)} are given: give one layer, or drop the axis")
    if not layers:
        yield Problem("EXPR", "must be two layers or more, or one and an --axis")
    elif len(layers) == 1 and axis is None:
        yield Problem("EXPR", f"compare needs two layers, or one layer and --axis ({', '.join(AXES)})")


def _written_out(axis: str) -> str:
    """How to vary an argument that is not an axis."""
    name, _, values = axis.replace("-", "_").partition("=")
    known = next((layer for layer in TABLE.values() if name in layer.by_name), None)
    if known is None:
        return ""
    each = values.split(",") if "," in values else ("…", "…")
    return f"; to vary {name}, write each layer: " + " ".join(f'"{known.name}({name}={value})"' for value in each)


def _specs(layers: Sequence[str], options: Mapping[str, Any], problems: list[Problem]) -> list[Spec]:
    """The Spec of each layer; with several layers, a problem starts with the text of its layer."""
    from rnnshape.reading.making import make

    specs = []
    for layer in layers:
        try:
            specs.append(make(layer, options))
        except Invalid as error:
            alone = len(layers) == 1
            found = [
                problem if problem.key or alone else Problem("", f"{layer}: {problem.message}")
                for problem in error.problems
            ]
            # A wrong option is the same problem for each layer.
            problems += [problem for problem in found if problem not in problems]
    return specs


def _unlike_inputs(specs: list[Spec]) -> Iterator[Problem]:
    first = specs[0]
    for spec in specs[1:]:
        if spec.input != first.input or spec.tokens != first.tokens:
            takes = " and ".join(f"{one.layer.text} takes {_fed(one)}" for one in (first, spec))
            alike = spec.letters == first.letters and spec.tokens == first.tokens
            yield Problem("", f"all must take the same input: {takes}{': give --input for all' if alike else ''}")


def _fed(spec: Spec) -> str:
    what = "" if spec.tokens is None else f" of the numbers 0 to {spec.tokens.stop - 1}"
    return f"({', '.join(spec.letters)}) = {spec.input}{what}"


def _along(axis: str, spec: Spec) -> list[Variant]:
    """The layer once for each value of the axis; fewer than two if the axis does not apply to it."""
    own = {"execution": _executions, "device": _devices, "mask": _masks, "cell": _cells, "keras": _releases}
    if axis in own:
        return list(own[axis](spec))
    if not any(part.has(axis) for part in spec.layer.walk()):
        return []
    return [
        Variant(f"{axis}={value}", replace(spec, layer=set_everywhere(spec.layer, axis, value)), spec.execution)
        for value in VALUES[axis]
    ]


_WAY_SAID = {"predict": "Model.predict", "symbolic": "keras.Input"}


def _executions(spec: Spec) -> Iterator[Variant]:
    for way in WAYS:
        # A cell has no such method, nor have wired calls.
        if way != "compute_output_shape" or spec.layer.cls.kind not in ("cell", "graph"):
            yield Variant(_WAY_SAID.get(way, way), spec, way)


def _devices(spec: Spec) -> Iterator[Variant]:
    for device in ("cpu", "gpu"):
        yield Variant(device.upper(), replace(spec, device=device), spec.execution)


def _masks(spec: Spec) -> Iterator[Variant]:
    if refusal(spec.layer) is None:
        sizes = dict(zip(spec.letters, spec.input, strict=True))
        mask = spec.mask or padded(sizes["N"], sizes["T"])
        yield Variant("no mask", replace(spec, mask=None), spec.execution)
        yield Variant(f"mask {written(mask)}", replace(spec, mask=mask), spec.execution)


def _cells(spec: Spec) -> Iterator[Variant]:
    layers, cells = as_layers(spec.layer), as_cells(spec.layer)
    if layers != cells:
        yield from (Variant(node.text, replace(spec, layer=node), spec.execution) for node in (layers, cells))


def _releases(spec: Spec) -> Iterator[Variant]:
    """The layer in each span of Keras releases with the same answer, with the changes from the span before."""
    spans: list[tuple[list[str], Answer, list[str]]] = []
    before = None
    for version in release.releases():
        if (known := _of_release(spec, version)) is None:
            continue
        _, answer, asked = known
        if not spans or answer != spans[-1][1]:
            spans.append(([], answer, [] if before is None else [*_changed(spec, before, version, asked)]))
        spans[-1][0].append(version)
        before = version
    if len(spans) == 1:  # compare the oldest with the newest
        versions = spans[0][0]
        _, answer, changes = spans[0]
        spans = [([version], answer, changes) for version in dict.fromkeys((versions[0], versions[-1]))]
    for versions, _, changes in spans:
        here = [version for version in versions if _installed(version)]
        label = "Keras " + " to ".join(dict.fromkeys((versions[0], versions[-1])))
        shown = (here or versions)[-1]
        known = _of_release(spec, shown)  # its defaults may be others than those of the release before
        assert known is not None
        asked_of = replace(spec, layer=known[0], keras=shown)
        yield Variant(label, asked_of, spec.execution if here else RULES, tuple(changes))


def _installed(version: str) -> bool:
    with release.of(version):
        return release.uninstalled() is None


def _of_release(spec: Spec, version: str) -> tuple[Node, Answer, list[release.Change]] | None:
    """The layer in a release, theory's answer, and the changes that it used; None if it cannot be built."""
    with release.of(version), release.watched() as asked:
        node = everywhere(spec.layer, lambda part: part)  # with the defaults of the release
        if any(unavailable(node)) or any(problem for part in node.walk() for problem in part.cls.check(part)):
            return None
        return node, _told(node.cls.theory(node, spec.given())), list(asked)


def _told(answer: Answer) -> Answer:
    """The answer without the cuDNN rules that are met."""
    kernels = [
        structs.replace(kernel, rules=tuple(rule for rule in kernel.rules if not rule.ok)) for kernel in answer.cudnn
    ]
    return structs.replace(answer, cudnn=kernels)


def _changed(spec: Spec, before: str, version: str, asked: list[release.Change]) -> Iterator[str]:
    """The changes between two releases that change the answer."""
    known = _of_release(spec, version)
    assert known is not None
    node, answer, _ = known
    for change in asked:
        with release.of(before):
            made = change.made
        with release.of(version):
            if change.made == made:
                continue
            with release.watched(turned=change):
                other = _told(node.cls.theory(node, spec.given()))
        if other != answer:
            since = release.dotted(change.since)
            yield f"since Keras {since}: {change.what}" if not made else f"not before Keras {since}: {change.what}"
