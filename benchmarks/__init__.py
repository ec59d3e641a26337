"""The cost of rnnshape, as ratios: ``python -m benchmarks``.

A time depends on the machine as much as on the program.  So everything is measured against what a person would do
without rnnshape, both sides interleaved in one run; the result is the ratio.
"""
