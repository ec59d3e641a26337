"""The command line.  It holds no knowledge of RNNs: commands and options come from the tables."""

from rnnshape.cli.app import main

__all__ = ["main"]
