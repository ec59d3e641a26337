"""The Python API: the same questions as in the shell, answered with a Report.

>>> import rnnshape
>>> report = rnnshape.predict("lstm", return_state=True, units=8)      # no TensorFlow
>>> [check.check for check in report.checks]
['output == state_h', 'output == state_c']
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from rnnshape import theory
from rnnshape.errors import RnnshapeError
from rnnshape.report import Report, assemble
from rnnshape.spec import Spec, make

if TYPE_CHECKING:
    from rnnshape.theory import Prediction


def explore(layer: str | Spec, /, *, trace: bool = False, **options: Any) -> Report:
    """What the layer returns: theory's answer, proved on the real ``tf.keras`` layer.

    ``layer`` is a command's name such as ``"lstm"``; ``options`` are the command's options with
    underscores (``return_state=True``, ``units=8``, ``batch=2``, ``seed=0`` …).  A ready Spec takes none.

    With ``trace`` the kernel of each recurrent layer is read from a traced graph (``report.traced``), which takes
    about a tenth of a second; where there is a GPU it always is.

    Errors of Keras or of the machine are part of the answer (``report.error``).

    Raises:
        Invalid: what was asked is wrong, with every problem at once.
    """
    spec = _spec(layer, options)
    predicted = theory.predict(spec)
    from rnnshape import lab

    try:
        lab.require_memory(_bytes(spec, predicted))
        return assemble(spec, predicted, lab.observe(spec, trace=trace))
    except RnnshapeError as error:
        return assemble(spec, predicted, error)


def predict(layer: str | Spec, /, **options: Any) -> Report:
    """What the layer returns, from theory alone: TensorFlow is not loaded and nothing is verified.

    Arguments and errors are those of ``explore``.
    """
    spec = _spec(layer, options)
    return assemble(spec, theory.predict(spec), None)


def _spec(layer: str | Spec, options: dict[str, Any]) -> Spec:
    if isinstance(layer, Spec):
        if options:
            raise TypeError("a Spec says everything already: give options or a Spec, not both")
        return layer
    return make(layer, options)


def _bytes(spec: Spec, predicted: Prediction) -> int:
    """The least that the run holds at once: its input, what it hands out, its weights."""
    cost = predicted.cost
    return prod(spec.input) * theory.BYTES[spec.input_dtype] + cost.activation_bytes + cost.parameter_bytes
