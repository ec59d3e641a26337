"""``python -m rnnshape``."""

from rnnshape.cli import main

if __name__ == "__main__":
    main()
