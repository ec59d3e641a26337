"""The environment of a command: its output file, its standard streams, their encodings, and signals."""

from __future__ import annotations

import contextlib
import html
import json
import os
import pty
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import parse

import psutil
import pytest

from rnnshape.render import ROWS_FORMATS
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

RNNSHAPE = [sys.executable, "-m", "rnnshape"]
LONG = "runs:\n- {layer: lstm, matrix: {units: [1, 2, 3, 4, 5, 6], time: [400, 500, 600], seed: [1, 2, 3, 4, 5, 6]}}\n"


def ended(*command: str, **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RNNSHAPE, *command], capture_output=True, text=True, check=False, **how)


def in_shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    line = line.replace("rnnshape", " ".join(RNNSHAPE))
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, env={**os.environ, **more}, errors="replace"
    )


# The output file.


def test_a_link_stays_a_link_and_a_mode_a_mode(run: Callable[..., Ran], tmp_path: Path) -> None:
    secret, link, dangling = tmp_path / "secret", tmp_path / "link", tmp_path / "dangling"
    secret.write_text("old")
    secret.chmod(0o640)
    link.symlink_to(secret)
    dangling.symlink_to("new")
    for path in (link, dangling):
        assert run("gru", "--predict", "-o", str(path)).code == 0
        assert path.is_symlink()
    assert secret.read_text() == (tmp_path / "new").read_text() != "old"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o640
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask


def test_a_name_may_be_as_long_as_a_name_can_be(run: Callable[..., Ran], tmp_path: Path) -> None:
    name = "n" * 250
    assert run("gru", "--predict", "-o", str(tmp_path / name)).code == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("command", [("lstm",), ("compare", "lstm", "gru"), ("batch", "{folder}/runs.yaml"), ("env",)])
def test_the_output_file_is_checked_before_anything_runs(
    command: tuple[str, ...], run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_(*_: object, **__: object) -> None:
        raise AssertionError("a layer ran")

    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm}]\n")
    # In this order no module is imported after a function that it takes from another is replaced.
    for place in ("rnnshape.lab.environment.environment", "rnnshape.lab.observe", "rnnshape.lab.tensorflow.load"):
        monkeypatch.setattr(place, run_)
    words = [word.format(folder=tmp_path) for word in command]
    for path, why in (
        (tmp_path / "no" / "x.json", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "runs.yaml" / "x.json", "Not a directory"),
        (tmp_path / ("n" * 300), "File name too long"),
    ):
        ran = run(*words, "-o", str(path))
        assert (ran.code, ran.out, ran.err) == (3, "", f"rnnshape: error: {path}: {why}\n")


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("html", "<!doctype html>"), ("svg", "<svg "), ("md", "### `GRU(1)`"), ("json", "{\n"), ("jsonl", '{"schema'),
     ("py", "import tensorflow"), ("txt", "GRU(1)\n"), ("rnn", "GRU(1)\n"), ("HTML", "<!doctype html>")],
)  # fmt: skip
def test_the_extension_chooses_the_format(ending: str, begins: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / f"answer.{ending}"
    assert run("gru", "--predict", "-o", str(path)).code == 0
    assert path.read_text().startswith(begins)
    run("gru", "--predict", "-o", str(path), "-f", "json")
    assert json.loads(path.read_text())["ok"] is True


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("csv", "name,layer,"), ("tsv", "name\tlayer\t"), ("xml", "<?xml"), ("md", "| name |"), ("json", "[\n"), ("htm", "<!doctype")],
)  # fmt: skip
def test_the_extension_chooses_the_format_of_rows(
    ending: str, begins: str, run: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm}]\n")
    run("batch", str(tmp_path / "runs.yaml"), "--predict", "-o", str(tmp_path / f"rows.{ending}"))
    assert (tmp_path / f"rows.{ending}").read_text().startswith(begins)


