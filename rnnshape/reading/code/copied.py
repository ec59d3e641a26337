"""Removes what is copied along with code: prompts, results, tracebacks, sentences, magics, fences, line numbers.

>>> as_copied(">>> layer = LSTM(8)\\n>>> layer\\n<LSTM name=lstm>")
'layer = LSTM(8)\\nlayer'
>>> as_copied("%time y = LSTM(8)(x)")
'y = LSTM(8)(x)'

Text that is valid Python is not changed.
"""

from __future__ import annotations

import ast
import html
import keyword
import re
import warnings
from textwrap import dedent
from typing import TYPE_CHECKING

from rnnshape.reading.code.prose import code_in, fails_at_prose, flat, has_code

if TYPE_CHECKING:
    from collections.abc import Iterator

# The prompts of Python and IPython, also on continuation lines.
_PROMPT = re.compile(r"^(?:>>> ?|\.\.\. ?|In \[\d+\]: ?|[ ]+\.\.\.: ?)", re.MULTILINE)
# A notebook's prompts: on a line of its own above the code, and in front of a result.
_CELL = re.compile(r"^[ \t]*(?:In ?)?\[[\d *]*\]:[ \t]*(?:\n|\Z)", re.MULTILINE)
# What Keras prints: the table of model.summary(), the progress of fit, objects, warnings and errors.
_PRINTED = re.compile(
    r"^[ \t]*(?:[_=-]{9,}|[\u2500-\u257f].*|Model: \".*|Layer \(type\).*|\w[\w.]* \(\w+\) {2,}.*\d|[\w-]+ params: .*"
    r"|Epoch \d+/\d+|\d+/\d+ [\[\u2501].*|Train on \d+ samples.*|Using \w+ backend\.|\[?<[\w.]+:? .*>[\],]*"
    r"|[\w.]+(?:Error|Warning): .*)"
    r"[ \t]*$\n?",
    re.MULTILINE,
)
_TRACEBACK = re.compile(
    r"^[ \t]*(?:[\w.]+[ \t]+)?Traceback \(most recent call last\):?[ \t]*\n(?:.*\n){0,300}?"
    r"[ \t]*[\w.]+(?:Error|Exception|Interrupt)(?::.*)?(?:\n|\Z)",
    re.MULTILINE,
)
# A sentence between pieces of code: it begins with three words, and the first is not a word of Python.
_SENTENCE = re.compile(
    rf"^[ \t]*(?!(?:{'|'.join((*keyword.kwlist, 'print', 'exec'))})\b)[A-Za-z'\u2019-]+"
    r"(?:[,;:]?[ \t]+[A-Za-z'\u2019-]+){2,}(?:[,.;:!?) \t].*)?$",
    re.MULTILINE,
)
_RESULT = re.compile(r"^[ \t]*Out ?\[\d+\]:.*$\n?", re.MULTILINE)
_BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*(.*)\n((?s:.*?))^[ \t]*\1", re.MULTILINE)
_OF_PYTHON = re.compile(r"(?:\W*(?:i?python\d*|py\d*|pycon|jupyter|keras)\b.*)?", re.IGNORECASE)
_FENCE = re.compile(r"^\s*(?:```|~~~).*$\n?", re.MULTILINE)
# What only IPython accepts: %magic, !command, name = %magic or !command, help with ?.
_MAGIC = re.compile(r"^(\s*)(?:[%!].*|[\w.]+\?\??\s*|\?\??[\w.]+\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w., ]+?=\s*)[%!].*$")
# A magic that runs the statement after it.
_RUNNING = re.compile(r"^(\s*)%(?:time|timeit|prun)\s+(?=[^\s-])")
# Characters of word processors and web pages: special spaces, invisible characters, other quotes and signs.
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"), " ")
_NOTHING = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_QUOTES = {**dict.fromkeys(map(ord, "\u2018\u2019\u201a"), "'"), **dict.fromkeys(map(ord, "\u201c\u201d\u201e"), '"')}
_WIDE = {0xFEE0 + ord(sign): sign for sign in "()[]{},=:;.+-*/'\"_"}
INVISIBLE = {**_BLANKS, **_NOTHING}
_TYPESET = {**INVISIBLE, **_QUOTES, **_WIDE}
# What a page puts in front of every line: a line number, the mark of quoted mail or of a list.
_NUMBER = re.compile(r"[ \t]*(\d+)(?:[:.|)]?[ \t]|[:.|)]?$)")
_MARKS = (re.compile(r"> ?"), re.compile(r"[-*\u2022] "))
_HUNK = re.compile(r"@@ -\d|diff --git |index [0-9a-f]+\.\.|--- |\+\+\+ |new file mode |\\ No newline")


def as_copied(text: str) -> str:
    """The text without prompts, a common indent and blanks around it."""
    text = _without_diff(text)
    if (plain := text.translate(INVISIBLE)) != text and not is_python(_dedented(text)):
        text = _or(plain, text)
    if (code := _PRINTED.sub("", _TRACEBACK.sub("", text))) != text and not is_python(_dedented(text)):
        text = code
    text = _without_prompts(text)
    if "```" in text or "~~~" in text:
        bare = _FENCE.sub("", text)
        unfenced = (bare, _without_prompts(bare), _fenced(text))
        text = next((way for way in unfenced if way.strip() and is_python(_dedented(way))), text)
    text = _dedented(text)
    if len(text) > 2 and text[0] == text[-1] == "`" and "`" not in text.strip("`"):
        text = text.strip("`")
    if is_python(text):
        return text
    without = without_magics(text).strip()
    code = _dedented(_SENTENCE.sub("", without))
    ways = (without, *_ways(text), *_ways(without), code, *_ways(code))
    return next((way for way in ways if is_python(way)), None) or _among_prose(without)


