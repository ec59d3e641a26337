"""``python -m rnnshape``."""

from rnnshape.cli import command

if __name__ == "__main__":
    command()
