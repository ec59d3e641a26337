"""Many questions at once: files of runs, read, checked and answered.

``source`` and ``places`` read a file into plain data and know the place of every key and value.
"""
