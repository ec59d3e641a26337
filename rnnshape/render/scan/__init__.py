"""What a scan found, drawn: one small module a format, each with ``write(files, stream)``.

The files come as they are scanned; a format that is not written file by file waits for the last.
"""
