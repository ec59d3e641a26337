"""Saved models and files of weights to Specs: configs and names are read; nothing is unpacked, loaded or run."""
