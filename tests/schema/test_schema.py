"""The JSON Schemas match the code: they accept and reject the same data."""

from __future__ import annotations

import io
import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import rnnshape
from rnnshape.batch import rows
from rnnshape.errors import Invalid
from rnnshape.reading.batch.data import _tuples, from_data
from rnnshape.reading.batch.documents import read_yaml
from rnnshape.reading.batch.runs import from_stream
from rnnshape.reading.saved.model import make_saved
from rnnshape.reading.saved.weights_file import make_against
from rnnshape.schema.comparison import comparison
from rnnshape.schema.file import batch_file
from rnnshape.schema.report import report
from rnnshape.spec.commands import COMMANDS
from rnnshape.spec.options import DTYPE, RUN_OPTIONS
from rnnshape.structure import leaves
from tests import CONFIGS, ROOT
from tests.shared.drawing import Drawer
from tests.shared.sampling import some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran

POSITIVE = sorted((ROOT / "tests" / "batch" / "examples" / "positive").iterdir())

KINDS = {
    repr(argument.kind): argument.kind
    for arguments in (*(command.options.values() for command in COMMANDS.values()), (*RUN_OPTIONS, DTYPE))
    for argument in arguments
}
WORDS = sorted({word for kind in KINDS.values() for word in getattr(kind, "values", ()) if isinstance(word, str)})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12) | st.integers() | st.just(10**400),
    st.floats(allow_nan=False) | st.floats(-1, 2),
    st.sampled_from(WORDS) | st.text(max_size=4) | st.sampled_from(("LSTM(8)", "1", "true", "2,3,4")),
)
VALUES = (
    SCALARS | st.lists(SCALARS | st.lists(SCALARS, max_size=2), max_size=4) | st.lists(st.integers(0, 5), max_size=4)
)


