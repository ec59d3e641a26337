"""The lab: the one room that imports TensorFlow, inside functions, when a real layer is wanted."""

from rnnshape.lab.memory import require as require_memory
from rnnshape.lab.observe import Observation, observe

__all__ = ["Observation", "observe", "require_memory"]