def test_an_extension_of_another_command_names_that_command(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run("lstm", "-o", str(tmp_path / "rows.csv"))
    assert ran.code == 2
    assert "rows.csv: has the extension of csv; the format must be one of 'table', 'json'" in ran.err
    ran = run("env", "-o", str(tmp_path / "env.html"))
    assert (ran.code, "the format must be one of 'table', 'json'\n" in ran.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_suggested_command_for_a_format_of_batch_works() -> None:
    """Runs the command that the error suggests."""
    for form in ("csv", "tsv", "junit", "github"):
        said = ended("lstm", "-f", form).stderr
        advice = re.search(r"is a format of batch: (.*)", said)
        assert advice, said
        done = in_shell(advice[1] + " --predict")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_dev_stdout_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "all"
    path.write_text("kept\n")
    assert in_shell(f"rnnshape gru --predict -f jsonl -o /dev/stdout >> {path}").returncode == 0
    assert path.read_text().startswith('kept\n{"schema_version"')


# Signals that end a command.


@pytest.fixture
def hears_sighup() -> Iterator[None]:
    """Tests that are run with nohup ignore SIGHUP, and so would the commands that they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    (folder / "long.yaml").write_text(LONG)
    command = [*RNNSHAPE, "batch", "long.yaml", "-f", "jsonl", "-o", "rows.jsonl", *words]
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def _writes_in(process: int, folder: Path) -> bool:
    """Whether the process has an unnamed or temporary file open in this folder."""
    opened = Path(f"/proc/{process}/fd").iterdir()
    with contextlib.suppress(OSError):  # it may be closed by now
        return any(str(each.readlink()).startswith((f"{folder}/#", f"{folder}/.rnnshape-")) for each in opened)
    return False


def begun(process: subprocess.Popen[bytes], folder: Path, jobs: bool) -> list[psutil.Process]:
    """The child processes, once the command has opened its output file (and has started its workers)."""
    while not _writes_in(process.pid, folder):
        assert process.poll() is None
        time.sleep(0.01)
    own = psutil.Process(process.pid)
    while jobs and len(found := own.children(recursive=True)) < 4:  # two workers, two trackers
        time.sleep(0.01)
    time.sleep(1)
    return found if jobs else []


@pytest.mark.slow
@pytest.mark.usefixtures("hears_sighup")
@pytest.mark.parametrize("whole_group", [False, True])
@pytest.mark.parametrize("jobs", [False, True])
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_leaves_the_old_file_and_no_process(
    name: str, code: int, jobs: bool, whole_group: bool, tmp_path: Path
) -> None:
    (tmp_path / "rows.jsonl").write_text("old\n")
    process = started(tmp_path, *(["--jobs", "2"] if jobs else []))
    others = begun(process, tmp_path, jobs)
    (os.killpg if whole_group else os.kill)(process.pid, getattr(signal, name))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    if name == "SIGINT":
        assert re.fullmatch(rb"rnnshape: interrupted: \d+ runs done of 108, \d+ left; rows.jsonl is unchanged\n", err)
    else:
        assert err.decode() == ""
    assert (tmp_path / "rows.jsonl").read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.yaml", "rows.jsonl"]
    _, alive = psutil.wait_procs(others, timeout=20)
    assert alive == []


@pytest.mark.slow
@pytest.mark.usefixtures("hears_sighup")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize("then", ["pass", "raise ImportError('swallowed')"])
@pytest.mark.parametrize("command", ["batch", "lstm"])
def test_a_signal_that_an_import_swallows_ends_the_command(
    command: str, then: str, name: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm, matrix: {units: [1, 2]}}]")
    (tmp_path / "rows.jsonl").write_text("old\n")
    words = ["batch", "runs.yaml"] if command == "batch" else ["lstm"]
    program = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tensorflow.python.ops':\n"
        "            try:\n"
        f"                os.kill(os.getpid(), signal.{name})\n"
        "            except (SystemExit, KeyboardInterrupt):\n"
        f"                {then}\n"
        "sys.meta_path.insert(0, Finder())\n"
        f"sys.argv = ['rnnshape', *{words!r}, '-f', 'jsonl', '-o', 'rows.jsonl']\n"
        "from rnnshape.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert re.fullmatch(r"rnnshape: interrupted.*\n" if name == "SIGINT" else "", done.stderr)
    assert (tmp_path / "rows.jsonl").read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "runs.yaml"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGQUIT"])
def test_sigkill_leaves_no_worker(name: str, tmp_path: Path) -> None:
    """As if the machine ran out of memory: the parent cannot stop the workers, so they exit on their own."""
    (tmp_path / "rows.jsonl").write_text("old\n")
    process = started(tmp_path, "--jobs", "2")
    others = begun(process, tmp_path, jobs=True)
    workers = [other for other in others if "popen_loky_posix" in " ".join(other.cmdline())]
    assert len(workers) == 2
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)  # until all processes have closed its standard error
    _, alive = psutil.wait_procs(others, timeout=20)
    assert alive == []
    assert (tmp_path / "rows.jsonl").read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.yaml", "rows.jsonl"]


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    with subprocess.Popen(
        ["nohup", *RNNSHAPE, "batch", "-", "--predict", "-f", "jsonl"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        for _ in range(2):
            process.stdin.write(b'{"layer": "lstm"}\n')
            process.stdin.flush()
            assert process.stdout.readline().startswith(b'{"schema_version"')
            process.send_signal(signal.SIGHUP)
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize("command", [("lstm", "--predict"), ("--help",), ("batch", "-")])
def test_ctrl_c_while_the_modules_are_loaded_is_no_traceback(command: tuple[str, ...]) -> None:
    """Each import is interrupted in turn, by a finder that sends the signal for one module."""
    for module in ("rnnshape.cli.app", "typer", "rnnshape.layers", "rnnshape.render"):
        program = (
            "import os, signal, sys\n"
            "class Finder:\n"
            "    def find_spec(self, name, *_):\n"
            f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
            "sys.meta_path.insert(0, Finder())\n"
            f"sys.argv = ['rnnshape', *{command!r}]\n"
            "from rnnshape.cli import main; main()"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (130, "", ""), module


@pytest.mark.slow
def test_ctrl_c_while_tensorflow_is_loaded() -> None:
    program = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tensorflow.python.ops': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['rnnshape', 'lstm']\n"
        "from rnnshape.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "rnnshape: interrupted\n")


# Standard streams.


@pytest.mark.parametrize(
    "command", ["lstm --predict", "--help", "--version", "help masks", "schema", "compare lstm gru", "env"]
)
def test_a_closed_standard_output_is_one_line(command: str) -> None:
    done = in_shell(f"rnnshape {command} >&-")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "rnnshape: error: standard output is closed: open it, or name a file with -o if the command has it\n"
    )


def test_a_closed_standard_output_is_an_error_before_a_layer_runs() -> None:
    program = (
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'tensorflow': os._exit(9)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "sys.argv = ['rnnshape', 'lstm']\n"
        "from rnnshape.cli import main; main()"
    )
    words = [sys.executable, "-c", program]
    line = ["bash", "-c", f"{shlex.join(words)} >&-"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("rnnshape: error: standard output is closed")) == (3, True)


def test_a_closed_standard_output_does_not_affect_a_file(tmp_path: Path) -> None:
    done = in_shell(f"rnnshape lstm --predict -o {tmp_path}/x.json >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "x.json").read_text())["ok"]


def test_a_closed_standard_input_is_one_line() -> None:
    done = in_shell("rnnshape batch - <&-")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[0] == "rnnshape: error: standard input is closed"


@pytest.mark.slow
def test_a_closed_standard_error_says_nothing_elsewhere() -> None:
    done = in_shell("rnnshape lstm -f jsonl 2>&-")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True)
    done = in_shell("rnnshape lstm --units 0 2>&-")
    assert (done.returncode, done.stdout) == (2, "")
    assert in_shell("rnnshape lstm --predict >&- 2>&-").returncode == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("command", ["lstm --predict", "--help", "help masks", "batch runs.yaml"])
def test_a_full_disk_behind_standard_output_is_one_line(command: str) -> None:
    done = in_shell(f"cd $(mktemp -d); echo 'runs: [{{layer: lstm}}]' > runs.yaml; rnnshape {command} > /dev/full")
    assert (done.returncode, done.stderr) == (3, "rnnshape: error: standard output: No space left on device\n")


@pytest.mark.parametrize("words", ["lstm --predict -f html", "batch runs.yaml --predict", "schema", "scan model.py"])
def test_a_full_disk_is_an_error_with_the_file_and_leaves_nothing(words: str, tmp_path: Path) -> None:
    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm}]\n")
    (tmp_path / "model.py").write_text(FOUND)
    for file, why in (("/dev/full", "No space left on device"), ("answer", "File too large")):
        done = in_shell(f"cd {tmp_path}; ulimit -f 0; rnnshape {words} -o {file}")
        assert (done.returncode, done.stderr) == (3, f"rnnshape: error: {file}: {why}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.py", "runs.yaml"]


FOUND = "import keras\nx = keras.layers.LSTM(8, time_major=False)\n"


def test_a_full_disk_does_not_change_the_code_to_fix(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(FOUND)
    done = in_shell(f"cd {tmp_path}; ulimit -f 0; rnnshape scan --fix model.py")
    assert (done.returncode, done.stderr) == (3, "rnnshape: error: model.py: File too large\n")
    assert (tmp_path / "model.py").read_text() == FOUND
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]


NAMES = ("é", "漢", "😀")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("form", some(ROWS_FORMATS, 3))
def test_a_name_that_the_encoding_lacks_is_escaped_and_not_lost(form: str, encoding: str, tmp_path: Path) -> None:
    lines = "".join(f"{json.dumps({'name': name, 'layer': 'lstm', 'expect': {'params': 1}})}\n" for name in NAMES)
    done = subprocess.run(
        [*RNNSHAPE, "batch", "-", "--predict", "-f", form], input=lines.encode(), capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")
    if form in ("html", "svg", "junit"):  # they declare UTF-8
        told = html.unescape(done.stdout.decode("utf-8"))
        if form == "junit":
            (tmp_path / "rows.xml").write_bytes(done.stdout)
            assert [case.get("name") for case in parse(tmp_path / "rows.xml").iter("testcase")] == [*NAMES]  # noqa: S314  ours
    elif form in ("json", "jsonl"):
        told = "".join(row["name"] for row in map(json.loads, re.findall(r"^{.*}", done.stdout.decode("ascii"), re.M)))
    else:
        told = done.stdout.decode(encoding)
    for name in NAMES:
        escaped = name.encode(encoding, "backslashreplace").decode(encoding)
        assert name in told or escaped in told


def test_an_error_about_it_is_escaped_too() -> None:
    done = in_shell("rnnshape show 'é(3)'", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "\\xe9 is not in the code" in done.stderr


@pytest.mark.slow
def test_no_progress_bar_where_a_pipe_prints(tmp_path: Path) -> None:
    """The reader of the pipe writes to the terminal on which the bar would be."""
    (tmp_path / "runs.yaml").write_text("runs: [{layer: lstm, matrix: {units: [1, 2, 3]}}]\n")
    for end, bar in (("| cut -c 1-10", False), ("> rows.csv", True)):
        terminal, inner = pty.openpty()
        line = f"cd {tmp_path}; {' '.join(RNNSHAPE)} batch runs.yaml -f csv {end}"
        process = subprocess.Popen(
            ["bash", "-c", line], stdout=inner, stderr=inner, env={**os.environ, "TERM": "xterm"}
        )
        os.close(inner)
        shown = b""
        with contextlib.suppress(OSError):  # the other end was closed
            while some := os.read(terminal, 1000):
                shown += some
        os.close(terminal)
        assert process.wait() == 0
        assert (b"/3" in shown) == bar
        if not bar:
            assert shown == b"name,matri\r\n" + b"".join(b"units=%d,%d,\r\n" % (units, units) for units in (1, 2, 3))


# Messages of TensorFlow and Keras.


@pytest.mark.slow
def test_their_logs_are_not_shown() -> None:
    """Covers repeated tracing, a graph that fails, warnings, and a missing GPU."""
    runs = [
        *(
            {"layer": "gru", "stateful": True, "calls": 3, "execution": "graph", "units": units}
            for units in range(1, 7)
        ),
        *({"layer": "lstm", "execution": "xla", "units": units} for units in (1, 2)),
        {"layer": "Masking() | TimeDistributed(LSTM(5)) | LSTM(6)", "input": [2, 3, 4, 4], "execution": "graph"},
        {"layer": "SimpleRNN(1, activation='softmax')"},
    ]
    lines = "".join(f"{json.dumps(run)}\n" for run in runs)
    quiet = ended("batch", "-", "-f", "jsonl", input=lines)
    assert quiet.stderr == ""
    assert json.loads(quiet.stdout.splitlines()[-1])["warnings"][0].startswith("You are using a softmax")
    loud = ended("batch", "-", "-f", "jsonl", "--verbose", input=lines)
    assert loud.stderr  # TensorFlow writes messages at least during its import
    assert loud.stdout == quiet.stdout


@pytest.mark.slow
def test_a_device_that_is_not_there_is_the_error_of_its_variant() -> None:
    from rnnshape.lab.tensorflow import gpus

    if gpus():
        pytest.skip("this machine has a GPU")
    said = ended("compare", "lstm", "--axis", "device").stderr.splitlines()
    assert [line.partition(":")[0] for line in said] == ["rnnshape", "rnnshape"]
    assert said[0] == "rnnshape: error: GPU: device gpu: TensorFlow sees no GPU here"


@pytest.mark.slow
def test_a_late_log_record_is_not_shown() -> None:
    """tf_should_use logs during garbage collection, which may be at exit."""
    program = (
        "import atexit, logging, rnnshape\n"
        "rnnshape.explore('lstm')\n"
        "atexit.register(logging.getLogger('tensorflow').error, 'Object was never used')\n"
        "logging.getLogger('absl').warning('retracing')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Usage errors.

USAGE = {
    "lstm 8": "8: unexpected argument: lstm takes only options (did you mean --units 8?)",
    "lstm relu": "relu: unexpected argument: lstm takes only options (did you mean --activation relu?)",
    "show LSTM(8) x": "x: unexpected argument: a second one is allowed only after a weights file, such as model.weights.h5",
    "schema file x": "x: unexpected argument: schema takes [WHAT] and options",
    "lstm --retrun-state": "--retrun-state: unknown option of rnnshape lstm (did you mean '--return-state'?); "
    "see rnnshape lstm --help",
    "lstm --units": "--units: needs a value",
    "lstm --use-cudnn --channels 1": "--use-cudnn: needs a value",
    "show LSTM(3) --let --predict": "--let: needs a value",
    "lstm --jobs 2": "--jobs: unknown option of rnnshape lstm (rnnshape batch has it); see rnnshape lstm --help",
    "gru --merge-mode sum": "--merge-mode: unknown option of rnnshape gru (rnnshape bidirectional has it); "
    "see rnnshape gru --help",
    "lstm --predict=yes": "--predict: takes no value",
    "ltsm": "ltsm: unknown command (did you mean 'lstm'?); see rnnshape --help",
    "LSTM(8)": "LSTM(8): unknown command; for an expression use rnnshape show 'LSTM(8)'",
    "--quiet": "--quiet: unknown option of rnnshape; see rnnshape --help",
}


@pytest.mark.parametrize("line", USAGE)
def test_usage_errors_have_the_style_of_all_errors(line: str, run: Callable[..., Ran]) -> None:
    ran = run(*line.split())
    assert (ran.code, ran.out, ran.err) == (2, "", f"rnnshape: error: {USAGE[line]}\n")


@pytest.mark.parametrize("command", ["show gone.py", "show gone.h5", "batch gone.py", "batch - --resume gone.py"])
def test_a_missing_file_is_told_in_the_same_words(command: str, run: Callable[..., Ran]) -> None:
    ran = run(*command.split())
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"rnnshape: error: (--resume: )?gone\.\w+: there is no such file\n", ran.err)


def test_the_file_that_is_read_is_not_written_over(run: Callable[..., Ran], tmp_path: Path) -> None:
    """Named directly, through its folder, through a link, and as standard input."""
    path = tmp_path / "runs.yaml"
    text = "runs: [{layer: lstm}]\n"
    path.write_text(text, encoding="utf-8")
    other = tmp_path / "link.jsonl"
    other.symlink_to(path)
    for read, written in ((path, path), (tmp_path, path), (path, other)):
        ran = run("batch", str(read), "--predict", "-o", str(written))
        assert (ran.code, path.read_text(encoding="utf-8")) == (2, text)
        assert "is an input of this command: give another name" in ran.err
    ended = in_shell(f"rnnshape batch - --predict -f jsonl -o {path} < {path}")
    assert (ended.returncode, path.read_text(encoding="utf-8")) == (2, text)
    assert run("batch", str(path), "--predict", "-o", str(tmp_path / "rows.jsonl")).code == 0


@pytest.mark.parametrize(
    "command", ["show {file} --predict", "show - --predict", "scan {file}", "scan .", "scan -", "scan --diff ."]
)
def test_code_that_is_read_is_not_written_over(command: str, tmp_path: Path) -> None:
    file, other = tmp_path / "model.py", tmp_path / "link.txt"
    file.write_text(FOUND)
    other.symlink_to(file)
    for written in (file, other):
        ended = in_shell(f"cd {tmp_path}; rnnshape {command.format(file=file)} -o {written} < {file}")
        assert (ended.returncode, file.read_text()) == (2, FOUND)
        assert "is an input of this command: give another name" in ended.stderr


def test_a_saved_model_that_is_read_is_not_written_over(run: Callable[..., Ran], tmp_path: Path) -> None:
    for words in (("model.json",), ("model.weights.h5",), ("model.weights.h5", "LSTM(8)")):
        file = tmp_path / words[0]
        file.write_text("kept")
        ran = run("show", str(file), *words[1:], "-o", str(file))
        assert (ran.code, file.read_text()) == (2, "kept")
        assert "is an input of this command" in ran.err
