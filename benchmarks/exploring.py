"""The time of the explorer from a key press to the answer."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.pairs import Row, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

_EACH = 10  # presses in a round
_LOOK_S = 0.0005


def exploring(rounds: int) -> list[Row]:
    """The explorer.

    The time from a press of the space key on the switch `return_state` of `LSTM(8)` to the prediction in the tabs, and
    to the result of the real layer, from a second process in which TensorFlow is loaded; driven by Textual's pilot.
    """
    theory, verified = asyncio.run(_pressed(rounds * _EACH))
    return [
        Row("key to theory", "nothing", "s", theory, (), (Target("ours", "≤", 0.030),)),
        Row("key to verified", "nothing", "s", verified, (), (Target("ours", "≤", 0.100),)),
    ]


async def _pressed(presses: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    from rnnshape.explorer.answer import Answer
    from rnnshape.explorer.app import Explorer
    from rnnshape.explorer.steps import History, read
    from rnnshape.explorer.verifier import Verifier
    from rnnshape.render.marks import UNICODE

    app = Explorer(History(read("LSTM(8)", {})), opened=_unopened, marks=UNICODE, verifier=Verifier)
    theory, verified = [], []
    async with app.run_test(size=(80, 24)) as pilot:
        answer = app.query_one(Answer)

        def seen() -> bool:
            return answer.report is not None and answer.report.observed is not None

        await _until(seen)
        app.query_one("#at-return_state").focus()
        await pilot.pause()
        for _ in range(presses):
            before = answer.report
            began = perf_counter()
            press = asyncio.create_task(pilot.press("space"))
            await _until(partial(_follows, answer, before))
            theory.append(perf_counter() - began)
            await _until(seen)
            verified.append(perf_counter() - began)
            await press
            await pilot.pause()
    return tuple(theory), tuple(verified)


def _follows(answer: Any, before: Any) -> bool:
    """Whether the shown answer is another than before."""
    return answer.report is not before


async def _until(there: Callable[[], bool]) -> None:
    while not there():
        await asyncio.sleep(_LOOK_S)


@contextlib.contextmanager
def _unopened(path: str) -> Iterator[TextIO]:
    raise OSError(path)
    yield
