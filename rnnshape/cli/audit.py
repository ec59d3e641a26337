"""``rnnshape audit``: compare theory with the installed Keras."""

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
    """Check the layers of these classes (default: all) as a batch; return 1 if theory and a real layer disagree.

    Raises:
        Unavailable: TensorFlow is missing or broken; nothing was run.
        Invalid: a class is not audited, or ``--resume`` does not name a file of rows.
    """
    known = {cls.name: cls for cls in audited()}
    if wrong := [name for name in classes if name not in known]:
        raise Invalid(
            Problem(f"CLASS {name}", f"must be one of {', '.join(known)}{nearest(name, known)}") for name in wrong
        )
    require_one_place(output)
    from rnnshape.lab.tensorflow import load

    load()  # if TensorFlow is broken, report it once, not for each layer
    runs = lattice(
        [known[name] for name in dict.fromkeys(classes)], full=output.get("full", False), seed=output.get("seed", 0)
    )
    code = answer(runs, output, audit_renderer(form(output)))
    # The user wrote no layer here: if Keras rejects one that theory accepts, they disagree.
    return FAILED if code == INVALID else code
