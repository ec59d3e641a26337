"""Which Keras is installed: some of its rules are not those of another version."""

from __future__ import annotations

import re
from functools import cache

from rnnshape.versions import version_of


@cache
def keras() -> tuple[int, ...]:
    """The version in numbers, read without importing Keras; where there is none, as if it were the newest."""
    version = version_of("keras", "keras-nightly")
    return (3, 999) if version is None else tuple(int(part) for part in re.findall(r"\d+", version)[:3])
