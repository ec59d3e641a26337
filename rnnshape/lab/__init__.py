"""The lab: the only room that imports TensorFlow, inside functions, when a real layer is needed."""

from rnnshape.lab.observe import Observation, observe

__all__ = ["Observation", "observe"]
