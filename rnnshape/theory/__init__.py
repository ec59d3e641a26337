"""Theory: predicts answers by rules, in pure Python, without TensorFlow."""

from rnnshape.theory.cost import BYTES, Cost
from rnnshape.theory.predict import Prediction, Verdict, flow_by_rule, predict, weights_by_rule

__all__ = ["BYTES", "Cost", "Prediction", "Verdict", "flow_by_rule", "predict", "weights_by_rule"]
