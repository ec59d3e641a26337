"""Selects tests by the installed release of Keras: what it has, and the markers ``newest`` and ``since``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rnnshape.layers.release import NEWEST, asked, dotted, numbers, of
from rnnshape.reading import make
from rnnshape.reading.finishing import unavailable
from rnnshape.versions import tf_keras

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.layers import names
    from rnnshape.layers.arguments import Argument

newest = pytest.mark.skipif(asked()[:2] != NEWEST, reason=f"asserts the text of Keras {dotted(NEWEST)}")
"""For a page or a view that is written with the newest release; not for a rule, which has to hold in each."""

legacy = pytest.mark.skipif(tf_keras() is None, reason="tf_keras, which is Keras 2, is not installed")


def since(version: str, what: str) -> pytest.MarkDecorator:
    """For a feature that older releases lack: ``since("3.4", "dropout does not prevent cuDNN")``."""
    return pytest.mark.skipif(asked() < numbers(version), reason=f"from Keras {version} on {what}")


def offered(arguments: Iterable[Argument]) -> list[Argument]:
    """The given arguments that the release has."""
    return [argument for argument in arguments if not argument.missing_in(asked())]


def named(known: names.Names) -> list[str]:
    """The given names that the release has."""
    return [name for name in known.known if known.had(name, asked())]


def had(texts: Iterable[str]) -> list[str]:
    """The given layers, if the release has all their arguments and names."""
    with of(dotted(NEWEST)):
        layers = {text: make(text).layer for text in texts}
    return [text for text, layer in layers.items() if not list(unavailable(layer))]
