"""Several processes and machines give the answers of one process, in the same order, even if workers die."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from jsonschema import Draft202012Validator

import rnnshape
from rnnshape.batch.died import Died
from rnnshape.batch.rows import _answered
from rnnshape.batch.workers import spread
from rnnshape.batch.written import written
from rnnshape.errors import Unavailable
from rnnshape.reading import make
from rnnshape.reading.batch.runs import Line, from_stream, runs_of
from rnnshape.report.rows import Row
from rnnshape.schema.report import report
from tests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rnnshape.spec import Spec
    from tests.conftest import Ran


def sweep(size: int) -> list[Spec]:
    commands = ("lstm", "gru", "simple-rnn", "bidirectional")
    return [make(commands[i % 4], {"units": 1 + i % 5, "return_state": i % 3 > 0, "seed": i}) for i in range(size)]


def answers(reports: object) -> list[object]:
    return [report if isinstance(report, Died) else report.to_dict() for report in reports]  # type: ignore[attr-defined]


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# Processes of this machine.


@pytest.mark.cluster
def test_two_processes_answer_as_one_and_in_order() -> None:
    specs = sweep(12)
    assert answers(spread(rnnshape.explore, specs, jobs=2)) == answers(spread(rnnshape.explore, specs))


@pytest.mark.cluster
@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_each_process_takes_its_share_of_the_cores() -> None:
    def threads(spec: Spec) -> int:
        rnnshape.explore(spec)
        names = [(task / "comm").read_text() for task in Path("/proc/self/task").iterdir()]
        return names.count("tf_Compute\n")  # the pool that runs operations

    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert set(spread(threads, sweep(4), jobs=2)) == {share}


def test_more_is_not_read_than_is_worked_on() -> None:
    numbers = count()
    stream = spread(abs, numbers, jobs=2)
    assert list(islice(stream, 100)) == list(range(100))
    stream.close()  # type: ignore[attr-defined]
    assert next(numbers) < 150


@pytest.mark.cluster
def test_an_answer_waits_for_one_more_item_at_most(tmp_path: Path) -> None:
    """The items come slowly, as lines of a pipe do."""

    def slow() -> Iterator[int]:
        for number in range(6):
            yield number
            while not (tmp_path / str(number)).exists():
                time.sleep(0.01)
            time.sleep(0.3)  # the answer has come back
            seen.append(number)

    def done(number: int) -> int:
        (tmp_path / str(number)).touch()
        return number

    seen: list[int] = []
    for number in spread(done, slow(), jobs=2):
        assert len(seen) <= int(str(number)) + 1


def grown(megabytes: int) -> int:
    """Let the process grow by this much, and live long enough for loky to check it; return the process id."""
    if megabytes:
        KEPT.append(bytes(range(256)) * (megabytes * 4096))
        time.sleep(1.1)  # loky looks once a second
    return os.getpid()


KEPT: list[bytes] = []


@pytest.mark.cluster
def test_a_process_that_imports_something_large_is_kept() -> None:
    assert len(set(spread(grown, [0, 0, 400, 400, 0, 0, 0, 0], jobs=2))) <= 2


def test_what_the_function_raises_ends_it() -> None:
    with pytest.raises(ZeroDivisionError):
        list(spread(lambda item: 6 // item, [3, 2, 1, 0, 1], jobs=2))


@pytest.mark.cluster
def test_an_item_that_ends_its_process_is_the_only_one_without_an_answer(tmp_path: Path) -> None:
    runs = tmp_path / "runs"

    def deadly(item: int) -> int:
        if item in (5, 6, 23):
            with runs.open("a") as file:
                file.write(f"{item}\n")
            os._exit(3)
        return -item

    found = list(spread(deadly, range(30), jobs=2))
    died = [index for index, answer in enumerate(found) if isinstance(answer, Died)]
    assert died == [5, 6, 23]
    assert "EXIT(3)" in found[5].message
    assert [answer for answer in found if not isinstance(answer, Died)] == [-i for i in range(30) if i not in died]
    assert runs.read_text().split().count("23") == 2  # once among others and once alone


def test_a_process_that_is_killed_once_loses_nothing(tmp_path: Path) -> None:
    killed = tmp_path / "killed"

    def struck_once(item: int) -> int:
        if item == 7 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return -item

    assert list(spread(struck_once, range(20), jobs=2)) == [-i for i in range(20)]
    assert killed.exists()


INTERRUPTED = """
import itertools, os, time
from rnnshape.batch.workers import spread
from rnnshape.batch.written import written

def where(item):
    time.sleep(0.05)
    return os.getpid()

