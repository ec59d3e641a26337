"""Find the RNN layers in files and what is wrong with them, without running the code.

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
    """Makes this package callable: importing it binds it to ``rnnshape.scan``, which is also the public function."""

    def __call__(self, *paths: Any, **options: Any) -> list[Scanned]:
        from rnnshape.scan.asked import scan

        return scan(*paths, **options)


sys.modules[__name__].__class__ = _Callable
