"""Rejects what does not fit into memory before it is allocated, because an out-of-memory kill has no message."""

from __future__ import annotations

import os
from pathlib import Path

from rnnshape.errors import Unavailable

# Bytes that are always free after TensorFlow is loaded; asking the system takes longer than a prediction.
_ALWAYS_FITS = 2**26


def require(needed: int, what: str, way_out: str) -> None:
    """Check that ``needed`` bytes fit into the free memory; ``what`` names them in the error.

    Raises:
        Unavailable: they do not fit; the hint is ``way_out``.
    """
    if needed < _ALWAYS_FITS:
        return
    free = available()
    if free is not None and needed > free:
        raise Unavailable(
            f"not enough memory: {what} need about {readable(needed)}, and {readable(free)} are available",
            way_out,
            kind="memory",
        )


def available() -> int | None:
    """The bytes that a process can still use; None if the system does not say."""
    limits = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        limits += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        control = Path("/sys/fs/cgroup")
        limit, used = (control / "memory.max").read_text(), (control / "memory.current").read_text()
        if limit.strip() != "max":
            limits.append(int(limit) - int(used))
    except (OSError, ValueError):
        pass
    if limits:
        return min(limits)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def readable(size: float) -> str:
    """A number of bytes as text, such as ``"1.5 GiB"``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.3g} EiB"
