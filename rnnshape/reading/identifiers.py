"""Makes Python identifiers from names."""

from __future__ import annotations

import re


def identifier(name: str) -> str:
    """The name as an identifier.

    >>> identifier("max/pool 1"), identifier("2nd"), identifier("?")
    ('max_pool_1', 'x_2nd', 'x')
    """
    word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "x"
    return word if word.isidentifier() else f"x_{word}"


def free(name: str, taken: set[str]) -> str:
    """The name as an identifier that is not in ``taken``; it is added to ``taken``.

    >>> taken = {"lstm"}
    >>> free("lstm", taken), free("lstm", taken)
    ('lstm_2', 'lstm_3')
    """
    word = found = identifier(name)
    number = 1
    while found in taken:
        number += 1
        found = f"{word}_{number}"
    taken.add(found)
    return found
