"""Selects a few of many test parameters for the fast run; the others get a marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def some(values: Iterable[Any], every: int, mark: pytest.MarkDecorator = pytest.mark.slow) -> list[Any]:
    """The values as parameters of a test; one in ``every`` runs in the fast run, the others have the marker.

    >>> [getattr(value, "values", value) for value in some("abcde", 3)]
    ['a', ('b',), ('c',), 'd', ('e',)]
    """
    return [pytest.param(value, marks=mark) if at % every else value for at, value in enumerate(values)]