try:
    for pid in spread(where, itertools.count(), jobs=2):
        print(pid, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.cluster
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("answered", [0, 20])
def test_an_interrupt_leaves_no_process_and_no_message(answered: int) -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as process:
        assert process.stdout
        if answered:
            seen = [process.stdout.readline() for _ in range(answered)]
        else:
            # A worker is importing: if it received the interrupt, it would print a traceback.
            while not any("msgspec" in maps(child.pid) for child in children(process.pid)):
                assert process.poll() is None
            seen = []
        workers = [child.pid for child in children(process.pid)]
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert err == ""
    assert out.split()[-1] == "interrupted"
    assert not any(map(alive, [*workers, *map(int, seen)]))


def maps(pid: int) -> str:
    """The names of the files that a process has mapped into its memory."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


def children(pid: int) -> list[psutil.Process]:
    """The loky processes that this process has started."""
    found = []
    for child in psutil.Process(pid).children():
        try:
            if "popen_loky" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


# A cluster.


@contextmanager
def cluster(folder: Path, workers: int, path: str, threads: int = 1) -> Iterator[str]:
    """The address of a real scheduler with real workers; all end with the ``with`` block."""
    file = folder / "scheduler.json"
    log = (folder / "log").open("wb")
    environment = {**os.environ, "PYTHONPATH": path}
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        words = [sys.executable, "-m", "dask", *command, "--no-dashboard", "--scheduler-file", str(file)]
        started.append(
            subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=folder, start_new_session=True)
        )

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        for _ in range(workers):
            start("worker", "--nthreads", str(threads), "--host", "127.0.0.1", "--local-directory", str(folder))
        while not (file.exists() and file.read_text().endswith("}")):
            assert started[0].poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)  # the children of the nannies are in their group
            process.wait()
        log.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("cluster"), 2, str(ROOT)) as address:
        while len(set(pids(address))) < 2:  # both are ready
            pass
        yield address


def pids(address: str) -> list[int]:
    """The process ids that answer."""

    def here(_: int) -> int:
        time.sleep(0.01)
        return os.getpid()

    return [pid for pid in spread(here, range(8), scheduler=address) if not isinstance(pid, Died)]


@pytest.mark.cluster
def test_a_cluster_that_loses_a_worker_loses_no_answer(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    specs = sweep(40)
    stream = spread(rnnshape.explore, specs, scheduler=address)
    found = list(islice(stream, 10))
    victim = pids(address)[0]
    os.kill(victim, signal.SIGKILL)
    found += stream
    assert not alive(victim)
    assert answers(found) == answers(map(rnnshape.explore, specs))
    assert capfd.readouterr() == ("", "")


@pytest.mark.cluster
def test_what_ends_every_worker_is_the_only_one_without_an_answer(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def deadly(item: int) -> int:
        if item == 5:
            os._exit(3)
        return -item

    found = list(spread(deadly, range(40), scheduler=address))
    assert found[5] == Died("4 workers of the cluster died on this run, one after another")
    assert found[:5] + found[6:] == [-i for i in range(40) if i != 5]
    assert capfd.readouterr() == ("", "")


@pytest.mark.cluster
def test_an_item_beside_one_that_kills_every_worker_is_answered(tmp_path: Path) -> None:
    """Dask blames both items, because the second one runs in the worker each time it dies."""
    deaths, starts = tmp_path / "deaths", tmp_path / "starts"

    def counted(file: Path) -> int:
        return file.stat().st_size if file.exists() else 0

    def add(file: Path) -> None:
        with file.open("a") as stream:
            stream.write("x")

    def beside(item: str) -> str:
        if item == "deadly":
            while counted(deaths) < 4 and counted(starts) <= counted(deaths):
                time.sleep(0.01)
            add(deaths)
            os._exit(3)
        add(starts)
        while counted(deaths) < 4:
            time.sleep(0.01)
        return item

    with cluster(tmp_path, 1, str(ROOT), threads=2) as address:
        died, answered = spread(beside, ["deadly", "neighbour"], scheduler=address)
    assert isinstance(died, Died)
    assert answered == "neighbour"


@pytest.mark.cluster
def test_dask_is_silent_meanwhile_and_only_then(address: str) -> None:
    logger = logging.getLogger("distributed.client")
    before = logger.level
    stream = spread(abs, [1, 2], scheduler=address)
    next(stream)
    assert not logger.isEnabledFor(logging.CRITICAL)
    assert list(stream) == [2]
    assert logger.level == before


@pytest.mark.cluster
def test_a_cluster_reads_no_more_than_it_works_on(address: str) -> None:
    numbers = count()
    stream = spread(abs, numbers, scheduler=address)
    assert list(islice(stream, 100)) == list(range(100))
    stream.close()  # type: ignore[attr-defined]
    assert next(numbers) < 150


@pytest.mark.cluster
def test_what_is_raised_on_a_cluster_is_raised_here(address: str) -> None:
    stream = spread(lambda item: 6 // item, [3, 0], scheduler=address)
    assert next(stream) == 2
    with pytest.raises(ZeroDivisionError):
        next(stream)


@pytest.mark.cluster
def test_a_worker_without_rnnshape_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rnnshape").mkdir()
    (tmp_path / "rnnshape" / "__init__.py").write_text("raise ImportError('not installed')")
    with cluster(tmp_path, 1, str(tmp_path)) as address, pytest.raises(Unavailable, match="has no rnnshape") as told:
        next(spread(rnnshape.explore, sweep(1), scheduler=address))
    assert told.value.hint == f"on its machine: pip install rnnshape=={rnnshape.__version__}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.cluster
@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:9", "localhost", "http://localhost:8786"])
def test_no_scheduler_is_an_error(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rnnshape.batch.cluster.CONNECT_S", 1)
    with pytest.raises(Unavailable, match="no Dask scheduler answers at") as told:
        next(spread(abs, [1], scheduler=wrong))
    assert "dask scheduler" in str(told.value.hint)
    assert capfd.readouterr() == ("", "")


def test_no_dask_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # makes the import fail
    monkeypatch.delitem(sys.modules, "rnnshape.batch.cluster", raising=False)
    with pytest.raises(Unavailable) as told:
        spread(abs, [1], scheduler="tcp://127.0.0.1:8786")
    assert told.value.hint == 'pip install "rnnshape[cluster]"'


# A worker of a cluster may have several threads.


@contextmanager
def turns_of(seconds: float) -> Iterator[None]:
    """Set the switch interval of threads."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@pytest.mark.slow
def test_two_threads_see_what_one_sees() -> None:
    specs = sweep(24)
    expected = answers(map(rnnshape.explore, specs))
    before = os.fstat(2)
    found: dict[int, list[object]] = {}

    def look(number: int) -> None:
        found[number] = answers(map(rnnshape.explore, specs))

    with turns_of(1e-5):
        threads = [threading.Thread(target=look, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {0: expected, 1: expected}
    assert os.path.samestat(before, os.fstat(2))


@pytest.mark.slow
def test_a_thread_that_draws_random_numbers_changes_no_answer() -> None:
    specs = sweep(8)
    expected = answers(map(rnnshape.explore, specs))
    over = threading.Event()

    def draw() -> None:
        while not over.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    with turns_of(1e-6):
        thread.start()
        try:
            found = answers(map(rnnshape.explore, specs))
        finally:
            over.set()
            thread.join()
    assert found == expected


# The command line on several processes.

MIXED = """\
runs:
- {layer: lstm, return_state: true, matrix: {units: [1, 2, 3], seed: [0, 1]}, expect: {state_h: [N, H]}}
- {layer: "LSTM(8, unit=3)", expect: {error: unit}}
- {layer: gru, expect: {output: [N, 7]}}
- {layer: lstm, dtype: bfloat16}
- {layer: bidirectional}
"""


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    file = tmp_path / "mixed.yaml"
    file.write_text(MIXED)
    return str(file)


@pytest.mark.cluster
@pytest.mark.parametrize("form", ["jsonl", "csv", "table"])
def test_jobs_change_nothing_but_the_time(form: str, mixed: str, run: Callable[..., Ran]) -> None:
    alone = run("batch", mixed, "-f", form)
    assert run("batch", mixed, "-f", form, "--jobs", "2") == alone
    assert alone.code == 2


LINES = [
    *({"layer": "lstm", "units": 1 + number % 3, "seed": number, "name": f"run {number}"} for number in range(30)),
    {"layer": "LSTM(8, unit=3)"},
    {"layer": "Bidirectional(GRU(2))", "matrix": {"time": [1, 2]}, "expect": {"output": ["N", 7]}},
    {"layer": "LSTM(8)", "seed": -1},
    {"layer": "gru", "mask": "right:3,2", "return_state": True},
]


def as_text(row: Row) -> str:
    """The row's name; the row "deadly" ends the process."""
    if row.run.name == "deadly":
        os._exit(9)
    return str(row.run.name)


def lines_of(runs: Iterable[dict[str, Any]]) -> Iterator[Line]:
    return (Line(json.dumps(run).encode(), "<stdin>", number) for number, run in enumerate(runs, 1))


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_lines_that_the_processes_read_and_write_are_those_of_one(
    form: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in LINES) + "\n{not JSON}\n"
    rans = []
    for jobs in ("1", "2"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        rans.append(run("batch", "-", "--predict", "-f", form, "--jobs", jobs))
    assert rans[0] == rans[1]
    assert rans[0].code == 2
    assert rans[0].out.count("run 29") > 0


def test_lines_that_went_with_a_deadly_one_are_rows_without_an_answer() -> None:
    names = [f"run {number}" for number in range(60)]
    names[40] = "deadly"
    found = list(written(lines_of({"layer": "lstm", "name": name} for name in names), as_text, jobs=2))
    lost = [row.run.name for row in found if isinstance(row, Row)]
    assert "deadly" in lost
    assert len(lost) < 10
    assert [row.run.name if isinstance(row, Row) else row.text for row in found] == names
    assert {row.exit_code for row in found if isinstance(row, Row)} == {3}


def test_a_row_does_not_wait_for_many_lines() -> None:
    numbers = count()
    stream = written(lines_of({"layer": "lstm", "seed": number} for number in numbers), as_text, jobs=2)
    assert next(stream).ok
    stream.close()
    assert next(numbers) < 40


@pytest.mark.cluster
def test_a_scheduler_changes_nothing_but_the_place(address: str, mixed: str, run: Callable[..., Ran]) -> None:
    assert run("batch", mixed, "-f", "jsonl", "--scheduler", address) == run("batch", mixed, "-f", "jsonl")


@pytest.mark.cluster
def test_a_failure_on_a_cluster_is_one_row(
    address: str, mixed: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(spec: Spec | None, **how: bool) -> object:  # Dask pickles a nested function by value
        import pytest

        from rnnshape.batch.rows import _ask
        from tests.cli.test_internal import break_lab

        with pytest.MonkeyPatch.context() as patch:
            break_lab(patch)  # a GRU of 7 units
            return _ask(spec, **how)

    monkeypatch.setattr(sys.modules["rnnshape.batch.rows"], "_ask", ask)
    Path(mixed).write_text("runs: [{layer: lstm}, {layer: gru, units: 7}, {layer: gru}]\n")
    ran = run("batch", mixed, "-f", "jsonl", "--scheduler", address)
    kinds = [(json.loads(line)["error"] or {}).get("kind") for line in ran.out.splitlines()]
    assert (ran.code, ran.err, kinds) == (1, "", [None, "internal", None])


@pytest.mark.cluster
def test_what_is_known_is_not_sent_to_the_workers(mixed: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    former = tmp_path / "former.jsonl"
    first = run("batch", mixed, "-f", "jsonl", "-o", str(former))
    text = former.read_text()
    former.write_text(re.sub(r'("params": )(\d)', r"\g<1>1000\2", text))
    again = run("batch", mixed, "-f", "jsonl", "--jobs", "2", "--resume", str(former))
    assert again.code == first.code
    asked = [json.loads(line)["params"] for line in text.splitlines()]
    ok = [json.loads(line)["ok"] and json.loads(line)["observed"] is not None for line in text.splitlines()]
    expected = [int(f"1000{count}") if taken else count for count, taken in zip(asked, ok, strict=True)]
    assert [json.loads(line)["params"] for line in again.out.splitlines()] == expected


def test_a_run_whose_worker_died_is_a_row_with_an_error() -> None:
    (line,) = from_stream(io.BytesIO(b'{"name": "heavy", "layer": "LSTM(8)"}'), "-")
    (run,) = runs_of(line)
    row = _answered(run, Died("the worker process died twice on this run"), values=False)
    assert (row.ok, row.exit_code, row.data["name"]) == (False, 3, "heavy")
    assert row.data["error"] == {"kind": "worker", "message": "the worker process died twice on this run", "hint": None}
    assert row.data["run"] == {"name": "heavy", "layer": "LSTM(8)", "input": [2, 3, 4]}
    Draft202012Validator(report()).validate(row.data)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--jobs", "0"), 2, "--jobs 0: must be a whole number, 1 or more"),
        (("--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"), 2, "give one"),
        (("--scheduler", "here"), 2, "--scheduler here: must be the address of a Dask scheduler"),
        (("--scheduler", "tcp://127.0.0.1:9"), 3, "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_wrong_workers(flags: tuple[str, ...], code: int, message: str, mixed: str, run: Callable[..., Ran]) -> None:
    ran = run("batch", mixed, *flags)
    assert (ran.code, ran.out) == (code, "")
    assert message in ran.err


@pytest.mark.cluster
def test_a_process_that_is_used_again_is_in_the_folder_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
        monkeypatch.chdir(tmp_path / name)
        assert list(spread(os.path.exists, [name, "c"], jobs=2)) == [True, False]
