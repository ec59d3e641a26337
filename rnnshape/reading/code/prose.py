"""Keeps the lines of Python in a text that has sentences, results or tracebacks between them.

>>> code_in("This gives an error:\\nlayer = LSTM(8)\\nand the output:")
'\\nlayer = LSTM(8)\\n'

A line is removed if it is not Python and has neither a call nor an equals sign.  A broken line of code stays, so the
reader reports it.
"""

from __future__ import annotations

import ast
import re
import warnings

# What may stand around a line in Markdown, and lines that only say that something is left out.
_MARKED = re.compile(r"^[ \t]*(`|\*\*)(?!\1)(.+)\1[ \t]*$", re.MULTILINE)
_ALONE = re.compile(r"^(?:[ \t]*`+\w*|\.{3}|\u2026|\[\.{3}\])[ \t]*$", re.MULTILINE)
# The frames of a traceback of Python, and of IPython: there each line of code has a number, and one has an arrow.
_FRAME = re.compile(
    r'^[ \t]*File "[^"\n]+", line \d+.*(?:\n[ \t]+\S.*)?$'
    r"|^[ \t]*(?:<ipython-input-\S+|(?:[~/]|[A-Za-z]:\\)\S+) in .*$",
    re.MULTILINE,
)
_ARROW = re.compile(r"^[ \t]*-+> ?\d+(?: .*)?$", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*\d+(?: .*)?$", re.MULTILINE)
_CODE = re.compile(r"[\w\])]\(|=")
# The errors of Python for a statement that goes on in the next line.
_STRING = "unterminated triple-quoted"
_OPEN = ("was never closed", _STRING, "unexpected EOF")
_MOST_LINES, _LONGEST = 1000, 40


def code_in(text: str) -> str:
    """The text with empty lines in place of those that are not code.

    It is the whole text if it is too long, or if a string of several lines does not end.
    """
    text = _MARKED.sub(r"\2", _ALONE.sub("", text))
    if _ARROW.search(text):
        text = _NUMBERED.sub("", _ARROW.sub("", text))
    lines = _FRAME.sub("", text).split("\n")
    made: list[str] = []
    while len(made) < len(lines) <= _MOST_LINES:
        rest = lines[len(made) :]
        if (count := _statement(rest)) is None:
            return text
        if count:
            made += rest[:count]
        else:
            made.append(rest[0] if has_code(rest[0]) else "")
    return "\n".join(made) or text


def has_code(text: str) -> bool:
    """Whether the text has a call or an equals sign."""
    return _CODE.search(text) is not None


def fails_at_prose(text: str) -> bool:
    """Whether the first syntax error is at a line without code, or at the indent of the second line.

    The first line of a selection may have lost its indent.
    """
    error = _error(text)
    if error is None:
        return False
    lines = [*text.split("\n"), ""]
    at = min((error.lineno or 1) - 1, len(lines) - 1)
    second = error.msg == "unexpected indent" and not "".join(lines[1:at]).strip()
    return second or not has_code(lines[at])


def flat(text: str) -> str:
    """The lines without indents, if no line begins a block: then an indent has no meaning."""
    lines = text.split("\n")
    return text if any(line.rstrip().endswith(":") for line in lines) else "\n".join(map(str.lstrip, lines))


def _statement(lines: list[str]) -> int | None:
    """The number of lines of the statement, or of the first line of the block, that begins here; 0 if it is neither.

    None if a string of several lines does not end: then it is unknown what is in it.
    """
    error: SyntaxError | None = None
    for count in range(1, len(lines) + 1):
        said = "\n".join(lines[:count]).strip()
        body = f"{said}\n    pass"
        error = _error(said)
        ways = (body, f"if x:\n    pass\n{body}", f"try:\n    pass\n{body}", f"{said}\ndef f():\n    pass")
        if error is None or (not _is_open(error) and any(_error(way) is None for way in ways)):
            return count
        if not _is_open(error) or (count >= _LONGEST and _STRING not in error.msg):
            return 0
    return None if error is not None and _STRING in error.msg else 0


def _error(text: str) -> SyntaxError | None:
    """The syntax error; None without one, also if the text is nested too deeply for Python to tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def _is_open(error: SyntaxError) -> bool:
    return any(said in error.msg for said in _OPEN)
