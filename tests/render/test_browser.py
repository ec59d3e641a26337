"""The pages in a real browser: Debian's Chromium, headless, driven by Selenium; nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,1400",
)
RUNS = """\
runs:
  - {name: zebra & "co", layer: "LSTM(8, return_sequences=True, return_state=True)"}
  - {name: <script>document.title = 'owned'</script>, layer: gru, units: 100}
  - {name: ant, layer: gru, units: 12, expect: {params: 1}}
  - {name: mouse, layer: lstm, units: 3, expect: {params: 96}}
  - {name: mixed, layer: lstm, dtype: bfloat16}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser for all tests, with a new profile."""
    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("needs Debian's packages chromium and chromium-driver: apt-get install chromium chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # If the driver is given, Selenium does not search for one or download one.
    driver = Chrome(options, Service(str(DRIVER)))
    driver.get("about:blank")  # instead of its start page, which loads much
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def opened(browser: Chrome, run: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Chrome]]:
    """Opens the page that a command writes; afterwards checks that the browser reported no error and loaded nothing."""

    def open_(*arguments: str) -> Chrome:
        page = tmp_path / "page.html"
        run(*arguments, "-f", "html", "-o", str(page))
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(page.as_uri())
        return browser

    yield open_
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith(("file:", "data:", "chrome:"))] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.fixture
def batch(opened: Callable[..., Chrome], tmp_path: Path) -> Chrome:
    """The page of some runs."""
    file = tmp_path / "runs.yaml"
    file.write_text(RUNS)
    return opened("batch", str(file), "--predict")


def find(browser: Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements("css selector", selector)


def names(browser: Chrome) -> list[str]:
    """The first word of the name of each run that is shown, from top to bottom."""
    return [one.text.split()[0] for one in find(browser, "table.runs > tbody > tr > th") if one.is_displayed()]


IN_ORDER = ["zebra", "<script>document.title", "ant", "mouse", "mixed"]


def head(browser: Chrome, text: str) -> WebElement:
    return next(one for one in find(browser, "table.runs > thead th") if one.text.startswith(text))


def press(head: WebElement) -> str | None:
    head.find_element("tag name", "button").click()
    return head.get_attribute("aria-sort")


def test_a_click_sorts_up_then_down_then_as_it_was(batch: Chrome) -> None:
    assert names(batch) == IN_ORDER
    assert press(head(batch, "name")) == "ascending"
    up = names(batch)
    assert up == ["<script>document.title", "ant", "mixed", "mouse", "zebra"]
    assert press(head(batch, "name")) == "descending"
    assert names(batch) == up[::-1]
    assert press(head(batch, "name")) == "none"
    assert names(batch) == IN_ORDER


def test_numbers_sort_as_numbers_and_one_column_at_a_time(batch: Chrome) -> None:
    press(head(batch, "name"))
    assert press(head(batch, "params")) == "ascending"
    assert head(batch, "name").get_attribute("aria-sort") == "none"
    cells = [int(one.text) for one in find(batch, "table.runs > tbody > tr > td:nth-child(5)")]
    assert cells == sorted(cells)
    assert len({len(str(cell)) for cell in cells}) > 2


def test_the_keyboard_sorts_by_the_layer(batch: Chrome) -> None:
    button = head(batch, "layer").find_element("tag name", "button")
    button.send_keys("\ue007")
    assert head(batch, "layer").get_attribute("aria-sort") == "ascending"
    layers = [one.text for one in find(batch, "table.runs > tbody > tr > td > details > summary")]
    assert layers[:2] == ["GRU(12)", "GRU(100)"]
    assert all(layer.startswith("LSTM(") for layer in layers[2:])


def test_a_text_and_a_state_filter(batch: Chrome) -> None:
    (field,) = find(batch, "#find")
    field.send_keys("gru(12 ")
    assert names(batch) == ["ant"]
    assert find(batch, "output")[0].text == "1 of 5"
    field.clear()
    field.send_keys(" ")
    for state, left in (("failed", ["ant", "mixed"]), ("ok", [IN_ORDER[0], IN_ORDER[1], "mouse"]), ("all", IN_ORDER)):
        find(batch, f"input[value={state}]")[0].click()
        assert names(batch) == left


def test_a_run_opens_into_its_report(batch: Chrome) -> None:
    details = find(batch, "table.runs > tbody > tr > td > details")[0]
    check = details.find_element("css selector", ".checks tbody th")
    assert not check.is_displayed()
    details.find_element("tag name", "summary").click()
    assert check.is_displayed()
    assert check.text == "output[:, -1, :] == state_h"
    folded = details.find_element("css selector", "details.weights")
    assert not folded.find_element("tag name", "table").is_displayed()
    folded.find_element("tag name", "summary").click()
    assert folded.find_element("tag name", "table").is_displayed()


def test_text_of_the_user_stays_text(batch: Chrome) -> None:
    assert batch.title == "5 runs, 3 ok, 2 failed · rnnshape"
    assert len(find(batch, "script")) == 1
    assert [one.text for one in find(batch, "table.runs > tbody > tr > th")][:2] == [
        'zebra & "co"',
        "<script>document.title = 'owned'</script>",
    ]


def test_a_line_to_paste_has_a_button_that_copies_or_selects_it(opened: Callable[..., Chrome]) -> None:
    page = opened("lstm", "--return-state")
    lines = ("layer = LSTM(1, return_state=True)", "output, state_h, state_c = layer(x)")
    for button, line in zip(find(page, "button.copy"), lines, strict=False):
        assert button.text == "Copy"
        button.click()
        assert page.execute_script("return getSelection().toString()") == line
        assert button.text in ("Copied", "Selected", "Copy")
    assert len(find(page, "button.copy")) == len(find(page, "[data-copy]")) == 3


def luminance(browser: Chrome, script: str) -> float:
    """The brightness of a colour, from 0 to 255."""
    colour = browser.execute_script(f"return {script}")
    return sum(map(float, colour[colour.index("(") + 1 : -1].split(",")[:3])) / 3


GROUND = "getComputedStyle(document.documentElement).backgroundColor"
TEXT = "getComputedStyle(document.querySelector('main')).color"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_reader(opened: Callable[..., Chrome], scheme: str) -> None:
    page = opened("gru", "--predict")
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    ground, text = luminance(page, GROUND), luminance(page, TEXT)
    assert (ground > text) is (scheme == "light")
    assert abs(ground - text) > 150
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("command", [("bidirectional", "--return-state", "--weights", "--cudnn"), ("compare", "LSTM(8)", "RNN(LSTMCell(8))")])  # fmt: skip
def test_a_phone_needs_no_scrolling_to_the_side(opened: Callable[..., Chrome], command: tuple[str, ...]) -> None:
    page = opened(*command)
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    wide = page.execute_script("return document.documentElement.scrollWidth")
    reasons = [one.size["width"] for one in find(page, ".checks td:last-child")]
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 400
    assert all(width > 250 for width in reasons)


def test_the_page_is_complete_without_a_script(opened: Callable[..., Chrome], tmp_path: Path) -> None:
    file = tmp_path / "runs.yaml"
    file.write_text(RUNS)
    page = opened("gru", "--predict")
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened("batch", str(file), "--predict")
        assert names(page) == IN_ORDER
        assert not any(one.is_displayed() for one in find(page, "form, button"))
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_picture_follows_the_reader_too(browser: Chrome, run: Callable[..., Any], tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    run("lstm", "--predict", "-f", "svg", "-o", str(picture))
    browser.get(picture.as_uri())
    fill = "getComputedStyle(document.querySelector('rect[class]')).fill"
    found = []
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        found.append(luminance(browser, fill))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found[0] > 200
    assert found[1] < 50
