"""The command line as people and scripts use it: answers, errors, exit codes, streams."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.shared.releases import newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

CLASSIC = ("lstm", "--return-state", "--return-sequences")
KEYS = [
    "schema_version", "name", "expression", "input", "predicted", "observed", "agrees", "checks",
    "weights", "params", "cudnn", "environment", "error", "ok", "run", "cost",
]  # fmt: skip


def test_the_most_common_command(run: Callable[..., Ran]) -> None:
    ran = run(*CLASSIC, "--format", "json")
    report = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert list(report) == KEYS
    assert report["schema_version"] == "1.0"
    assert report["expression"] == "LSTM(1, return_sequences=True, return_state=True)"
    assert report["input"] == {"shape": [2, 3, 4], "symbolic": ["N", "T", "C"], "dtype": "float32"}
    device = {"device": report["environment"]["device"]}
    assert report["observed"]["items"] == [tensor | device for tensor in report["predicted"]["items"]]
    assert report["observed"]["items"][0] == device | {
        "kind": "tensor", "role": "output", "path": "[0]",
        "shape": [2, 3, 1], "symbolic": ["N", "T", "H"], "dtype": "float32",
    }  # fmt: skip
    assert report["checks"][0] == {
        "check": "output[:, -1, :] == state_h", "guaranteed": True, "holds": True, "exact": True,
        "max_abs_diff": 0.0, "why": "the last step's output is the hidden state",
    }  # fmt: skip
    assert report["params"] == 24
    assert report["environment"]["device"] in ("CPU:0", "GPU:0")
    assert report["ok"] is True


@pytest.mark.slow
def test_in_a_real_process_standard_error_is_empty() -> None:
    command = [sys.executable, "-m", "rnnshape", "gru", "--dtype", "float16", "-f", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True


@pytest.mark.slow
def test_verbose_shows_what_tensorflow_says() -> None:
    command = [sys.executable, "-m", "rnnshape", "gru", "--verbose", "-f", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr


def test_a_closed_pipe_ends_it_without_an_error() -> None:
    script = f"{sys.executable} -m rnnshape lstm --predict --cost --weights | head -1"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("LSTM(1)", "")


def test_a_prediction_verifies_nothing(run: Callable[..., Ran]) -> None:
    report = json.loads(run(*CLASSIC, "--predict", "-f", "json").out)
    assert report["observed"] is None
    assert report["agrees"] is None
    assert {check["holds"] for check in report["checks"]} == {None}
    assert report["cudnn"]["used"] is None
    assert report["environment"]["device"] is None
    assert report["ok"] is True


ERRORS = {
    "timing": (["lstm", "--timing", "--predict"], "--timing: needs the real layer, which --predict does not run"),
    "values": (["lstm", "--values", "--predict"], "--values: needs the real layer, which --predict does not run"),
    "code": (["gru", "--code", "-f", "json"], "--code: is --format code, and --format json is given too: give one"),
    "units 0": (["lstm", "--units", "0"], "--units 0: must be a whole number, 1 or more"),
    "units -1": (["lstm", "--units", "-1"], "--units -1: must be a whole number, 1 or more"),
    "units 2.5": (["lstm", "-u", "2.5"], "--units 2.5: must be a whole number, 1 or more"),
    "units 4.0": (["lstm", "-u", "4.0"], "--units 4.0: must be a whole number, 1 or more"),
    "units 1_000": (["lstm", "-u", "1_000"], "--units 1_000: must be a whole number, 1 or more"),
    "time 0": (["gru", "--time", "0"], "--time 0: must be a whole number, 1 or more"),
    "activation": (
        ["lstm", "--activation", "tahn"],
        "--activation tahn: must be the name of a Keras activation (did you mean 'tanh'?)",
    ),
    "dtype": (
        ["lstm", "--dtype", "float31"],
        "--dtype float31: must be one of 'float32', 'float16', 'float64', 'bfloat16', 'mixed_float16', "
        "'mixed_bfloat16', None (did you mean 'float32'?)",
    ),
    "merge mode": (
        ["bidirectional", "--merge-mode", "cat"],
        "--merge-mode cat: must be one of 'concat', 'sum', 'mul', 'ave', None (did you mean 'concat'?)",
    ),
    "dropout": (["lstm", "--dropout", "1.5"], "--dropout 1.5: must be a number from 0 to 1"),
    "seed": (["lstm", "--seed", "x"], "--seed x: must be a whole number, 0 or more"),
    "idle option": (
        ["rnn", "--cell", "lstm", "--no-reset-after"],
        "--no-reset-after: does not apply to RNN and LSTMCell; it belongs to GRU and GRUCell",
    ),
    "rank": (
        ["lstm", "--input", "2,3"],
        "--input 2,3: LSTM takes a rank-3 input (N, T, C), not the rank-2 (2, 3): add the time axis, "
        'x[:, None, :] for one step (Keras: "expected ndim=3, found ndim=2")',
    ),
    "shape twice": (
        ["lstm", "--input", "2,3,4", "--batch", "2"],
        "--batch 2: is already set by input, which is the whole shape",
    ),
    "format": (["lstm", "-f", "jsn"], "--format jsn: must be one of 'table', 'json', 'jsonl', 'markdown', 'html', 'svg', 'code' (did you mean 'json'?)"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ERRORS)
def test_a_mistake_is_one_clear_line(mistake: str, run: Callable[..., Ran]) -> None:
    arguments, message = ERRORS[mistake]
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"rnnshape: error: {message}\n"


def test_all_mistakes_are_shown_at_once(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "-u", "0", "-t", "0", "--dtype", "int8", "-f", "xml")
    assert ran.code == 2
    assert [line.split()[2] for line in ran.err.splitlines()] == ["--units", "--time", "--dtype", "--format"]


def test_an_unknown_option_suggests_a_similar_one(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--retrun-state")
    assert ran.code == 2
    assert "--return-state" in ran.err


@pytest.mark.parametrize(
    ("command", "option"),
    [("simple-rnn", "--recurrent-activation"), ("lstm", "--reset-after"), ("gru-cell", "--return-state"),
     ("bidirectional", "--go-backwards"), ("lstm", "--merge-mode"), ("lstm-cell", "--time"), ("lstm-cell", "--into"),
     ("embedding", "--channels")],
)  # fmt: skip
def test_an_option_that_does_not_apply_is_not_offered(command: str, option: str, run: Callable[..., Ran]) -> None:
    assert option not in run(command, "--help").out


def test_an_option_that_does_not_apply_is_an_error_in_data() -> None:
    from rnnshape.errors import Invalid
    from rnnshape.reading import make

    with pytest.raises(Invalid, match=re.escape("does not apply here: LSTMCell takes (N, C)")):
        make("lstm-cell", {"time": 3})


def test_without_tensorflow_it_says_so() -> None:
    program = "import sys; sys.modules['tensorflow'] = None; sys.argv = ['rnnshape', 'lstm', '-f', 'json']\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "from rnnshape.cli import main; main()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == "rnnshape: error: TensorFlow is not installed\nrnnshape: hint: pip install tensorflow\n"
    assert json.loads(done.stdout)["error"]["kind"] == "tensorflow"


def test_no_gpu_where_one_is_required(run: Callable[..., Ran]) -> None:
    from rnnshape.lab.tensorflow import gpus

    if gpus():
        pytest.skip("this machine has a GPU")
    for arguments in (["lstm", "--device", "gpu"], ["lstm", "--use-cudnn", "true"]):
        ran = run(*arguments, "-f", "json")
        assert ran.code == 3
        assert "TensorFlow sees no GPU here" in ran.err
        report = json.loads(ran.out)
        assert report["error"]["kind"] == "device"
        assert (report["observed"], report["ok"]) == (None, False)


def test_a_layer_that_does_not_fit_into_memory_is_rejected_with_the_estimate(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--units", "1000000", "-f", "json")
    assert ran.code == 3
    assert json.loads(ran.out)["error"]["kind"] == "memory"
    assert "the tensors need about 29.1 TiB" in ran.err


def test_an_error_of_keras_is_shown_in_its_own_words(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--dtype", "bfloat16", "-f", "json")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert "Value for attr 'T' of bfloat16" in ran.err
    assert "hint: use mixed_bfloat16" in ran.err
    assert json.loads(ran.out)["error"]["kind"] == "keras"


def test_a_warning_of_keras_is_part_of_the_answer(run: Callable[..., Ran]) -> None:
    asked = ("simple-rnn", "--activation", "softmax")
    said = "You are using a softmax over axis -1"
    ran = run(*asked, "-f", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["warnings"][0].startswith(said)
    for form in ("table", "markdown", "html", "svg"):
        ran = run(*asked, "-f", form)
        assert ran.err == ""
        assert ran.out.replace("&#160;", " ").count(said) == 1, form
    assert f"rnnshape: Keras warns: {said}" in run(*asked, "--verbose").err


def test_values_are_the_numbers_of_the_run(run: Callable[..., Ran]) -> None:
    ran = run("lstm", "--return-state", "--values", "-f", "json")
    output, state_h, _ = (item["values"] for item in json.loads(ran.out)["observed"]["items"])
    assert output == state_h
    assert len(output) == 2
    assert run("lstm", "--return-state", "--values", "-f", "json").out == ran.out
    assert "values" not in json.loads(run("lstm", "-f", "json").out)["observed"]


def test_numbers_that_are_not_finite_are_null_in_json(run: Callable[..., Ran]) -> None:
    ran = run("simple-rnn", "--activation", "exponential", "--time", "50", "--values", "-f", "json", "-u", "3")
    assert ran.code == 0
    values = json.loads(ran.out)["observed"]["values"]
    assert any(number is None for row in values for number in row)


def test_an_output_file_is_written_whole_or_not_at_all(run: Callable[..., Ran], tmp_path: Path) -> None:
    target = tmp_path / "answer.json"
    ran = run("gru", "--predict", "-f", "json", "-o", str(target))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert json.loads(target.read_text())["expression"] == "GRU(1)"
    missing = run("gru", "--predict", "-o", str(tmp_path / "no" / "answer"))
    assert missing.code == 3
    assert "No such file or directory" in missing.err
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is a device of Linux")
def test_a_full_disk_is_an_error(run: Callable[..., Ran]) -> None:
    ran = run("gru", "--predict", "-o", "/dev/full")
    assert ran.code == 3
    assert "No space left on device" in ran.err


def test_env(run: Callable[..., Ran]) -> None:
    facts = json.loads(run("env", "-f", "json").out)
    assert {"python", "tensorflow", "keras", "devices", "gpu", "cudnn", "cudnn_usable"} <= facts.keys()
    assert "CPU:0" in run("env").out


def test_version(run: Callable[..., Ran]) -> None:
    import rnnshape

    assert run("--version").out == f"rnnshape {rnnshape.__version__}\n"


GOLDEN = {
    "classic": CLASSIC,
    "lstm": ("lstm",),
    "gru-backwards": ("gru", "--go-backwards", "--return-sequences", "--return-state", "-u", "3"),
    "bidirectional": ("bidirectional", "--return-sequences", "--return-state", "-u", "2"),
    "bidirectional-none": ("bidirectional", "--layer", "gru", "--merge-mode", "none", "--return-state"),
    "cell": ("lstm-cell", "--weights", "-u", "2"),
    "rnn": ("rnn", "--cell", "gru", "--return-state", "--weights"),
    "relu": ("lstm", "--activation", "relu", "--recurrent-dropout", "0.2"),
}


@newest
@pytest.mark.parametrize("name", GOLDEN)
def test_view(name: str, run: Callable[..., Ran], golden: Callable[[str, str], None]) -> None:
    """The view of a prediction is a golden file; the view of a run has a row for each tensor."""
    golden(f"{name}.txt", without_versions(run(*GOLDEN[name], "--predict").out))
    seen = run(*GOLDEN[name])
    report = json.loads(run(*GOLDEN[name], "-f", "json").out)
    tensors = leaf_count(report["observed"])
    rows = [line for line in seen.out.splitlines() if line.startswith("│ y")]
    assert len(rows) == tensors == leaf_count(report["predicted"])
    assert seen.out.count("✓") == 1 + sum(check["holds"] for check in report["checks"])
    assert all(line == line.rstrip() for line in seen.out.splitlines())


def leaf_count(structure: dict) -> int:
    return 1 if structure["kind"] == "tensor" else sum(map(leaf_count, structure["items"]))


def without_versions(text: str) -> str:
    """The view without versions and devices."""
    return re.sub(r"TensorFlow \S+, Keras \S+", "TensorFlow X, Keras Y", text)


def test_the_name_of_a_file_of_code_is_read(run: Callable[..., Ran], tmp_path: Path) -> None:
    code = "from keras import layers\n\nlayer = layers.GRU(8, return_state=True)\n"
    (tmp_path / "model.py").write_text(code, encoding="utf-8")
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", line]} for line in code.splitlines(keepends=True)]
    (tmp_path / "notes.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    for name in ("model.py", "notes.ipynb"):
        answer = json.loads(run("show", str(tmp_path / name), "--predict", "-f", "json").out)
        assert answer["expression"] == "GRU(8, return_state=True)"
    missing = run("show", str(tmp_path / "other.py"))
    assert (missing.code, missing.out) == (2, "")
    assert missing.err == f"rnnshape: error: {tmp_path / 'other.py'}: there is no such file\n"
