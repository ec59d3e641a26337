"""The command line.  It holds no knowledge of RNNs: commands and options come from the tables."""

from __future__ import annotations

import gc

from rnnshape.cli.signals import at_once


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Python looks for garbage every 700 new objects.  An import makes many, nearly all of them for good: the looks
    # cost a tenth of a prediction's time in the shell.
    gc.set_threshold(50_000)
    with at_once():  # Ctrl-C while the modules are loaded
        from rnnshape.cli.app import main as run
    run()
