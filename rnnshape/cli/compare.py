"""``rnnshape compare``: compare layers with the same weights and the same input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnshape import api
from rnnshape.cli.answer import show_error
from rnnshape.cli.options import COMPARE, TIMING, checked, form, refused
from rnnshape.cli.output import destination
from rnnshape.errors import Invalid, Problem
from rnnshape.reading.comparison import compared as comparison_of
from rnnshape.reading.files import why_not_read
from rnnshape.render import comparison_renderer
from rnnshape.spec.comparison import AXIS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def compare(layers: Sequence[str], values: Mapping[str, Any]) -> int:
    """Compare the layers of a command line; return the exit code.

    Raises:
        Invalid: a layer or an option is wrong; all problems are in one error.
    """
    output = {name: value for name, value in values.items() if name in COMPARE}
    asked = {name: value for name, value in values.items() if name not in COMPARE}
    axis, timing, verbose = asked.pop(AXIS.name, None), output.get(TIMING.name, False), output.get("verbose", False)
    try:
        comparison = checked(
            lambda: comparison_of(layers, asked, axis=axis, timing=timing), values, refused(output, COMPARE)
        )
    except Invalid:
        if files := [Problem("", why) for layer in layers if (why := why_not_read(layer)) is not None]:
            raise Invalid(files) from None
        raise
    with destination(output.get("output_file")) as stream:
        compared = api.judged(comparison)
        comparison_renderer(form(output))(compared, stream)
    for side in compared.sides:
        show_error(side.report, f"{side.variant.label}: ", verbose=verbose)
    if verbose:
        from rnnshape.lab.tensorflow import replay

        replay()
    return compared.exit_code
