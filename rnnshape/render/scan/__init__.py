"""The output formats of a scan: one small module for each, with a function ``write(files, stream)``.

``files`` is lazy; a format either writes each file as it is scanned, or waits for the last one.
"""
