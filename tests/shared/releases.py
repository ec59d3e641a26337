"""The release of Keras that the tests run on: what it has, and which tests hold the text of the newest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rnnshape.layers import names
from rnnshape.layers.release import NEWEST, asked, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnshape.layers.arguments import Argument

newest = pytest.mark.skipif(asked()[:2] != NEWEST, reason=f"asserts the text of Keras {dotted(NEWEST)}")
"""For a page or a view that is written with the newest release; never for a rule, which has to be true of each."""


def offered(arguments: Iterable[Argument]) -> list[Argument]:
    """Those of the arguments that the release has."""
    return [argument for argument in arguments if not argument.missing_in(asked())]


def named(known: names.Names) -> list[str]:
    """Those of the names that the release has."""
    return [name for name in known.known if asked() >= known.since.get(name, ())]
