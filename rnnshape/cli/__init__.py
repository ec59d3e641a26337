"""The command line.  Its commands and options are made from the tables; it has no code about RNNs."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress

from rnnshape.cli.signals import at_once

# Modules with exit handlers that must run: they stop workers and free shared memory.
_END_THEMSELVES = frozenset({"tensorflow", "multiprocessing"})


def command() -> None:
    """The console script: run ``main`` and exit the process.

    Python's normal shutdown takes a tenth of a prediction's time.  If no exit handler is needed, the process ends
    with ``os._exit``, as mypy does.
    """
    try:
        main()
    except SystemExit as ending:
        plain = _END_THEMSELVES.isdisjoint(sys.modules) and threading.active_count() == 1
        if plain and isinstance(ending.code, int):
            with suppress(OSError, ValueError):  # a stream is closed: let Python report it
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(ending.code)
        raise


def main() -> None:
    """Run the command line and leave with its exit code."""
    # By default Python collects garbage every 700 new objects.  Imports create many objects that stay alive, and
    # these collections cost a tenth of a prediction's time.
    gc.set_threshold(50_000)
    with at_once():  # for Ctrl-C while modules are imported
        from rnnshape.cli.app import main as run
    run()
