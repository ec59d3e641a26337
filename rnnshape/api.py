"""The Python API: the commands of the shell as functions that return a Report.

>>> import rnnshape
>>> report = rnnshape.predict("lstm", return_state=True, units=8)      # no TensorFlow
>>> [check.check for check in report.checks]
['output == state_h', 'output == state_c']
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from rnnshape import theory
from rnnshape.errors import foreseen
from rnnshape.layers import release
from rnnshape.memory import require
from rnnshape.reading import make
from rnnshape.render import notebook
from rnnshape.report import Report, assemble
from rnnshape.report.shown import Shown
from rnnshape.spec import Spec

if TYPE_CHECKING:
    from rnnshape.report.comparison import Compared
    from rnnshape.report.timing import Timing
    from rnnshape.spec.comparison import Comparison
    from rnnshape.theory import Prediction


Shown.drawn_by = staticmethod(notebook)


def explore(layer: str | Spec | Any, /, *, trace: bool = False, **options: Any) -> Report:
    """What the layer returns: the prediction, verified on the real ``tf.keras`` layer.

    ``layer`` is a command's name such as ``"lstm"``, or an expression such as ``"LSTM(8)"``; ``options`` are the
    options of the command line with underscores (``return_state=True``, ``units=8``, ``input=x.shape`` …), as numbers,
    lists or arrays.  A Spec takes no options.  Of a live layer or model of Keras 3 or tf_keras, only the config is
    used; the lab builds a new one.

    With ``trace``, or if there is a GPU, the kernel of each recurrent layer is read from a traced graph
    (``report.cudnn.traced``), which takes about a tenth of a second.

    Errors of Keras or of the machine are part of the answer (``report.error``), and so is a bug of rnnshape in the lab
    (kind ``"internal"``).

    Raises:
        Invalid: the request is wrong; it has every problem at once.
        RnnshapeError: theory has no rule for a custom class, and the lab fails.
    """
    spec = _spec(layer, options)
    with release.of(spec.keras):
        if spec.layer.without_rule:
            return _seen(spec)
        if (missing := release.uninstalled()) is not None:
            note = f"not verified on a real layer: {missing}"
            return predict(replace(spec, notes=(*spec.notes, note)))
        predicted = theory.predict(spec)
        from rnnshape import lab

        try:
            _require_memory(_bytes(spec, predicted))
            observed = lab.observe(spec, trace=trace)
        except Exception as error:  # noqa: BLE001  the prediction is valid even if the lab fails
            return assemble(spec, predicted, foreseen(error))
        return assemble(spec, theory.predict(spec, gpu=observed.cudnn_used), observed)


def _seen(spec: Spec) -> Report:
    """The answer for a custom class, for which theory has no rule."""
    from rnnshape import lab
    from rnnshape.report.unruled import seen_alone

    try:
        return seen_alone(spec, lab.observe(spec))
    except Exception as error:
        raise foreseen(error) from error


def predict(layer: str | Spec | Any, /, **options: Any) -> Report:
    """What the layer returns, by theory only: TensorFlow is not loaded and nothing is verified.

    Arguments and errors are those of ``explore``.
    """
    spec = _spec(layer, options)
    with release.of(spec.keras):
        return assemble(spec, theory.predict(spec), None)


def compare(*layers: str, axis: str | None = None, timing: bool = False, **options: Any) -> Compared:
    """Compare several layers with the same weights and input, or one layer along an ``axis``.

    >>> import rnnshape
    >>> rnnshape.compare("LSTM(8)", "RNN(LSTMCell(8))").pairs[1].exact      # doctest: +SKIP
    True

    ``options`` are run options, for all layers.

    Raises:
        Invalid: the request is wrong; it has every problem at once.
    """
    from rnnshape.reading.comparison import compared

    return judged(compared(layers, _plain(options), axis=axis, timing=timing))


def judged(comparison: Comparison) -> Compared:
    """The answer to a Comparison; errors of Keras or of the machine are part of it."""
    from rnnshape.report.judging import judge

    specs = [variant.spec for variant in comparison.variants]
    predictions = [*map(_predicted, specs)]
    from rnnshape import lab
    from rnnshape.lab.compare import side_by_side
    from rnnshape.lab.sides import Outcome

    try:
        _require_memory(sum(map(_bytes, specs, predictions)))
        outcomes = side_by_side(comparison)
    except Exception as error:  # noqa: BLE001  as in ``explore``
        outcomes = tuple(Outcome(foreseen(error), variant.way) for variant in comparison.variants)
    fused = [isinstance(outcome.seen, lab.Observation) and outcome.seen.cudnn_used for outcome in outcomes]
    predictions = [_predicted(spec, gpu=on_cudnn) for spec, on_cudnn in zip(specs, fused, strict=True)]
    return judge(comparison, predictions, outcomes)


def _predicted(spec: Spec, *, gpu: bool | None = None) -> Prediction:
    with release.of(spec.keras):
        return theory.predict(spec, gpu=gpu)


def timing(spec: Spec) -> Timing | None:
    """The time of a call of the layer, in training with the backward pass.

    Raises:
        RnnshapeError: Keras rejects the layer, or it cannot run here.
    """
    from rnnshape.lab.compare import timed
    from rnnshape.report.timing import Timing
    from rnnshape.spec.comparison import alone

    with release.of(spec.keras):
        seconds, _ = timed(alone(spec))
    return Timing.of(seconds, training=spec.training)


def _spec(layer: str | Spec | Any, options: dict[str, Any]) -> Spec:
    if isinstance(layer, Spec):
        if options:
            raise TypeError("a Spec already has every option: give options or a Spec, not both")
        return layer
    options = _plain(options)
    if not isinstance(layer, str):
        from rnnshape.reading.saved.model import make_live

        (spec,) = make_live(layer, options)
        return spec
    return make(layer, options)


def _plain(value: Any) -> Any:
    """Options as Python's own values: a list or an array as a tuple, a number of NumPy as a number."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return _plain(value.tolist()) if hasattr(value, "tolist") else value


# NumPy makes a tensor and TensorFlow copies it; outputs are collected step by step and then stacked.  So a run has at
# least two copies of everything in memory.
_COPIES = 2


def _require_memory(tensor_bytes: int) -> None:
    way_out = "make units, batch, time or channels smaller, or use --predict"
    require(_COPIES * tensor_bytes, "the tensors", way_out)


def _bytes(spec: Spec, predicted: Prediction) -> int:
    """The bytes of the input, the returned tensors and the weights."""
    cost = predicted.cost
    return prod(spec.input) * theory.BYTES[spec.input_dtype] + cost.activation_bytes + cost.parameter_bytes
