"""Whole files: find the layers, say what will go wrong.  Read, never run.

>>> from rnnshape.scan.one import scan_text
>>> from rnnshape.scan.texts import Text
>>> code = "from keras import layers\\nx = layers.Bidirectional(layers.LSTMCell(8))\\n"
>>> [(finding.code, finding.line) for finding in scan_text(Text("model.py", code)).findings]
[('cell', 2)]
"""
