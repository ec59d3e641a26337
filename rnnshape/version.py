"""The version of the package, the wheel and the answers."""

__version__ = "0.1.0"
