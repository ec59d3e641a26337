"""Refuse what cannot fit before anything is allocated: an out-of-memory kill explains nothing."""

from __future__ import annotations

import os
from pathlib import Path

from rnnshape.errors import Unavailable

# Where TensorFlow has been loaded so much is left; asking the system takes longer than theory does.
_ALWAYS_FITS = 2**26


def require(needed: int, what: str, way_out: str) -> None:
    """Check that ``what``, of this many bytes altogether, fits into the memory that is free.

    Raises:
        Unavailable: it does not, with the estimate and the ``way_out``.
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
    """The bytes that a process can still take, or None where the system does not say."""
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
    """``"1.5 GiB"``: a number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.3g} EiB"
