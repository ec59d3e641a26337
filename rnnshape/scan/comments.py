"""Comments for scan: ``# rnnshape: ignore[cudnn]``, and contracts at the end of a line, ``# -> (N, T, 2H)``."""

from __future__ import annotations

import io
import re
import tokenize
from contextlib import suppress
from dataclasses import dataclass, field

from rnnshape.scan.codes import chosen

_IGNORE = re.compile(r"#\s*rnnshape:\s*ignore(?:\[([\w\s,-]*)\])?")
_CONTRACT = re.compile(r"#\s*->\s*(\(.*\)|\[.*\])\s*$")


@dataclass(slots=True)
class Comments:
    """By line number: the ignored codes (empty: all), and the contract."""

    ignored: dict[int, tuple[str, ...]] = field(default_factory=dict)
    contracts: dict[int, str] = field(default_factory=dict)

    def ignores(self, code: str, lines: range) -> bool:
        """Whether one of these lines ignores the code."""
        given = (self.ignored.get(line) for line in lines)
        return any(words is not None and (not words or chosen(code, words)) for words in given)


def comments_of(text: str) -> Comments:
    """The comments for scan in a file.

    >>> found = comments_of("x = f()  # rnnshape: ignore[cudnn, rank]\\ny = g()  # -> (N, T, 2H)")
    >>> found.ignored, found.contracts
    ({1: ('cudnn', 'rank')}, {2: '(N, T, 2H)'})
    """
    found = Comments()
    if "rnnshape:" not in text and "->" not in text:
        return found
    with suppress(tokenize.TokenError, SyntaxError):  # the reader reports invalid Python
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT:
                continue
            if (ignore := _IGNORE.search(token.string)) is not None:
                words = tuple(word.strip() for word in (ignore[1] or "").split(",") if word.strip())
                found.ignored[token.start[0]] = words
            if (contract := _CONTRACT.match(token.string)) is not None:
                found.contracts[token.start[0]] = contract[1]
    return found
