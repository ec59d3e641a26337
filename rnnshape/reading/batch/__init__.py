"""Reads the runs of a batch: YAML files and JSON Lines to Specs, with the place of each mistake."""
