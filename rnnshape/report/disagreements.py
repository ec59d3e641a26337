"""Where theory and the real layer part: each difference by itself, with both sides in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnshape.structure import Structure, Tensor, brackets, leaves, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rnnshape.layers.base import Weight
    from rnnshape.report.masked import Masked
    from rnnshape.report.state import Calls

_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference: what it is about (``"y[0]"``, ``"output mask, sample 1"``), and what each side says."""

    of: str
    predicted: str
    observed: str

    def to_dict(self) -> dict[str, Any]:
        return {"of": self.of, "predicted": self.predicted, "observed": self.observed}


def of_structure(name: str, predicted: Structure, observed: Structure | None) -> Iterator[Disagreement]:
    """Containers, shapes and dtypes; ``name`` is what the code calls the result."""
    if observed is None:
        yield Disagreement(name, brackets(predicted, _tensor), _NOTHING)
        return
    if same(predicted, observed):
        return
    theory, lab = ({tensor.path: _tensor(tensor) for tensor in leaves(side)} for side in (predicted, observed))
    if theory.keys() != lab.keys() or theory == lab:
        yield Disagreement(name, brackets(predicted, _tensor), brackets(observed, _tensor))
    for path in dict.fromkeys([*theory, *lab]):
        if theory.get(path) != lab.get(path):
            yield Disagreement(name + path, theory.get(path, _NOTHING), lab.get(path, _NOTHING))


def of_weights(predicted: Sequence[Weight], observed: Sequence[tuple[int, ...]]) -> Iterator[Disagreement]:
    """The shapes of the weights, in Keras' order."""
    shapes = [tuple(dim.size for dim in weight.dims) for weight in predicted]
    if shapes != list(observed):
        yield Disagreement("weights", _shapes(shapes), _shapes(observed))


def of_mask(masked: Masked) -> Iterator[Disagreement]:
    """What each step shows, and the mask on the output, sample by sample."""
    for said, seen in zip(masked.predicted, masked.observed or (), strict=False):
        for sample, (theory, lab) in enumerate(zip(said.steps, seen.steps, strict=True)):
            if theory != lab:
                yield Disagreement(f"{said.of}, sample {sample}", ", ".join(theory), ", ".join(lab))
    if not masked.looked or masked.output_mask == masked.output_mask_seen:
        return
    sides = masked.output_mask, masked.output_mask_seen
    if None in sides or len(sides[0] or ()) != len(sides[1] or ()):
        yield Disagreement("output mask", *(_mask(side) for side in sides))
        return
    for sample, (valid, there) in enumerate(zip(sides[0] or (), sides[1] or (), strict=True)):
        if valid != there:
            yield Disagreement(f"output mask, sample {sample}", _bits(valid), _bits(there))


def of_calls(calls: Calls) -> Iterator[Disagreement]:
    """Whether a stateful layer refuses another batch size."""
    if calls.other_batch is not None and calls.other_batch_seen is None:
        yield Disagreement(f"a batch of {calls.other_batch}", "an error", "accepted")


def _tensor(tensor: Tensor) -> str:
    return f"{tensor.shape} {tensor.dtype}"


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or _NOTHING


def _mask(rows: tuple[tuple[bool, ...], ...] | None) -> str:
    return "none" if rows is None else ";".join(map(_bits, rows))


def _bits(row: tuple[bool, ...]) -> str:
    return "".join("1" if valid else "0" for valid in row)
