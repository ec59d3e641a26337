"""rnnshape: what does this RNN layer return?

>>> import rnnshape
>>> rnnshape.predict("bidirectional", units=8, return_state=True).params      # no TensorFlow
832
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnnshape.version import __version__

if TYPE_CHECKING:
    from rnnshape.api import compare, explore, predict
    from rnnshape.errors import Invalid, RnnshapeError
    from rnnshape.report import Report
    from rnnshape.scan.asked import scan
    from rnnshape.spec import Spec

_HOMES = {
    "compare": "rnnshape.api",
    "explore": "rnnshape.api",
    "predict": "rnnshape.api",
    "Invalid": "rnnshape.errors",
    "RnnshapeError": "rnnshape.errors",
    "Report": "rnnshape.report",
    "scan": "rnnshape.scan.asked",
    "Spec": "rnnshape.spec",
}
__all__ = ["Invalid", "Report", "RnnshapeError", "Spec", "__version__", "compare", "explore", "predict", "scan"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: ``rnnshape --help`` needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
