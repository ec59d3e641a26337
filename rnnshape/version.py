"""The version, where everybody takes it from: the package, the wheel, the answers."""

__version__ = "0.1.0"
