"""Reads layers from Python source: pasted lines, programs, notebooks.  Nothing is evaluated."""
