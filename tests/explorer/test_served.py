"""``rnnshape explore --serve``: the explorer in a real browser, on this machine only."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.render.test_browser import browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

__all__ = ["browser"]
pytestmark = pytest.mark.browser

PATIENT = 60


@pytest.fixture
def served() -> Iterator[tuple[str, psutil.Process]]:
    """The address of the explorer, and the process that serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "rnnshape", "explore", "LSTM(4)", "--predict", "--serve", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        end = time.monotonic() + PATIENT
        while time.monotonic() < end:
            try:
                socket.create_connection(("localhost", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://localhost:{port}", psutil.Process(server.pid)
        server.terminate()


def test_the_page_shows_the_explorer(browser: Chrome, served: tuple[str, psutil.Process]) -> None:
    address, server = served
    hosts = {one.laddr.ip for one in server.net_connections() if one.status == psutil.CONN_LISTEN}
    assert hosts <= {"127.0.0.1", "::1"}
    browser.get_log("performance")
    browser.get(address)
    end, text = time.monotonic() + PATIENT, ""
    while not ("return_sequences" in text and "theory only" in text):
        assert time.monotonic() < end, text[-2000:]
        time.sleep(0.2)
        text += received(browser)
    assert browser.find_elements("css selector", ".xterm")


def received(browser: Chrome) -> str:
    """The terminal output that the page has received through its socket since the last call."""
    said = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.webSocketFrameReceived":
            frame = message["params"]["response"]
            data = frame["payloadData"]
            said.append(base64.b64decode(data).decode("utf-8", "replace") if frame["opcode"] == 2 else data)
    return "".join(said)
