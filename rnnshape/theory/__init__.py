"""Theory: the answer from rules alone, in pure Python, without TensorFlow."""

from rnnshape.theory.predict import Prediction, Verdict, predict

__all__ = ["Prediction", "Verdict", "predict"]
