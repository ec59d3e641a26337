"""``rnnshape scan``: find problems of RNN layers in files and folders."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from rnnshape.batch.died import Died
from rnnshape.batch.workers import spread
from rnnshape.cli.output import destination, not_over, note
from rnnshape.cli.progress import wanted as bar_wanted
from rnnshape.cli.progress import watched
from rnnshape.errors import FAILED, INVALID, OK, Invalid, Problem, Unavailable
from rnnshape.render import scan_by_ending, scan_renderer, scan_streams
from rnnshape.render.scan.contracts import write as write_contracts
from rnnshape.render.scan.gathered import counted
from rnnshape.scan.asked import chosen_for
from rnnshape.scan.files import STDIN, gathered
from rnnshape.scan.finding import Scanned
from rnnshape.scan.fixing import as_written, diff, fixed
from rnnshape.scan.one import scan_file, scan_text
from rnnshape.scan.settings import KEYS
from rnnshape.scan.texts import NotRead, of_bytes, read

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from rnnshape.scan.settings import Chosen
    from rnnshape.scan.texts import Text


def scan(paths: Sequence[str], output: Mapping[str, Any]) -> int:
    """Scan files, folders or standard input (``-``); return the exit code.

    Raises:
        Invalid: a path does not exist, or a code is unknown.
    """
    chosen = _chosen(paths, output)
    files = gathered(paths)
    if not files:
        note("found no Python file and no notebook")
    not_over(output.get("output_file"), files)
    if "fix" in output or "diff" in output:
        with destination(output.get("output_file")) as stream:
            left = list(_fixed(files, chosen, stream, output))
        return _ended(left, paths, output)
    wanted = output.get("format") or scan_by_ending(output.get("output_file", "")) or "text"
    scanned: list[Scanned] = []
    contracts = output.get("contracts", False)
    with ExitStack() as stack:
        stream = stack.enter_context(destination(output.get("output_file")))
        results = stack.enter_context(closing(_results(files, output)))
        if bar_wanted(to_stdout="output_file" not in output and scan_streams(wanted)):
            results = stack.enter_context(closing(watched(results, len(files), "files", "with findings")))
        write = write_contracts if contracts else scan_renderer(wanted)
        write(_kept(results, chosen, scanned), stream)
        if "statistics" in output and wanted == "text" and not contracts:
            stream.writelines(f"{count:>6,}  {code}\n" for code, count in counted(scanned))
    return OK if contracts else _ended(scanned, paths, output)


def _chosen(paths: Sequence[str], output: Mapping[str, Any]) -> Chosen:
    """The selected findings: from the command line, else from the project's settings."""
    select, ignore = (tuple(output.get(key, ())) for key in ("select", "ignore"))
    try:
        return chosen_for([path for path in paths if path != STDIN], select, ignore)
    except Invalid as error:
        raise Invalid(replace(one, key=f"--{one.key}") if one.key in KEYS else one for one in error.problems) from None


def _results(files: list[str], output: Mapping[str, Any]) -> Generator[Scanned]:
    """The scan result of each file, in order."""
    wanted = {"layers": output.get("layers", False) or output.get("contracts", False), "keras": output.get("keras")}
    if STDIN in files:
        if len(files) > 1:
            raise Invalid([Problem("PATH", "- reads all of standard input: give it alone")])
        yield _from_stdin(wanted)
        return
    with closing(spread(partial(scan_file, **wanted), files, jobs=output.get("jobs", 1))) as answers:
        for file, answer in zip(files, answers, strict=True):
            yield Scanned(file, unread="the process that read it died") if isinstance(answer, Died) else answer


def _from_stdin(wanted: Mapping[str, Any]) -> Scanned:
    try:
        return scan_text(_stdin(), **wanted)
    except NotRead as error:
        return Scanned("<stdin>", unread=str(error))


def _stdin() -> Text:
    if sys.stdin is None:
        raise Unavailable("standard input is closed", "give a path, or pipe the code in")
    return of_bytes(sys.stdin.buffer.read(), "<stdin>")


def _kept(results: Iterable[Scanned], chosen: Chosen, scanned: list[Scanned]) -> Iterator[Scanned]:
    """The selected findings of each file; unreadable files are reported on standard error."""
    for result in results:
        if result.unread is not None:
            note(f"{result.file} is not read: {result.unread}")
        one = chosen.of(result)
        scanned.append(one)
        yield one


def _fixed(files: list[str], chosen: Chosen, stream: TextIO, output: Mapping[str, Any]) -> Iterator[Scanned]:
    """Write the edits as a diff, apply them unless ``--diff`` is given, and yield each file's remaining findings."""
    write, keras = "diff" not in output, output.get("keras")
    for file in files:
        try:
            before = _stdin() if file == STDIN else read(file)
        except (NotRead, OSError) as error:
            note(f"{file} is not read: {error}")
            yield Scanned(file, unread=str(error))
            continue
        after = fixed(before, chosen, keras=keras)
        if after != before:
            stream.write(diff(before, after))
            if write and file != STDIN and not _written(file, after):
                note(f"{file} is not written: it mixes line breaks")
                after = before
        yield chosen.of(scan_text(after if write else before, keras=keras))


def _written(file: str, after: Text) -> bool:
    """Replace a file with its fixed text; False, and no change, if the file mixes line breaks."""
    if (data := as_written(Path(file).read_bytes(), after)) is None:
        return False
    with destination(file) as stream:
        stream.buffer.write(data)
    return True


def _ended(scanned: Sequence[Scanned], paths: Sequence[str], output: Mapping[str, Any]) -> int:
    """The exit code; 2 if a file that the command line names cannot be read."""
    named = {STDIN, "<stdin>", *paths}
    if any(one.unread is not None and one.file in named for one in scanned):
        return INVALID
    found = any(one.findings for one in scanned)
    return FAILED if found and not output.get("exit_zero", False) else OK
