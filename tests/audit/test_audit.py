"""``rnnshape audit``: every pair of values is checked, and each disagreement is reported as a run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import combinations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from rnnshape import api, theory
from rnnshape.audit import audited, lattice
from rnnshape.audit.axes import asked, axes_of
from rnnshape.errors import Invalid
from rnnshape.layers import TABLE
from rnnshape.layers.arguments import DTYPES, Flag
from rnnshape.layers.bidirectional import MERGES
from rnnshape.layers.release import asked as release
from rnnshape.reading.batch.data import from_data
from rnnshape.reading.finishing import finish
from rnnshape.render import ROWS_FORMATS
from rnnshape.spec.data import to_data
from rnnshape.spec.options import INITIAL_STATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rnnshape.layers.node import LayerClass
    from tests.conftest import Ran

SMALL = "SimpleRNNCell"
CLASSES = pytest.mark.parametrize("cls", audited(), ids=repr)


def points(cls: LayerClass) -> list[dict[str, Any]]:
    """The values of each run of a class, including defaults."""
    axes = axes_of(cls)
    return [{axis: run.axes.get(axis, values[0]) for axis, values in axes.items()} for run in lattice([cls])]


def can_be_asked(cls: LayerClass, changed: dict[str, Any]) -> bool:
    made = asked(cls, changed)
    try:
        return made is not None and finish(*made) is not None
    except Invalid:
        return False


def test_each_recurrent_class_and_each_cell_is_audited() -> None:
    recurrent = {name for name, cls in TABLE.items() if cls.kind in ("recurrent", "cell")}
    assert {cls.name for cls in audited()} == recurrent | {"Bidirectional", "TimeDistributed"}


@CLASSES
def test_each_pair_of_values_that_can_be_asked_is_asked(cls: LayerClass) -> None:
    """A pair is possible if it is possible with all other values at their defaults."""
    axes, rows = axes_of(cls), points(cls)
    missing = []
    for (one, values), (other, others) in combinations(axes.items(), 2):
        seen = {(repr(row[one]), repr(row[other])) for row in rows}
        pairs = [(value, beside) for value in values for beside in others]
        for value, beside in pairs:
            changed = {axis: at for axis, at in ((one, value), (other, beside)) if repr(at) != repr(axes[axis][0])}
            if (repr(value), repr(beside)) not in seen and can_be_asked(cls, changed):
                missing.append(changed)
    assert missing == []


@CLASSES
def test_each_flag_of_the_class_is_varied(cls: LayerClass) -> None:
    axes = axes_of(cls)
    offered = [argument for argument in cls.arguments if not argument.missing_in(release())]
    flags = {argument.name for argument in offered if isinstance(argument.kind, Flag)}
    assert flags <= axes.keys()
    assert all(set(axes[flag]) == {False, True} for flag in flags)
    assert {*axes["dtype"]} == {*DTYPES, None}


def test_masks_states_calls_training_merge_modes_and_wrapped_layers_are_varied() -> None:
    wrapper = axes_of(TABLE["Bidirectional"])
    assert {*wrapper["merge_mode"]} == {*MERGES}
    assert {*wrapper["layer"]} == {cls.name for cls in TABLE.values() if cls.kind == "recurrent"}
    assert {*wrapper["layer.dtype"]} == {*DTYPES, None}
    runs = lattice([TABLE["Bidirectional"]])
    assert {run.axes.get("merge_mode", "concat") for run in runs} == {*MERGES}
    assert {"right", "left:3,2", "random", "empty-last"} <= {run.axes.get("mask") for run in runs}
    assert {run.spec.initial_state for run in runs if run.spec} == {None, *INITIAL_STATE.kind.values}  # type: ignore[attr-defined]
    assert {run.spec.calls for run in runs if run.spec} == {1, 2}
    assert {run.spec.training for run in runs if run.spec} == {False, True}
    assert any("backward_layer=" in (run.asked or "") for run in runs)


@pytest.mark.slow
def test_the_default_is_a_few_hundred_layers_of_all_classes() -> None:
    runs = lattice()
    assert 300 < len(runs) < 900
    assert {run.axes["class"] for run in runs} == {cls.name for cls in audited()}
    assert len({run.name for run in runs}) == len(runs)


def test_the_layers_are_the_same_ones_each_time() -> None:
    one, other = ([to_data(run.spec) for run in lattice([TABLE["GRU"]]) if run.spec] for _ in range(2))
    assert one == other


def test_full_draws_more_by_the_seed() -> None:
    few, one, other = (
        [run.asked for run in lattice([TABLE["LSTM"]], full=full, seed=seed)]
        for full, seed in ((False, 1), (True, 1), (True, 2))
    )
    assert one[: len(few)] == other[: len(few)] == few
    assert len(one) > len(few) + 200
    assert one != other


def test_a_run_reads_back_with_its_contract() -> None:
    runs = lattice([TABLE["RNN"]])
    for run in runs:
        assert run.spec is not None
        assert from_data(to_data(run.spec)) == run.spec
        rejected = theory.predict(run.spec).refusal is not None
        assert (run.spec.expect is not None) == rejected
    assert any(run.spec and run.spec.expect for run in runs)


@pytest.fixture
def planted() -> Iterator[None]:
    """A wrong rule for the test: SimpleRNNCell returns its states in a tuple."""
    cls = TABLE[SMALL]
    right = cls.theory

    def wrong(node: Any, given: Any) -> Any:
        answer = right(node, given)
        output, states = answer.returned
        return structs.replace(answer, returned=(output, tuple(states)))

    object.__setattr__(cls, "theory", wrong)
    yield
    object.__setattr__(cls, "theory", right)


def test_a_class_whose_rules_hold_agrees(run: Callable[..., Ran]) -> None:
    ran = run("audit", SMALL)
    assert (ran.code, ran.err) == (0, "")
    assert "keras " in ran.out.splitlines()[0]
    (line,) = (line for line in ran.out.splitlines() if SMALL in line)
    _, name, asked_, agree, both, disagree, _ = (cell.strip() for cell in line.split("│"))
    assert (name, int(asked_), disagree) == (SMALL, int(agree) + int(both), "")
    assert ran.out.endswith(f"✓ Theory and the real layer agree on {asked_} layers.\n")
    assert "│ dtype=bfloat16        │     4 │       │           4 │" in ran.out


@pytest.mark.usefixtures("planted")
def test_a_wrong_rule_is_reported_as_runs_that_read_back(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run("audit", SMALL)
    assert ran.code == 1
    assert "✗ SimpleRNNCell 1: theory and the real layer disagree: y\n" in ran.out
    reported = [line for line in ran.out.splitlines() if line.startswith("{")]
    assert f"disagree on {len(reported)} of " in ran.out
    stdin = SimpleNamespace(buffer=io.BytesIO("\n".join(reported[:2]).encode()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    again = run("batch", "-")
    assert again.code == 1
    assert again.out.endswith("2 runs, 0 ok, 2 failed\n")


def test_a_rejection_that_theory_does_not_know_is_a_disagreement(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = theory.predict
    monkeypatch.setattr(theory, "predict", lambda spec, **how: structs.replace(known(spec, **how), refusal=None))
    ran = run("audit", SMALL)
    assert ran.code == 1
    reported = [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]
    assert reported
    assert all("bfloat16" in one["layer"] for one in reported)


@pytest.mark.slow
@pytest.mark.parametrize("form", ROWS_FORMATS)
def test_each_format_of_a_batch(form: str, run: Callable[..., Ran]) -> None:
    ran = run("audit", SMALL, "-f", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out or form == "github"
    if form == "jsonl":
        rows = [json.loads(line) for line in ran.out.splitlines()]
        assert all(row["ok"] and row["matrix"]["class"] == SMALL for row in rows)
    if form == "markdown":
        assert "| class | asked | agree | both reject | disagree |\n| --- | ---: |" in ran.out


def test_resume_takes_the_rows_that_are_there(run: Callable[..., Ran], tmp_path: Path) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    assert run("audit", SMALL, "-f", "jsonl", "-o", str(old)).code == 0
    rows = [json.loads(line) for line in old.read_text(encoding="utf-8").splitlines()]
    ran = [row for row in rows if row["observed"]]  # a row that theory rejects does not show whether Keras was called
    old.write_text("".join(json.dumps({**row, "params": -1}) + "\n" for row in ran[:5]), encoding="utf-8")
    assert run("audit", SMALL, "-f", "jsonl", "-o", str(new), "--resume", str(old)).code == 0
    resumed = [json.loads(line) for line in new.read_text(encoding="utf-8").splitlines()]
    assert [row["name"] for row in resumed] == [row["name"] for row in rows]
    names = {row["name"] for row in ran[:5]}
    assert {row["name"] for row in resumed if row["params"] == -1} == names
    assert [row for row in resumed if row["name"] not in names] == [row for row in rows if row["name"] not in names]


def test_ctrl_c_leaves_whole_rows(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    explore, count = api.explore, 0

    def interrupted(spec: Any) -> Any:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return explore(spec)

    monkeypatch.setattr(api, "explore", interrupted)
    ran = run("audit", SMALL, "-f", "jsonl")
    assert ran.code == 130
    assert [json.loads(line)["ok"] for line in ran.out.splitlines()] == [True] * 3
    assert "interrupted: 3 runs done of 29, 26 left" in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lstm",), "CLASS lstm: must be one of LSTM, GRU, "),
        (("--seed", "x"), "--seed x: must be a whole number, 0 or more"),
        (("-f", "code"), "--format code: must be one of 'table'"),
        (("--jobs", "2", "--scheduler", "tcp://a:1"), "--jobs: runs on this machine, --scheduler on a cluster"),
        (("--resume", "no-such-file.jsonl"), "--resume: no-such-file.jsonl: there is no such file"),
    ],
)
def test_a_wrong_option_is_one_error(arguments: tuple[str, ...], told: str, run: Callable[..., Ran]) -> None:
    ran = run("audit", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.slow
def test_without_tensorflow_nothing_is_run() -> None:
    program = "import sys; sys.modules['tensorflow'] = None; sys.argv = ['rnnshape', 'audit', '-f', 'jsonl']\n"
    command = [sys.executable, "-c", program + "from rnnshape.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "rnnshape: error: TensorFlow is not installed\nrnnshape: hint: pip install tensorflow\n"


@pytest.mark.slow
def test_all_rules_hold_for_this_keras(run: Callable[..., Ran]) -> None:
    ran = run("audit", "-f", "jsonl")
    wrong = [row["run"] for row in map(json.loads, ran.out.splitlines()) if not row["ok"]]
    assert (ran.code, wrong) == (0, [])


@pytest.mark.cluster
def test_several_processes_give_the_same_result(run: Callable[..., Ran]) -> None:
    assert run("audit", SMALL, "--jobs", "2") == run("audit", SMALL)
