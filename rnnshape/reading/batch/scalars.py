"""The value of a plain YAML scalar, without quotes: a number, a boolean, null, or text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnshape.reading.places import Scalar

MAX_DIGITS = 1000
"""Python neither reads nor prints an integer with more than some thousands of digits."""

# The core rules of YAML 1.2 for plain text, without hexadecimal and octal; "011" is a mask and stays text.
_INT = re.compile(rf"[-+]?(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})")
_FLOAT = re.compile(r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_WORDS: dict[str, Scalar] = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
KINDS = {
    type(None): "nothing (null)",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a mapping",
}


def resolve(text: str) -> Scalar:
    """The value of plain text without quotes.

    >>> [resolve(text) for text in ("8", "1e-3", "true", "null", "no", "none", "011", "1_000", "1:30", "2H")]
    [8, 0.001, True, None, 'no', 'none', '011', '1_000', '1:30', '2H']
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
