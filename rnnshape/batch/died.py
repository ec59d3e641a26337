"""The result of an item whose worker died."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Died:
    """The worker process of the item died, and there is no answer."""

    message: str