def _among_prose(text: str) -> str:
    """The lines of code in a text; the text itself if they are not valid and its first mistake is in a line of code."""
    lines = _dedented(_SENTENCE.sub("", _PRINTED.sub("", code_in(text))))
    ways = (lines, *_ways(lines), flat(lines), *_ways(flat(lines)))
    return next((way for way in ways if is_python(way)), lines if has_code(lines) and fails_at_prose(text) else text)


def _fenced(text: str) -> str:
    """The blocks of Python of a page in Markdown; blocks in other languages and results are left out.

    All blocks of Python are read together, because a page may explain one function in several blocks.
    """
    blocks = [code for _, language, code in _BLOCK.findall(text) if _OF_PYTHON.fullmatch(language.strip())]
    whole = as_copied("\n".join(blocks))
    return whole if is_python(whole) else "\n".join(filter(is_python, map(as_copied, blocks)))


def _ways(text: str) -> Iterator[str]:
    """The text after each correction; each starts from the result of those before."""
    written = text
    for change in (html.unescape, _typed, _without_numbers, _without_marks, of_python_3):
        changed = change(text)
        if changed != text:
            text = _dedented(changed)
            yield text
    yield of_python_3(written)  # typographic quotes inside a string are not a mistake


def _typed(text: str) -> str:
    return text.translate(_TYPESET)


def _without_numbers(text: str) -> str:
    """The lines without their numbers, if each has one and they are consecutive."""
    lines = text.split("\n")
    found = [_NUMBER.match(line) for line in lines if line.strip()]
    numbers = [int(each[1]) for each in found if each is not None]
    if not numbers or len(numbers) < len(found) or numbers != [*range(numbers[0], numbers[0] + len(numbers))]:
        return text
    return "\n".join(_NUMBER.sub("", line, count=1) for line in lines)


def _without_marks(text: str) -> str:
    for mark in _MARKS:
        if all(mark.match(line) for line in text.split("\n") if line.strip()):
            lines = [mark.sub("", line, count=1) for line in text.split("\n")]
            return "\n".join(line.strip("`") for line in lines)
    return text


def _without_diff(text: str) -> str:
    """The new version of a diff: the lines that it adds or keeps."""
    lines = text.strip("\n").split("\n")
    written = [line for line in lines if line.strip() and not _HUNK.match(line)]
    if not any(line[0] == "+" for line in written) or any(line[0] not in "+- " for line in written):
        return text
    if len(written) == len(lines) and is_python(text) and any(line[0] != "+" for line in written):
        return text  # an expression over several lines
    after = "\n".join(line[1:] for line in lines if not _HUNK.match(line) and line[:1] != "-")
    return _or(after, text)


# Statements of Python 2 that have nothing to do with layers.
_EXCEPT = re.compile(r"^([ \t]*except[ \t]+[^:\n]+?),[ \t]*(\w+)[ \t]*:", re.MULTILINE)
_RAISE = re.compile(r"^([ \t]*raise[ \t]+[\w.]+),.*$", re.MULTILINE)
_EXEC = re.compile(r"^([ \t]*)exec[ \t]+[^(\s].*$", re.MULTILINE)


def of_python_3(text: str) -> str:
    """Replace statements of Python 2 that have no layers by those of Python 3."""
    text = _EXEC.sub(r"\1pass", _RAISE.sub(r"\1", _EXCEPT.sub(r"\1 as \2:", text))).replace("<>", "!=")
    lines = text.expandtabs(8).split("\n")
    made: list[str] = []
    while lines:
        line = lines.pop(0)
        if (found := re.match(r"([ \t]*)print\b(?![ \t]*[=.])", line)) is None:
            made.append(re.sub(r"(:[ \t]*)print\b[^(].*$", r"\1pass", line))
            continue
        # The statement continues while a bracket is open or after a backslash.  Empty lines keep the line numbers.
        goes_on = [found[1] + "pass"]
        while lines and (line.count("(") + line.count("[") > line.count(")") + line.count("]") or line.endswith("\\")):
            line += lines.pop(0)
            goes_on.append("")
        made += goes_on
    return "\n".join(made)


def without_magics(text: str) -> str:
    """Lines of IPython as Python; a magic goes on in the next line after a backslash."""
    made: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        run = _RUNNING.sub(r"\1", line)
        plain = "" if goes_on else _ASSIGNED.sub(r"\1None", _MAGIC.sub(r"\1pass", run))
        goes_on = plain != run and line.rstrip().endswith("\\")
        made.append(plain)
    return "\n".join(made)


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
    """The code after the prompts; lines without a prompt are results, unless the code is invalid without them."""
    if _CELL.match(text.lstrip("\n")):
        return _or(_CELL.sub("", _RESULT.sub("", text)), text)
    if not _PROMPT.match(text.lstrip()):
        return text
    lines = text.strip().split("\n")
    said = "\n".join(_PROMPT.sub("", line) for line in lines if _PROMPT.match(line))
    whole = _PROMPT.sub("", _RESULT.sub("", text).strip())
    return _or(said, whole) if has_code(said) else _or(whole, said)


def _or(text: str, otherwise: str) -> str:
    """The text if it is valid Python, else the other one."""
    return text if is_python(_dedented(text)) else otherwise


def _dedented(text: str) -> str:
    first, newline, rest = text.strip("\n").partition("\n")
    if not newline:
        return text.strip()
    # A selection often starts after the indent of its first line.
    if first[:1].isspace():
        return dedent(text).strip()
    if first.rstrip().endswith((":", ",", "(", "[", "{")):
        return text.strip()
    return f"{first}\n{dedent(rest)}".strip()
