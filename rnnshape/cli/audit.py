"""``rnnshape audit``: theory against the Keras that is installed here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape.audit import audited, lattice
from rnnshape.cli.batch import answer, require_one_place
from rnnshape.cli.options import form
from rnnshape.errors import FAILED, INVALID, Invalid, Problem, nearest
from rnnshape.render import audit_renderer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def audit(classes: Sequence[str], output: Mapping[str, Any]) -> int:
    """Ask the layers of these classes, or of all, as a batch does; 1 if theory and the real layer disagree on one.

    Raises:
        Unavailable: TensorFlow is missing or broken; nothing was run.
        Invalid: a class that is not audited; ``--resume`` names no file of rows.
    """
    known = {cls.name: cls for cls in audited()}
    if wrong := [name for name in classes if name not in known]:
        raise Invalid(
            Problem(f"CLASS {name}", f"must be one of {', '.join(known)}{nearest(name, known)}") for name in wrong
        )
    require_one_place(output)
    from rnnshape.lab.tensorflow import load

    load()  # one error, not one a layer
    runs = lattice(
        [known[name] for name in dict.fromkeys(classes)], full=output.get("full", False), seed=output.get("seed", 0)
    )
    code = answer(runs, output, audit_renderer(form(output)))
    # Whoever audits wrote no layer: one that Keras rejects, and theory does not, is a disagreement.
    return FAILED if code == INVALID else code
