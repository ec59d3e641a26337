"""The tests: a folder for each room of the package, one for its pages, one for the project, and what they share."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
