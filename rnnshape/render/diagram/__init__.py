"""The diagram of a layer unrolled over time: input below, outputs above, states from step to step."""

from rnnshape.render.diagram.picture import Diagram, picture_of

__all__ = ["Diagram", "picture_of"]
