"""The lab: the one room that imports TensorFlow, inside functions, when a real layer is wanted."""

from rnnshape.lab.observe import Observation, observe

__all__ = ["Observation", "observe"]
