"""Code as it looks where it is copied from: a page, a letter, a diff, a notebook, Python 2; it is the same code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rnnshape.errors import Invalid
from rnnshape.reading import make_all
from rnnshape.reading.code.copied import as_copied

if TYPE_CHECKING:
    from collections.abc import Callable

CODE = """\
def build(units=3):
    model = Sequential()
    model.add(LSTM(units, return_sequences=True, name='it'))

    model.add(GRU(2))
    return model"""
LINES = CODE.split("\n")


def _each(before: str, behind: str = "") -> str:
    return "\n".join(f"{before}{line}{behind}" for line in LINES)


WAYS: dict[str, str] = {
    "as it is": CODE,
    "indented": _each("    "),
    "carriage returns": CODE.replace("\n", "\r\n"),
    "blanks that do not break": CODE.replace(" ", "\u00a0"),
    "a character without width": CODE.replace("GRU(", "GRU\u200b("),
    "round quotes": CODE.replace("'it'", "\u2018it\u2019"),
    "round double quotes": CODE.replace("'it'", "\u201cit\u201d"),
    "wide brackets": CODE.replace("(", "\uff08").replace(",", "\uff0c").replace("=", "\uff1d"),
    "all of that": CODE.replace(" ", "\u00a0").replace("'it'", "\u2018it\u2019").replace("GRU(", "GRU\u200b("),
    "numbers": "\n".join(f"{number} {line}" for number, line in enumerate(LINES, 1)),
    "numbers on the right": "\n".join(f"{number:>3}\t{line}" for number, line in enumerate(LINES, 8)),
    "numbers and colons": "\n".join(f"{number}: {line}" for number, line in enumerate(LINES, 98)),
    "numbers above": "\n".join(map(str, range(1, 7))) + "\n" + CODE,
    "numbers and round quotes": "\n".join(
        f"{number} {line}" for number, line in enumerate(CODE.replace("'it'", "\u2018it\u2019").split("\n"), 1)
    ),
    "quoted": _each("> "),
    "a diff that adds": _each("+"),
    "a hunk": "@@ -1,5 +1,6 @@\n" + _each(" ").replace("     model.add(G", "-    model.add(LSTM(9))\n+    model.add(G"),
    "a whole diff": "diff --git a/m.py b/m.py\nindex 1a2..3b4 100644\n--- a/m.py\n+++ b/m.py\n@@ -0,0 +1,6 @@\n"
    + _each("+"),
    "a cell": f"In [3]:\n{CODE}",
    "a cell of Jupyter": f"[12]:\n{CODE}\nOut[12]: <Sequential>",
    "a cell that was not run": f"In [ ]:\n{CODE}",
    "IPython": "In [1]: " + CODE.replace("\n", "\n   ...: ") + "\n\nOut[1]: None",
    "a fence": f"```python\n{CODE}\n```",
    "a page": f"# It's a model\n\n```bash\npip install keras\nLSTM(9)\n```\nIts code:\n\n```python\n{CODE}\n```\nThat's all.",
    "an issue": f"I don't get it :(\n```\n{CODE}\n```\ngives\n```\nTraceback (most recent call last):\n  ...\n```\n",
    "blocks of an issue": "My layer's:\n~~~ py\n"
    + CODE.replace("\n\n", "\n")
    + "\n~~~\nand\n```\n>>> build()\n<Sequential>\n```\nisn't it?",
    "with what fit prints": f"{CODE}\nUsing TensorFlow backend.\nEpoch 1/2\n32/32 [=====] - 1s - loss: 0.3\n<History object at 0x1>\n"
    "ValueError: Input 0 of layer lstm is incompatible",
    "with a summary": CODE
    + '\n\nModel: "sequential"\n'
    + "_" * 30
    + "\nLayer (type)    Output Shape    Param #   \n"
    + "=" * 30
    + "\nlstm (LSTM)     (None, 2)     1,024\n Total params: 1,024 (4.00 KB)",
    "a summary of Keras 3": f"{CODE}\n\u250f\u2501\u2513\n\u2502 lstm (LSTM) \u2502 (None, 2) \u2502\n\u2514\u2500\u2518",
    "cells with results": f"In [1]:\nimport keras\n\nUsing TensorFlow backend.\n\nIn [2]:\n{CODE}\nOut[2]:\n<Sequential name=m>",
    "a magic over lines": f"!pip install \\\n  keras\n{CODE}",
    "print of Python 2": CODE.replace("    return", "    print 'built', units\n    return"),
    "print of Python 2 over lines": CODE.replace(
        "    return", "    print 'built %s' % (units,\n        2)\n    return"
    ),
    "a traceback": f'{CODE}\nTraceback (most recent call last):\n  File "m.py", line 4, in <module>\n    GRU(9)(y)\n'
    "ValueError: Input 0 is incompatible\n",
    "a traceback of IPython": CODE
    + "\n---------------------------------------\nValueError   Traceback (most recent call last)\n"
    "<ipython-input-2-1248> in <module>()\n----> 5 model.add(GRU(9))\n\nValueError: Input 0 is incompatible",
    "sentences": f"Hi, I have a model:\n\n{CODE}\n\nWhat does it return? I don't know.",
    "a block of sentences": f"```\nThis is no code.\nIt is what I think:\n```\n\n```python\n{CODE}\n```\n",
    "sentences around indented code": "I have a model to work with:\n\n"
    + _each("    ")
    + "\n\nBut when I call it, I don't see why it's wrong.\n\n    x = 3\n",
    "unequal in Python 2": f"quote = '\u2019'\nif quote <> 'x':\n    print quote\n{CODE}",
    "a function in several blocks": "It starts:\n```python\n"
    + CODE.replace("\n", "\n```\nand goes on:\n```python\n", 3)
    + "\n```\n",
    "entities of a page": CODE.replace("'", "&#39;").replace("=", "&#61;"),
    "short sentences": f"The model:\n{CODE}\n\nand the output:\n...\nThis gives error:\n`TypeError: ('Bad input', 3)`",
    "lines in backticks": "\n".join(f"`{line}`" if line else "" for line in LINES),
    "a backtick that stays open": f"`\n{CODE}",
    "a comment in backticks": f"`# My model:`\n{CODE}",
    "prompts in a fence that stays open": "```python\n>>> " + CODE.replace("\n", "\n... ") + "\nUsing Theano backend.",
    "printed tensors": f"{CODE}\n[<KerasTensor: shape=(None, 3) (created by layer 'it')>,\n <KerasTensor: shape=(2,)>]",
    "a traceback without its end": f"{CODE}\n\n------ The error ------\nTraceback (most recent call last):\n"
    '  File "model.py", line 4, in <module>\n    model.add(LSTM(9))\n  File "/lib/keras.py", line 441, in __call__',
    "a traceback of IPython that is cut": f"{CODE}\n\nValueError        Traceback (most recent call last)\n<ipython-input-2-a1> in <module>()\n"
    "      3 \n----> 4 model.add(LSTM(9))\n      5 model.add(GRU(9))\n\n/usr/lib/keras/models.pyc in add(self, layer)\n"
    "    330         output_shapes=[self.outputs[0]._keras_shape])",
    "code without prompts beside a cell": f"In [12]: weights[0].shape\nOut[12]: (30, 40)\n{CODE}",
    "except of Python 2": f"try:\n    import keras\nexcept ImportError, error:\n    raise error, 'none'\n{CODE}",
}


@pytest.mark.parametrize("way", WAYS)
def test_where_it_was_copied_from_changes_nothing(way: str) -> None:
    (spec,) = make_all(WAYS[way], {})
    assert spec.layer.text == "LSTM(3, return_sequences=True, name='it') | GRU(2)"


@pytest.mark.parametrize(
    "text", ["I have a question.", "I have a question.\n\nWhat does it return?\n", "a b c", "\n \n"]
)
def test_text_without_code_is_an_error(text: str) -> None:
    with pytest.raises(Invalid):
        make_all(text, {})


@pytest.mark.parametrize(
    "wrong", ["m = LSTM(8", "model add LSTM(8)", "if the cell = LSTM(8)", "x == LSTM 8", "y = LSTM(8) is what I have"]
)
def test_a_mistake_between_sentences_stays_one(wrong: str) -> None:
    with pytest.raises(Invalid, match="invalid Python"):
        make_all(f"This is my model:\n\n{wrong}\ny = GRU(3)\n\nWhat is wrong here?", {})


def test_an_indent_without_a_block_has_no_meaning() -> None:
    (spec,) = make_all(
        "     m = Sequential()\n    m.add(LSTM(8,\n              name='it'))\n      m.add(Dense(2))\n", {}
    )
    assert spec.layer.text == "LSTM(8, name='it') | Dense(2)"


@pytest.mark.parametrize(
    "sentence", ["I use this model", "I use this model:", "This gives an error (see below)", "My code:"]
)
def test_the_line_behind_a_sentence_is_kept(sentence: str) -> None:
    assert as_copied(f"{sentence}\nx = LSTM(8)\n{sentence}\ny = GRU(2)").split() == [
        "x",
        "=",
        "LSTM(8)",
        "y",
        "=",
        "GRU(2)",
    ]


def test_a_long_string_among_sentences_is_not_code() -> None:
    told = "    it is told: at length\n" * 60
    code = f'def build():\n    """{told}    """\n    return LSTM(3)'
    specs = make_all(f"The model:\n{code}\nThe other:\nm = GRU(2)", {})
    assert {spec.layer.text for spec in specs} == {"LSTM(3)", "GRU(2)"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = LSTM(8 4)\nThe model:\ny = GRU(2)", "forgot a comma"),
        ('The model:\n"""\nx = LSTM(8)\ny = GRU(2)', "unterminated triple-quoted"),
        ("for i in range(3):\nm.add(LSTM(8))\nThe output:", "expected an indented block"),
    ],
)
def test_the_first_mistake_in_code_is_the_error(text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        make_all(text, {})


def test_the_error_among_sentences_is_that_of_the_code() -> None:
    with pytest.raises(Invalid, match=r"'\(' was never closed"):
        make_all("    m = Sequential()\n    m.add(LSTM(8)\n    m.add(Dense(1))\n\nAny ideas?", {})


@pytest.mark.parametrize(
    "change",
    [
        lambda line: f"+    model.add({line})",
        lambda line: f"* `{line}`",
        lambda line: f"\u2022 {line}",
        lambda line: f"\u201c{line}\u201d".strip("\u201c\u201d"),
        lambda line: f"In [7]: {line}",
    ],
)
def test_a_line_alone(change: Callable[[str], str]) -> None:
    (spec,) = make_all(change("LSTM(8, return_state=True)"), {})
    assert spec.layer.text == "LSTM(8, return_state=True)"


@pytest.mark.parametrize(
    "code",
    [
        "name = 'a\u00a0b\u2019s'\nx = LSTM(8)",
        "x = (LSTM(3)(x)\n+ LSTM(3)(x))",
        "-x\n+y",
        "1\n2",
        "print(LSTM(8))",
        "x = {1: 2,\n2: 3}",
        "[3]",
    ],
)
def test_what_is_python_stays_as_it_is(code: str) -> None:
    assert as_copied(code) == code
