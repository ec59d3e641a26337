"""The explorer: change a flag, see the answer change."""
