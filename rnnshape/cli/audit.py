"""``rnnshape audit``: theory against the Keras that is installed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.audit import lattice
from rnnshape.cli.batch import answer, require_one_place
from rnnshape.cli.options import form
from rnnshape.errors import FAILED, INVALID
from rnnshape.render import audit_renderer

if TYPE_CHECKING:
    from collections.abc import Mapping


def audit(output: Mapping[str, Any]) -> int:
    """Ask every layer of the lattice as a batch does; 1 if theory and the real layer disagree on one.

    Raises:
        Unavailable: TensorFlow is missing or broken; nothing was run.
        Invalid: ``--resume`` names no file of rows.
    """
    require_one_place(output)
    from rnnshape.lab.tensorflow import load

    load()  # one error, not one a layer
    code = answer(
        lattice(full=output.get("full", False), seed=output.get("seed", 0)), output, audit_renderer(form(output))
    )
    # Whoever audits wrote no layer: one that Keras rejects, and theory does not, is a disagreement.
    return FAILED if code == INVALID else code
