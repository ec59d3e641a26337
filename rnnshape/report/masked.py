"""The effect of a mask: the kind of each step of each sample, by theory and from the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.form import Key, formed
from rnnshape.formula import value_of
from rnnshape.layers.scan import COMPUTED, FROZEN, REPEATED, ZEROS, Landmarks, Strip, Valid
from rnnshape.report.aspect import Aspect, Disagreement
from rnnshape.spec.masks import written
from rnnshape.structure import leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from rnnshape.lab.observe import Observation
    from rnnshape.spec import Spec
    from rnnshape.structure import Structure
    from rnnshape.theory import Prediction

# The ways of execution that return tensors with a mask attached; Model.predict returns arrays.
_WITH_MASK = ("eager", "graph", "xla")


@formed(predicted="The output mask, by theory; null without one.", observed="The output mask that was observed.")
class OutputMask(NamedTuple):
    """The mask attached to the output, on both sides."""

    predicted: tuple[Valid, ...] | None
    observed: tuple[Valid, ...] | None


@formed(
    "masked",
    rows="For each sample and step, whether it is valid.",
    through="How it enters: mask= in the call, or the layer that computes it.",
    predicted="The kind of each step, by theory.",
    observed="The kind of each step, from the values; null when not observed.",
    output_mask=Key("", of="output_masks"),
)
class Masked(Aspect, Struct, frozen=True):
    """The input mask and its effect.

    ``rows`` is the input mask, ``through`` how it enters (``"mask="``, or the layer that computes it).  ``predicted``
    and ``observed`` are the strips.  ``output_mask`` is the output mask by theory (None also where theory is not
    ``sure``), ``output_mask_seen`` the observed one; ``looked`` says whether the two are compared.
    """

    rows: tuple[Valid, ...]
    through: str
    predicted: tuple[Strip, ...]
    output_mask: tuple[Valid, ...] | None
    observed: tuple[Strip, ...] | None = None
    output_mask_seen: tuple[Valid, ...] | None = None
    sure: bool = True
    looked: bool = False

    @property
    def strips(self) -> tuple[Strip, ...]:
        """The observed strips; the predicted ones where none were observed."""
        return self.predicted if self.observed is None else self.observed

    @property
    def output_masks(self) -> OutputMask:
        return OutputMask(self.output_mask, self.output_mask_seen)

    def disagreements(self) -> Iterator[Disagreement]:
        """The samples whose steps differ in kind, and the samples whose output mask differs."""
        for said, shown in zip(self.predicted, self.observed or (), strict=False):
            for sample, (theory, lab) in enumerate(zip(said.steps, shown.steps, strict=True)):
                if theory != lab:
                    yield Disagreement(f"{said.of}, sample {sample}", ", ".join(theory), ", ".join(lab))
        if not self.looked or self.output_mask == self.output_mask_seen:
            return
        sides = self.output_mask, self.output_mask_seen
        if None in sides or len(sides[0] or ()) != len(sides[1] or ()):
            yield Disagreement("output mask", *("none" if side is None else written(side) for side in sides))
            return
        for sample, rows in enumerate(zip(sides[0] or (), sides[1] or (), strict=True)):
            if rows[0] != rows[1]:
                yield Disagreement(f"output mask, sample {sample}", *(written((row,)) for row in rows))


def predicted_mask(spec: Spec, predicted: Prediction) -> Masked | None:
    """The prediction for the mask; None when the Spec has no mask."""
    if spec.mask is None:
        return None
    first = spec.layer.first
    return Masked(
        rows=spec.mask,
        through=first.text if spec.masked_data else "mask=",
        predicted=predicted.strips,
        output_mask=predicted.output_mask,
        sure=predicted.sure,
    )


def observed_mask(masked: Masked, outcome: Observation, returned: Structure, names: Mapping[str, Any]) -> Masked:
    """``masked`` with the observed side; ``returned`` has the roles, ``names`` are as in ``formula.both_sides``."""
    roles = [tensor.role for tensor in leaves(returned)]
    shown = list(_shown(masked.predicted, outcome.witness, roles, names))
    return replace(
        masked,
        observed=tuple(shown) if len(shown) == len(masked.predicted) else None,
        output_mask_seen=outcome.output_mask,
        looked=masked.sure and outcome.execution in _WITH_MASK,
    )


def names_of(rows: tuple[Valid, ...] | None) -> dict[str, Any]:
    """The values of the names that a mask defines in checks (``layers.laws``)."""
    if rows is None:
        return {}
    import numpy as np

    mask = np.array(rows)
    marks = {name: np.array(value) for name, value in Landmarks.of(rows)._asdict().items()}
    return {"mask": mask, "i": np.arange(len(mask)), "empty": ~mask.any(axis=1), **marks}


def _shown(
    strips: tuple[Strip, ...], witness: tuple[Any, ...] | None, roles: list[str], names: Mapping[str, Any]
) -> Iterator[Strip]:
    """The observed kind of each step: from the witness, unless the layer's own values contradict it."""
    if witness is None:
        return
    of_state = iter(witness)
    witnessed = {**names, **dict(zip(roles, witness, strict=False))}
    for strip in strips:
        if strip.of.endswith("state"):
            steps = kinds_of(next(of_state), backwards=strip.backwards)
            yield strip._replace(steps=tuple(tuple(_kept(kind) for kind in row) for row in steps))
            continue
        own, other = (kinds_of(value_of(strip.of, values), backwards=strip.backwards) for values in (names, witnessed))
        rows = zip(own, other, strict=True)
        yield strip._replace(steps=tuple(_resolved(*row, backwards=strip.backwards) for row in rows))


def _resolved(own: Sequence[str], witness: Sequence[str], *, backwards: bool) -> tuple[str, ...]:
    """The kind of each step, from the layer's own values and the witness.

    A computed step may happen to be zero or equal to the step before, and a step that repeats a zero is zero.  The
    layer's own values do not show which; the witness does.
    """
    shown, before = [], ZEROS
    for mine, other in list(zip(own, witness, strict=True))[:: -1 if backwards else 1]:
        possible = other in (COMPUTED, mine) or (other == REPEATED and mine == before == ZEROS)
        shown.append(other if possible else mine)
        before = mine
    return tuple(shown[:: -1 if backwards else 1])


def _kept(kind: str) -> str:
    return COMPUTED if kind == COMPUTED else FROZEN


def kinds_of(values: np.ndarray[Any, Any], *, backwards: bool) -> tuple[tuple[str, ...], ...]:
    """The kind of each step of an output (N, T, …), from its values alone.

    >>> import numpy as np
    >>> kinds_of(np.array([[[1.0], [2.0], [2.0]], [[0.0], [3.0], [0.0]]]), backwards=False)
    (('computed', 'computed', 'repeated'), ('zero', 'computed', 'zero'))
    """
    import numpy as np

    flat = np.asarray(values, np.float64).reshape(*values.shape[:2], -1)
    ordered = flat[:, ::-1] if backwards else flat
    zero = ~np.any(ordered != 0, axis=-1)
    same = np.zeros_like(zero)
    before, after = ordered[:, :-1], ordered[:, 1:]
    same[:, 1:] = np.all((before == after) | (np.isnan(before) & np.isnan(after)), axis=-1)
    kinds = np.where(zero, ZEROS, np.where(same, REPEATED, COMPUTED))
    return tuple(tuple(map(str, row[::-1] if backwards else row)) for row in kinds)
