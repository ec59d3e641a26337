"""The explorer, driven by Textual's pilot; the tests read the screen."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rnnshape.errors import Internal
from rnnshape.explorer.app import Explorer
from rnnshape.explorer.controls import Controls
from rnnshape.explorer.steps import History, read
from rnnshape.explorer.verifier import Verifier
from rnnshape.render.marks import UNICODE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import TextIO

    from textual.pilot import Pilot

NARROW, WIDE = (80, 24), (140, 40)


@contextlib.contextmanager
def opened(path: str) -> Iterator[TextIO]:
    with Path(path).open("w", encoding="utf-8") as stream:
        yield stream


def seen(app: Explorer) -> str:
    """The text of the screen, without the time of the prediction."""
    import re

    strips = app.screen._compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"
    return re.sub(r"theory in [\d.]+ ms", "theory in 1.0 ms", text)


def drive(
    session: Callable[[Pilot[int]], Awaitable[None]],
    text: str = "LSTM(8)",
    *,
    size: tuple[int, int] = WIDE,
    verifier: type[Verifier] | None = None,
    **options: Any,
) -> None:
    app = Explorer(History(read(text, options)), opened=opened, marks=UNICODE, verifier=verifier)

    async def driven() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await session(pilot)

    asyncio.run(driven())


async def press(pilot: Pilot[int], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    await pilot.pause()  # a dialog is filled after it opens
    return seen(pilot.app)  # type: ignore[arg-type]


def told(pilot: Pilot[int]) -> str:
    """The notifications of the explorer."""
    return "\n".join(one.message for one in pilot.app._notifications)


async def focus(pilot: Pilot[int], key: str) -> None:
    pilot.app.query_one(f"#{key}").focus()
    await pilot.pause()


def test_a_switch_changes_the_expression_and_the_answer() -> None:
    async def session(pilot: Pilot[int]) -> None:
        await focus(pilot, "at-return_state")
        text = await press(pilot, "space")
        assert " LSTM(8, return_state=True)" in text
        assert "return_state: Also return the final state." in text
        for role in ("state_h", "state_c"):
            assert f"{role} is new" in text
        assert "equalities*" in text
        assert "LSTM(8)\n" in await press(pilot, "ctrl+z")
        assert "return_state=True" in await press(pilot, "ctrl+y")

    drive(session)


@pytest.mark.slow
def test_the_text_changes_the_switches() -> None:
    async def session(pilot: Pilot[int]) -> None:
        text = await press(pilot, "left", *", return_sequences=True")
        assert "LSTM(8, return_sequences=True)" in text
        assert "▐X▌ return_sequences" in text
        assert "(2, 3, 8)" in text

    drive(session)


@pytest.mark.slow
def test_one_piece_of_typing_is_one_step() -> None:
    async def session(pilot: Pilot[int]) -> None:
        await press(pilot, "left", *", return_sequences=True")
        assert " LSTM(8)\n" in await press(pilot, "ctrl+z")

    drive(session)


def test_a_mistake_has_a_caret_and_the_last_answer_stays() -> None:
    async def session(pilot: Pilot[int]) -> None:
        lines = (await press(pilot, "left", *", unit=3")).splitlines()
        (at,) = [number for number, line in enumerate(lines) if "^~" in line]
        assert lines[at - 1][lines[at].index("^") :].startswith("unit")
        assert "did you mean 'units'?" in lines[at + 1]
        assert any("the last answer until the expression is right" in line for line in lines)
        assert any("(2, 8)" in line for line in lines)

    drive(session)


@pytest.mark.slow
def test_wrap_changes_both_ways_and_keeps_the_focus() -> None:
    async def session(pilot: Pilot[int]) -> None:
        await focus(pilot, "at-return_state")
        text = await press(pilot, "f2")
        assert "Bidirectional(LSTM(8))" in text
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "at-layer-return_state"
        assert "Bidirectional(LSTM(8, return_state=True))" in await press(pilot, "space")
        assert " LSTM(8, return_state=True)\n" in await press(pilot, "f2")

    drive(session)


def test_a_step_of_the_mask_is_switched_by_key_and_by_click() -> None:
    async def session(pilot: Pilot[int]) -> None:
        pilot.app.query_one("MaskGrid").focus()
        await pilot.pause()
        text = await press(pilot, "right", "right", "space", "f8", "f8", "f8")
        assert "mask 0  1 1 0" in text
        assert "Mask by time step" in text
        await pilot.click("MaskGrid", offset=(8, 1))
        await pilot.pause()
        assert "     1  0 1 1" in seen(pilot.app)  # type: ignore[arg-type]

    drive(session)


def test_an_invalid_number_is_an_error_and_changes_nothing() -> None:
    async def session(pilot: Pilot[int]) -> None:
        await focus(pilot, "at-units")
        text = await press(pilot, "end", "backspace", "0")
        assert "units must be a whole number, 1 or more" in text
        assert " LSTM(8)\n" in text
        assert " LSTM(16)\n" in await press(pilot, "backspace", "1", "6")

    drive(session)


@pytest.mark.slow
def test_a_class_is_chosen_and_a_layer_appended_and_removed() -> None:
    async def session(pilot: Pilot[int]) -> None:
        assert " GRU(8)\n" in await press(pilot, "f3", *"gru", "enter")
        assert " GRU(8) | Dense(8)\n" in await press(pilot, "f4", *"dense", "enter")
        assert " GRU(8)\n" in await press(pilot, "f9")
        assert " GRU(8)\n" in await press(pilot, "f4", "escape")

    drive(session)


def test_redo_goes_through_the_classic_walk() -> None:
    async def session(pilot: Pilot[int]) -> None:
        assert " LSTM(1)\n" in await press(pilot, "f7", "enter")
        assert " LSTM(1, return_state=True)\n" in await press(pilot, "ctrl+y")
        assert " LSTM(8)\n" in await press(pilot, "ctrl+z", "ctrl+z")

    drive(session)


def test_copied_text_is_in_the_clipboard() -> None:
    async def session(pilot: Pilot[int]) -> None:
        assert "rnnshape show 'LSTM(8)' --mask '111;110'" in await press(pilot, "f5")
        await press(pilot, "enter")
        assert pilot.app.clipboard == "rnnshape show 'LSTM(8)' --mask '111;110'"
        await press(pilot, "f5", "down", "down", "enter")
        assert pilot.app.clipboard.startswith("import tensorflow as tf")

    drive(session, mask="111;110")


@pytest.mark.slow
def test_the_answer_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def session(pilot: Pilot[int]) -> None:
        await press(pilot, "f6", "enter")
        await press(pilot, "f6", *"rnnshape.html", "enter")
        await press(pilot, "f6", "x", "enter")
        assert "x: the extension must be" in told(pilot)

    drive(session)
    assert "<svg" in (tmp_path / "rnnshape.svg").read_text(encoding="utf-8")
    assert "<html" in (tmp_path / "rnnshape.html").read_text(encoding="utf-8")


def test_an_option_that_does_not_apply_is_reported() -> None:
    async def session(pilot: Pilot[int]) -> None:
        assert "time is ignored: does not apply here: LSTMCell takes (N, C)" in seen(pilot.app)  # type: ignore[arg-type]

    drive(session, "LSTMCell(8)", time=5)


def test_wired_calls_are_text() -> None:
    code = "a = keras.Input((3, 4))\nb = LSTM(8, return_sequences=True)(a)\nc = LSTM(2)(b)\nd = Add()([c, c])"

    async def session(pilot: Pilot[int]) -> None:
        await press(pilot, "f2")
        assert told(pilot) == "wired calls are edited as text"

    drive(session, code)


async def waited(pilot: Pilot[int], text: str) -> str:
    """The screen as soon as it contains the text; TensorFlow takes seconds to load."""
    for _ in range(1200):
        if text in (screen := seen(pilot.app)):  # type: ignore[arg-type]
            return screen
        await pilot.pause(0.05)
    raise AssertionError(f"{text!r} does not come:\n{screen}")


def workers() -> list[Any]:
    import psutil

    return [one for one in psutil.Process().children() if "rnnshape.explorer.verifier" in " ".join(one.cmdline())]


@pytest.mark.slow
def test_the_real_layer_follows_and_a_process_that_is_killed_is_started_again() -> None:
    async def session(pilot: Pilot[int]) -> None:
        assert "loading TensorFlow" in seen(pilot.app)  # type: ignore[arg-type]
        assert "Theory and the real layer agree" in await waited(pilot, "verified in")
        (worker,) = workers()
        await focus(pilot, "at-return_state")
        worker.suspend()  # so that it is killed while it has a question
        assert "verifying" in await press(pilot, "space")
        worker.kill()
        assert "state_h is new" in await waited(pilot, "verified in")
        assert "the worker died" in told(pilot)
        assert [one.pid for one in workers()] != [worker.pid]

    drive(session, verifier=Verifier)
    assert not workers()


@pytest.mark.slow
def test_the_real_layer_reports_what_keras_rejects() -> None:
    async def session(pilot: Pilot[int]) -> None:
        await waited(pilot, "Keras rejects it: TypeError")

    drive(session, "Bidirectional(LSTM(8, stateful=True, return_state=True))", verifier=Verifier)


def test_an_unforeseen_exception_ends_it_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken for the test")

    async def session(pilot: Pilot[int]) -> None:
        monkeypatch.setattr(Controls, "at", broken)
        await pilot.press("tab")
        await pilot.pause()

    app = Explorer(History(read("LSTM(8)", {})), opened=opened, marks=UNICODE, verifier=None)

    async def driven() -> None:
        async with app.run_test() as pilot:
            await session(pilot)

    with pytest.raises(ZeroDivisionError):  # the pilot raises it; the command reports app.failure
        asyncio.run(driven())
    assert isinstance(app.failure, Internal)
    assert "this is a bug of rnnshape" in app.failure.message


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("narrow", NARROW), ("wide", WIDE)])
def test_the_main_views(golden: Callable[[str, str], None], name: str, size: tuple[int, int]) -> None:
    views = []

    async def session(pilot: Pilot[int]) -> None:
        views.append(seen(pilot.app))  # type: ignore[arg-type]
        await focus(pilot, "at-return_sequences")
        views.append(await press(pilot, "space"))
        views.extend([await press(pilot, "f8") for _ in range(8)])

    drive(session, "LSTM(8, return_state=True)", size=size, mask="111;110")
    golden(f"{name}.txt", ("=" * 40 + "\n").join(views))


def test_a_notification_says_how_many_steps_follow() -> None:
    history = History.of([read("LSTM(8)"), read("GRU(4)"), read("Dense(2)")])
    app = Explorer(history, opened=opened, marks=UNICODE, verifier=None)

    async def driven() -> None:
        async with app.run_test(size=WIDE) as pilot:
            await pilot.pause()
            assert "Ctrl+Y goes to the next step: 2 more steps" in told(pilot)
            await press(pilot, "ctrl+y")
            assert app.history.now.text == "GRU(4)"

    asyncio.run(driven())
