"""What stands in the place of an answer that never came."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Died:
    """The item took its worker process down with it."""

    message: str
