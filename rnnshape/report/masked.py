"""What a mask did: each step of each sample, as theory says and as the values show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rnnshape.formula import value_of
from rnnshape.layers.scan import COMPUTED, FROZEN, REPEATED, ZEROS, Landmarks, Strip, Valid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from rnnshape.lab.observe import Observation
    from rnnshape.spec import Spec
    from rnnshape.theory import Prediction

_DEFAULT = {"tanh", "sigmoid"}
_ACTIVATIONS = ("activation", "recurrent_activation")


@dataclass(frozen=True, slots=True)
class Masked:
    """The mask that was asked for, and what became of it.

    ``rows`` is the mask that goes in, ``through`` how it does (``"mask="``, or the layer that makes it);
    ``predicted`` and ``observed`` are the strips, ``output_mask`` what hangs on the output by theory and
    ``output_mask_seen`` what was seen there (None where it could not be: nothing ran, or a graph did).
    """

    rows: tuple[Valid, ...]
    through: str
    predicted: tuple[Strip, ...]
    output_mask: tuple[Valid, ...] | None
    observed: tuple[Strip, ...] | None = None
    output_mask_seen: tuple[Valid, ...] | None = None
    strict: bool = True
    looked: bool = False

    @property
    def strips(self) -> tuple[Strip, ...]:
        """What was observed, or, when nothing ran, what theory says."""
        return self.predicted if self.observed is None else self.observed

    @property
    def agrees(self) -> bool:
        """Whether the values show what theory says, and the output carries the mask that it says."""
        strips = self.observed is None or all(
            _agree(said, seen, strict=self.strict) for said, seen in zip(self.predicted, self.observed, strict=True)
        )
        return strips and (not self.looked or self.output_mask == self.output_mask_seen)

    def to_dict(self) -> dict[str, Any]:
        return {
            "rows": [list(row) for row in self.rows],
            "through": self.through,
            "predicted": [_strip(strip) for strip in self.predicted],
            "observed": None if self.observed is None else [_strip(strip) for strip in self.observed],
            "output_mask": {
                "predicted": _rows(self.output_mask),
                "observed": _rows(self.output_mask_seen),
            },
        }


def foretold(spec: Spec, predicted: Prediction) -> Masked | None:
    """What theory says of the mask; None where none was asked for."""
    if spec.mask is None:
        return None
    first = spec.layer.in_turn[0]
    return Masked(
        rows=spec.mask,
        through=first.text if spec.masked_data else "mask=",
        predicted=predicted.strips,
        output_mask=predicted.output_mask,
        strict=_strict(spec),
    )


def seen(masked: Masked, outcome: Observation, names: Mapping[str, Any]) -> Masked:
    """The same with what the values show; ``names`` as in ``formula.both_sides``."""
    shown = list(_shown(masked.predicted, outcome, names))
    return replace(
        masked,
        observed=tuple(shown) if len(shown) == len(masked.predicted) else None,
        output_mask_seen=outcome.output_mask,
        looked=outcome.execution == "eager",
    )


def names_of(rows: tuple[Valid, ...] | None) -> dict[str, Any]:
    """What the names that a mask brings stand for in a check (``layers.laws``)."""
    if rows is None:
        return {}
    import numpy as np

    mask = np.array(rows)
    marks = {name: np.array(value) for name, value in Landmarks.of(rows)._asdict().items()}
    return {"mask": mask, "i": np.arange(len(mask)), "empty": ~mask.any(axis=1), **marks}


def _shown(strips: tuple[Strip, ...], outcome: Observation, names: Mapping[str, Any]) -> Iterator[Strip]:
    sequence = iter(outcome.sequence or ())
    for strip in strips:
        if not strip.of.endswith("state"):
            yield strip._replace(steps=told(value_of(strip.of, names), backwards=strip.backwards))
        elif (values := next(sequence, None)) is not None:
            steps = told(values, backwards=strip.backwards)
            yield strip._replace(steps=tuple(tuple(_kept(kind) for kind in row) for row in steps))


def _kept(kind: str) -> str:
    return COMPUTED if kind == COMPUTED else FROZEN


def told(values: np.ndarray[Any, Any], *, backwards: bool = False) -> tuple[tuple[str, ...], ...]:
    """What each step of an output (N, T, …) shows, told from its numbers alone.

    >>> import numpy as np
    >>> told(np.array([[[1.0], [2.0], [2.0]], [[0.0], [3.0], [0.0]]]))
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


def _strict(spec: Spec) -> bool:
    """Whether a computed step can be neither zero nor the one before again, but by a rare accident.

    Another activation may give zero, so may dropout and what an earlier layer hands on; and in 16 bits two steps
    are easily equal.
    """
    parts = list(spec.layer.walk())
    usual = all(part[name] in _DEFAULT for part in parts for name in _ACTIVATIONS if part.has(name))
    wide = all(part["dtype"] in (None, "float32", "float64") for part in parts if part.has("dtype"))
    return usual and wide and not spec.training and spec.layer.cls.kind != "stack"


def _agree(said: Strip, seen: Strip, *, strict: bool) -> bool:
    return all(
        all(_fits(one, row, at, said.backwards, strict=strict) for at, one in enumerate(foretold_row))
        for foretold_row, row in zip(said.steps, seen.steps, strict=True)
    )


def _fits(said: str, row: tuple[str, ...], at: int, backwards: bool, *, strict: bool) -> bool:
    if said == row[at]:
        return True
    if said == COMPUTED:
        return not strict
    before = at + 1 if backwards else at - 1
    # What repeats a computed zero is told to be zero.
    return said == REPEATED and row[at] == ZEROS and 0 <= before < len(row) and row[before] == ZEROS


def _strip(strip: Strip) -> dict[str, Any]:
    return {"of": strip.of, "steps": [list(row) for row in strip.steps]}


def _rows(rows: tuple[Valid, ...] | None) -> list[list[bool]] | None:
    return None if rows is None else [list(row) for row in rows]
