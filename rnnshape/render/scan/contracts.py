"""A batch file that expects what the scanned layers return now; run it with ``rnnshape batch contracts.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from rnnshape.spec.expect import ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rnnshape.scan.finding import Found, Scanned


def write(files: Iterable[Scanned], stream: TextIO) -> None:
    """Write a run for each layer or model, with its returned tensors as the contract."""
    taken: set[str] = set()
    runs = [_run(one.file, found, taken) for one in files for found in one.found]
    stream.write("# Written by rnnshape scan --contracts; rnnshape batch checks it.\n")
    yaml.safe_dump({"runs": runs}, stream, sort_keys=False, allow_unicode=True, width=1000)


def _run(file: str, found: Found, taken: set[str]) -> dict[str, Any]:
    name = f"{file}:{found.line}" + (f" {found.name}" if found.name else "")
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name} ({number})"
    taken.add(unique)
    run: dict[str, Any] = {"name": unique, "layer": found.expression}
    if found.let:
        run["let"] = dict(found.let)
    if found.input is not None:
        run["input"] = list(found.input)
    # In a graph, tensors have names from the code; names that are not roles are left out.
    expect: dict[str, Any] = {role: list(shape) for role, shape in found.tensors if ROLE.fullmatch(role)}
    return {**run, "expect": {**expect, "params": found.params}}
