"""Makes Specs from saved models and files of weights: configs and names are read; nothing is unpacked or run."""
