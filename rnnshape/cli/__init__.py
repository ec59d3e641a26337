"""The command line.  It holds no knowledge of RNNs: commands and options come from the tables."""

from __future__ import annotations

from rnnshape.cli.signals import at_once


def main() -> None:
    """Run the command line and leave with its exit code."""
    with at_once():  # Ctrl-C while the modules are loaded
        from rnnshape.cli.app import main as run
    run()
