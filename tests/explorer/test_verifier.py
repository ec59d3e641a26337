"""The explorer's verifying process: real processes, some of them killed while they work."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from rnnshape.explorer.news import Died, Loading, Missing, News, Ready, Verified
from rnnshape.explorer.verifier import Verifier
from rnnshape.reading import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PATIENT = 120
LONG = {"units": 300, "input": (64, 400, 200)}
ENDLESS = {"units": 2000, "input": (64, 3000, 200)}


class Heard:
    """A verifier and its news."""

    def __init__(self) -> None:
        self.news: queue.Queue[News] = queue.Queue()
        self.verifier = Verifier(self.news.put)

    def until(self, kind: type) -> list[News]:
        """The news up to the first of a kind."""
        heard = []
        while not heard or not isinstance(heard[-1], kind):
            heard.append(self.news.get(timeout=PATIENT))
        return heard


@pytest.fixture
def heard() -> Iterator[Heard]:
    one = Heard()
    yield one
    one.verifier.close()
    assert not psutil.pid_exists(one.verifier.pid)


def test_it_loads_and_then_verifies_what_was_asked_meanwhile(heard: Heard) -> None:
    heard.verifier.ask(make("lstm", {"units": 3}), 1)
    loading, ready, verified = heard.until(Verified)
    assert isinstance(loading, Loading)
    assert isinstance(ready, Ready)
    assert isinstance(verified, Verified)
    assert (verified.step, verified.report.ok, verified.report.expression) == (1, True, "LSTM(3)")
    heard.verifier.ask(make("LSTM(4, use_cudnn=True)", {}), 2)
    (rejected,) = heard.until(Verified)
    assert isinstance(rejected, Verified)
    assert rejected.report.error is not None  # an error of Keras is an answer


def test_only_the_latest_answer_is_reported(heard: Heard) -> None:
    heard.until(Ready)
    heard.verifier.ask(make("lstm", LONG), 1)
    for step in range(2, 6):
        heard.verifier.ask(make("gru", {"units": step}), step)
    assert [news.step for news in heard.until(Verified) if isinstance(news, Verified)] == [5]


def test_an_outdated_question_is_ended(heard: Heard) -> None:
    heard.until(Ready)
    heard.verifier.ask(make("lstm", ENDLESS), 1)
    heard.verifier.ask(make("gru", {}), 2)
    news = heard.until(Verified)
    assert [type(one) for one in news] == [Loading, Ready, Verified]
    assert isinstance(news[-1], Verified)
    assert news[-1].step == 2


def test_a_process_that_is_killed_is_started_again_and_asked_again(heard: Heard) -> None:
    heard.until(Ready)
    heard.verifier.ask(make("lstm", LONG), 7)
    os.kill(heard.verifier.pid, signal.SIGKILL)
    news = heard.until(Verified)
    assert news[0] == Died(7, "SIGKILL")
    assert isinstance(news[-1], Verified)
    assert (news[-1].step, news[-1].report.ok) == (7, True)


def test_a_process_that_always_dies_while_loading_is_given_up(heard: Heard) -> None:
    for _ in range(3):
        heard.until(Loading)
        os.kill(heard.verifier.pid, signal.SIGKILL)
    (*_, missing) = heard.until(Missing)
    assert missing == Missing("the process that loads TensorFlow keeps dying: SIGKILL")


def test_without_tensorflow_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError('no', name='tensorflow')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    one = Heard()
    assert one.until(Missing)[-1] == Missing("TensorFlow is not installed")
    one.verifier.ask(make("lstm", {}), 1)  # no answer and no exception
    one.verifier.close()


def test_the_process_ends_with_its_parent() -> None:
    """A killed explorer cannot clean up, but its process sees the closed pipe."""
    code = "import time\nfrom rnnshape.explorer.verifier import Verifier\nv = Verifier(lambda news: None)\nprint(v.pid, flush=True)\ntime.sleep(99)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert psutil.pid_exists(pid)
        owner.kill()
    until = time.monotonic() + PATIENT
    while psutil.pid_exists(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not psutil.pid_exists(pid)
