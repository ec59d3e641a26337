"""The command line.  It holds no knowledge of RNNs: commands and options come from the tables."""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress

from rnnshape.cli.signals import at_once

# These have something to do at the end: workers to stop, shared memory to give back.
_END_THEMSELVES = frozenset({"tensorflow", "multiprocessing"})


def command() -> None:
    """The command of the shell: ``main``, and the end of its process.

    Python takes its modules down one by one, which costs a tenth of a prediction's time.  Where nothing waits for
    that, the process ends at once, as that of mypy does.
    """
    try:
        main()
    except SystemExit as ending:
        plain = _END_THEMSELVES.isdisjoint(sys.modules) and threading.active_count() == 1
        if plain and isinstance(ending.code, int):
            with suppress(OSError, ValueError):  # a stream is closed: Python says so at its end
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(ending.code)
        raise


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Python looks for garbage every 700 new objects.  An import makes many, nearly all of them for good: the looks
    # cost a tenth of a prediction's time in the shell.
    gc.set_threshold(50_000)
    with at_once():  # Ctrl-C while the modules are loaded
        from rnnshape.cli.app import main as run
    run()
