"""Code as it was copied: without the prompts, results, magics and fences that stand around it where it comes from.

>>> as_copied(">>> layer = LSTM(8)\\n>>> layer\\n<LSTM name=lstm>")
'layer = LSTM(8)\\nlayer'
>>> as_copied("%time y = LSTM(8)(x)")
'y = LSTM(8)(x)'

What is Python as it stands is left as it is.
"""

from __future__ import annotations

import ast
import re
import warnings
from textwrap import dedent

# The prompts of Python and IPython, and those of the lines that go on.
_PROMPT = re.compile(r"^(?:>>> ?|\.\.\. ?|In \[\d+\]: ?|[ ]+\.\.\.: ?)", re.MULTILINE)
_FENCE = re.compile(r"^\s*(?:```|~~~).*$\n?", re.MULTILINE)
# What IPython takes and Python does not: %magic, !command, name = %magic or !command, help with ?.
_MAGIC = re.compile(r"^(\s*)(?:[%!].*|[\w.]+\?\??\s*|\?\??[\w.]+\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w., ]+?=\s*)[%!].*$")
# A magic that runs the statement behind it.
_RUNNING = re.compile(r"^(\s*)%(?:time|timeit|prun)\s+(?=[^\s-])")


def as_copied(text: str) -> str:
    """The text without prompts, a common indent and blanks around it."""
    text = _without_prompts(text)
    if "```" in text or "~~~" in text:
        text = _or(_FENCE.sub("", text), text)
    text = _dedented(text)
    if len(text) > 2 and text[0] == text[-1] == "`":
        text = text.strip("`")
    return text if is_python(text) else _or("\n".join(map(without_magic, text.split("\n"))).strip(), text)


def without_magic(line: str) -> str:
    """A line of IPython as one of Python."""
    line = _RUNNING.sub(r"\1", line)
    return _ASSIGNED.sub(r"\1None", _MAGIC.sub(r"\1pass", line))


def is_python(text: str) -> bool:
    """Whether the text can be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _without_prompts(text: str) -> str:
    """The lines behind prompts; those without one are results, unless a statement goes on in them."""
    if not _PROMPT.match(text.lstrip()):
        return text
    lines = text.strip().split("\n")
    said = "\n".join(_PROMPT.sub("", line) for line in lines if _PROMPT.match(line))
    return _or(said, _PROMPT.sub("", text.strip()))


def _or(text: str, otherwise: str) -> str:
    """The text if that is Python."""
    return text if is_python(_dedented(text)) else otherwise


def _dedented(text: str) -> str:
    first, newline, rest = text.strip("\n").partition("\n")
    if not newline:
        return text.strip()
    # The first line of what was selected may have lost its indent.
    if first[:1].isspace():
        return dedent(text).strip()
    if first.rstrip().endswith((":", ",", "(", "[", "{")):
        return text.strip()
    return f"{first}\n{dedent(rest)}".strip()
