"""What rnnshape costs, as ratios: ``python -m benchmarks``.

A time says as much about the machine as about the program.  So everything here is measured against
what a person would do without rnnshape, both sides in turn in one run, and the ratio is what counts.
"""
