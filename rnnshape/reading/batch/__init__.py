"""The runs of a batch: YAML files and JSON Lines to Specs, and where each mistake stands in them."""
