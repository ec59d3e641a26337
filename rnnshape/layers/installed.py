"""Which Keras is installed: some of its rules are not those of another version."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata


@cache
def keras() -> tuple[int, ...]:
    """The version in numbers, read without importing Keras; where there is none, as if it were the newest."""
    for name in ("keras", "keras-nightly"):
        try:
            return tuple(int(part) for part in re.findall(r"\d+", metadata.version(name))[:3])
        except metadata.PackageNotFoundError:
            continue
    return (3, 999)
