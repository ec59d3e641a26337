"""A layer drawn unrolled over time: what goes in below, what comes out above, the states from step to step."""

from rnnshape.render.diagram.picture import Diagram, picture_of

__all__ = ["Diagram", "picture_of"]
