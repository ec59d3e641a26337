"""Whole files: find the layers, say what will go wrong.  Read, never run.

>>> from rnnshape.scan.one import scan_text
>>> from rnnshape.scan.texts import Text
>>> code = "from keras import layers\\nx = layers.Bidirectional(layers.LSTMCell(8))\\n"
>>> [(finding.code, finding.line) for finding in scan_text(Text("model.py", code)).findings]
[('cell', 2)]
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnshape.scan.finding import Scanned


class _Callable(ModuleType):
    """``rnnshape.scan`` is this package from its first import on, and what Python code calls before and after it."""

    def __call__(self, *paths: Any, **options: Any) -> list[Scanned]:
        from rnnshape.scan.asked import scan

        return scan(*paths, **options)


sys.modules[__name__].__class__ = _Callable