def valid(value: Any, schema: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def as_json(value: Any) -> Any:
    """The value as JSON Schema sees it, where 2.0 is an integer."""
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", some(KINDS, 2))
@given(value=VALUES)
@example(value=True)
@example(value=1)
@example(value=0)
@example(value=None)
@example(value=[])
@example(value=[2, True])
@example(value=10**400)
def test_a_kind_accepts_what_its_schema_does(name: str, value: Any) -> None:
    kind = KINDS[name]
    assert kind.accepts(_tuples(as_json(value))) == valid(value, kind.schema())


def test_the_schemas_are_schemas_and_define_what_they_use() -> None:
    for schema in (batch_file(), report(), comparison()):
        Draft202012Validator.check_schema(schema)
        assert set(_references(schema)) == {f"#/$defs/{name}" for name in schema["$defs"]}


def _references(schema: Any) -> Iterator[str]:
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "$ref":
            yield part
        elif isinstance(part, dict | list):
            yield from _references(part)


# ── the batch file ──

FILE = Draft202012Validator(batch_file())
# Without the layer inside a Bidirectional, because ``layer`` is the run's own key.
OPTIONS = sorted(
    {name for command in COMMANDS.values() for name in command.options} - {"layer"} | {o.name for o in RUN_OPTIONS}
)


@pytest.mark.parametrize("path", [*CONFIGS, *POSITIVE], ids=lambda path: path.name)
def test_every_example_is_valid(path: Path) -> None:
    if path.suffix != ".jsonl":
        FILE.validate(read_yaml(path.read_bytes(), path.name).data)
        return
    for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
        FILE.validate({"runs": [json.loads(line)]})


def readable(run: dict[str, Any]) -> bool:
    try:
        from_data(run)
    except Invalid:
        return False
    return True


SAMPLES = (
    1,
    0.5,
    True,
    "LSTM(3)",
    "lstm",
    "auto",
    "tanh",
    "float16",
    "same",
    "sum",
    "channels_last",
    "3.8",
    "random",
    [2, 3],
    {"units": 1},
)


@pytest.mark.parametrize("layer", [*COMMANDS, "LSTM(8, return_state=True)", "Dense(3)"])
def test_an_option_is_allowed_only_where_it_applies(layer: str) -> None:
    """The schema allows the options in the table, and the reader takes no others."""
    command = COMMANDS.get(layer)
    meant = {option.name for option in (*(command.run_options if command else RUN_OPTIONS), DTYPE)}
    meant |= command.options.keys() if command else set()
    offered, taken = set(), set()
    for name in OPTIONS:
        runs = [{"layer": layer, name: value} for value in SAMPLES]
        offered |= {name for run in runs if FILE.is_valid({"runs": [run]})}
        taken |= {name for run in runs if readable(run)}
    assert offered == meant - {"layer"}
    assert taken <= offered


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_has_its_help(name: str) -> None:
    schema = json.dumps(batch_file()["$defs"][name])
    offered = [option for command in COMMANDS.values() for option in (*command.options.values(), *RUN_OPTIONS, DTYPE)]
    assert all(json.dumps(option.help.rstrip(":."))[1:-1] in schema for option in offered if option.name == name)


@given(
    layer=st.sampled_from([*COMMANDS, "LSTM(8)"]), options=st.dictionaries(st.sampled_from(OPTIONS), VALUES, max_size=2)
)
def test_the_reader_rejects_what_the_schema_rejects(layer: str, options: dict[str, Any]) -> None:
    run = {"layer": layer, **options}
    assert FILE.is_valid({"runs": [run]}) or not readable(as_json(run))


WRONG = {
    "unknown key": "runs: [{layer: lstm, unit: 8}]",
    "wrong type": "runs: [{layer: lstm, units: eight}]",
    "null": "runs: [{layer: lstm, units: null}]",
    "not a command": "runs: [{layer: lstmm}]",
    "another layer's option": "runs: [{layer: lstm, merge_mode: sum}]",
    "an option beside an expression": "runs: [{layer: LSTM(8), units: 3}]",
    "unknown top": "runs: [{layer: lstm}]\nrun: 3",
    "no runs": "defaults: {seed: 1}",
    "empty runs": "runs: []",
    "a run that is none": "runs: [lstm]",
    "a default that is none": "defaults: {sed: 1}\nruns: [{layer: lstm}]",
    "a default name": "defaults: {name: x}\nruns: [{layer: lstm}]",
    "a default matrix": "defaults: {matrix: {units: [1]}}\nruns: [{layer: lstm}]",
    "empty axis": "runs: [{layer: lstm, matrix: {units: []}}]",
    "axis without list": "runs: [{layer: lstm, matrix: {units: 3}}]",
    "axis of another kind": "runs: [{layer: lstm, matrix: {return_state: [true, 3]}}]",
    "unknown axis": "runs: [{layer: lstm, matrix: {name: [a]}}]",
    "include": "runs: [{layer: lstm, matrix: {units: [1], include: [{unit: 3}]}}]",
    "exclude by name": "runs: [{layer: lstm, matrix: {units: [1], exclude: [{name: x}]}}]",
    "unknown expectation": "runs: [{layer: lstm, expect: {structre: output}}]",
    "no role": "runs: [{layer: lstm, expect: {cell0_output: 3}}]",
    "no shape": "runs: [{layer: lstm, expect: {output: 3}}]",
    "no size": "runs: [{layer: lstm, expect: {output: [2.5]}}]",
    "params": "runs: [{layer: lstm, expect: {params: 2.5}}]",
    "no error": "runs: [{layer: lstm, unit: 8, expect: {error: 3}}]",
    "cudnn": "runs: [{layer: lstm, expect: {cudnn: true}}]",
}
RIGHT = {
    "the whole": """
        defaults: {seed: 1, layer: gru, merge_mode: sum, expect: {cudnn: eligible}}
        runs:
          - {name: one, units: 3, expect: {structure: output, params: 24, output: [N, 3], checks: [output == output]}}
          - layer: Bidirectional(RNN([LSTMCell(3), GRUCell(4)], return_state=True))
            expect: {forward_cell0_state_h: [N, _], backward_cell1_state: [2, "H"], checks: output == output, error: x}
          - matrix:
              layer: [lstm, gru]
              units: [1, 2]
              include: [{layer: dense, name: no RNN, expect: {params: 5}}]
              exclude: [{layer: lstm, units: 2}]
          - {layer: conv-lstm1d, kernel_size: [3]}
          - {layer: conv-lstm2d, kernel_size: [3, 3]}
          # With a matrix the layer is not known to be the run's own.
          - {layer: lstm, merge_mode: sum, matrix: {layer: [bidirectional]}}
    """,
    "a wrong run that is expected": "runs: [{layer: lstm, unit: 8, time: 0, expect: {error: unit}}]",
    "empty defaults": "defaults:\nruns: [{layer: lstm, name: null}]",
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file(what: str) -> None:
    assert not FILE.is_valid(yaml_data(WRONG[what]))


@pytest.mark.parametrize("what", RIGHT)
def test_a_right_file(what: str) -> None:
    FILE.validate(yaml_data(RIGHT[what]))


def yaml_data(text: str) -> Any:
    return read_yaml(dedent(text).encode(), "x.yaml").data


def test_every_role_and_every_letter_can_be_expected() -> None:
    drawer = Drawer(1)
    for _ in range(300):
        for tensor in leaves(rnnshape.predict(drawer.spec()).predicted):
            FILE.validate({"runs": [{"expect": {tensor.role: list(tensor.symbolic)}}]})


# ── the report ──

REPORT = Draft202012Validator(report())


def _row(line: bytes) -> dict[str, Any]:
    """The row of a line of JSON Lines."""
    return next(rows(from_stream(io.BytesIO(line), "-"))).data


SAVED = ROOT / "tests/reading/saved"
SOME_REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "states": lambda: rnnshape.explore("lstm", return_state=True, return_sequences=True).to_dict(values=True),
    "two outputs": lambda: rnnshape.explore("bidirectional", merge_mode=None, return_state=True).to_dict(),
    "stack": lambda: rnnshape.explore("Embedding(9, 4, mask_zero=True) | LSTM(2) | Dense(1)").to_dict(values=True),
    "nested": lambda: rnnshape.explore("RNN([LSTMCell(4), GRUCell(6)], return_state=True)").to_dict(values=True),
    "cell": lambda: rnnshape.explore("gru-cell").to_dict(),
    "window": lambda: rnnshape.explore("conv-lstm1d", kernel_size=2, strides=2).to_dict(),
    "into": lambda: rnnshape.explore("gru", return_state=True, into="GRU(1)").to_dict(),
    "warned": lambda: rnnshape.explore("simple-rnn", activation="softmax").to_dict(),
    "traced": lambda: rnnshape.explore("bidirectional", recurrent_dropout=0.2, trace=True).to_dict(),
    "not finite": lambda: rnnshape.explore("simple-rnn", activation="exponential", time=50, units=3).to_dict(values=True),
    "refused": lambda: rnnshape.explore("lstm", dtype="bfloat16").to_dict(),
    "too large": lambda: rnnshape.explore("lstm", units=1_000_000).to_dict(),
    "refused in theory": lambda: rnnshape.predict("lstm", dtype="bfloat16").to_dict(),
    "unasked": lambda: _row(b'{"layer": "lstm", "units": 0}'),
    "unreadable": lambda: _row(b'{"layer": '),
    "not as expected": lambda: _row(b'{"layer": "lstm", "units": 0, "expect": {"error": "keras"}}'),
    "a contract": lambda: rnnshape.explore("lstm", expect={"output": ["N", "_"], "params": 3}).to_dict(),
    "of a matrix": lambda: _row(b'{"layer": "lstm", "matrix": {"units": [1]}}'),
    "refused as expected": lambda: rnnshape.predict("lstm", dtype="bfloat16", expect={"error": "keras"}).to_dict(),
    "a saved model": lambda: rnnshape.explore(*make_saved(str(SAVED / "bidirectional.keras"))).to_dict(),
    "weights that do not fit": lambda: rnnshape.predict(
        make_against(str(SAVED / "encoder_decoder.weights.h5"), "GRU(8, use_bias=False)")
    ).to_dict(),
}  # fmt: skip


@pytest.mark.parametrize("what", SOME_REPORTS)
def test_a_report_is_valid(what: str) -> None:
    REPORT.validate(SOME_REPORTS[what]())


def test_a_report_of_a_later_version_is_valid() -> None:
    REPORT.validate({**rnnshape.predict("lstm").to_dict(), "schema_version": "1.7", "new": 1})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_report_of_a_command_is_valid(command: str, run: Callable[..., Ran]) -> None:
    REPORT.validate(json.loads(run(command, "--predict", "-f", "json").out))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_reports_of_a_batch_are_valid(path: Path, run: Callable[..., Ran]) -> None:
    for line in run("batch", str(path), "--predict", "-f", "jsonl").out.splitlines():
        REPORT.validate(json.loads(line))


# Keys that are optional, and keys that may have any type.
OPTIONAL = {
    "values", "gates", "flow", "notes", "warnings", "into", "execution", "rnnshape", "cost", "tf32",
    "decided_by", "source", "on_gpu", "cudnn.predicted", "traced", "tensor.device", "disagreements", "file", "apart",
    "others",
}  # fmt: skip
ANYTHING = {"run", "matrix", "expectations", "of a later version"}


@pytest.mark.parametrize("what", some(SOME_REPORTS, 4))
def test_a_report_without_a_key_or_with_another_type_is_not_valid(what: str) -> None:
    whole = SOME_REPORTS[what]()
    for holder, key in _places(whole):
        there = holder[key]
        holder[key] = {}
        assert not REPORT.is_valid(whole), f"{key} is {{}}"
        if isinstance(holder, dict):
            del holder[key]
            optional = bool({key, f"{_kind(holder)}.{key}"} & OPTIONAL)
            assert REPORT.is_valid(whole) == optional, f"no {key}"
        holder[key] = there
    REPORT.validate(whole)


def _kind(holder: dict[str, Any]) -> str:
    """The kind of an object; objects of different kinds use the same key with different meanings."""
    return "cudnn" if "eligible" in holder else str(holder.get("kind"))


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in plain data: its container and its key."""
    for key, part in list(data.items() if isinstance(data, dict) else enumerate(data)):
        if key in ANYTHING:
            continue
        yield data, key
        if isinstance(part, dict | list):
            yield from _places(part)


WRONG_REPORTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no kernel": lambda report: report["cudnn"]["predicted"][0].update(kernel="fast"),
    "traced nowhere": lambda report: report["cudnn"].update(traced=True),
    "another major version": lambda report: report.update(schema_version="2.0"),
    "observed in spite of an error": lambda report: report.update(
        observed=report["predicted"], error={"kind": "keras", "message": "", "hint": None}
    ),
    "not asked, and answered": lambda report: report.update(predicted=None),
    "no path": lambda report: report["predicted"].update(path="[x]"),
    "no container": lambda report: report["predicted"].update(kind="set"),
    "half a size": lambda report: report["predicted"].update(shape=[2, 0.5]),
    "negative": lambda report: report.update(params=-1),
    "expectation": lambda report: report.update(expectations=[{"expect": "params"}]),
    "true as a number": lambda report: report["environment"].update(seed=True),
}


@pytest.mark.parametrize("what", WRONG_REPORTS)
def test_a_wrong_report(what: str) -> None:
    whole = rnnshape.predict("lstm").to_dict()
    REPORT.validate(whole)
    WRONG_REPORTS[what](whole)
    assert not REPORT.is_valid(whole)


# ── the command ──


@pytest.mark.parametrize(
    ("arguments", "schema"),
    [((), batch_file), (("file",), batch_file), (("report",), report), (("compare",), comparison)],
)
def test_the_command_prints_it(arguments: tuple[str, ...], schema: Callable[[], Any], run: Callable[..., Ran]) -> None:
    ran = run("schema", *arguments)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == json.dumps(schema(), indent=2) + "\n"


def test_the_command_writes_it_into_a_file(tmp_path: Path, run: Callable[..., Ran]) -> None:
    target = tmp_path / "rnnshape.schema.json"
    ran = run("schema", "report", "-o", str(target))
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert json.loads(target.read_text(encoding="utf-8")) == report()


def test_another_schema_is_a_mistake(run: Callable[..., Ran]) -> None:
    ran = run("schema", "reprot")
    assert (ran.code, ran.out) == (2, "")
    assert (
        ran.err == "rnnshape: error: WHAT reprot: must be one of 'file', 'report', 'compare' (did you mean 'report'?)\n"
    )
