"""The saved model that a Spec was read from: its layers, and the weights of each in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One layer of a saved model.

    ``word`` is its name in the code (empty in a stack), ``names`` are the names of the models around it and its own.
    ``weights`` are its weights in the file, each with its name there and its shape; None if the file has no weights, or
    if it is not known which belong to the layer.
    """

    word: str
    cls: str
    names: tuple[str, ...]
    weights: tuple[tuple[str, Shape], ...] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved model; ``layers`` are in the order of their first calls.

    ``inputs`` has the name of each input in the code and in the model.  ``others`` are the weights in the file that
    belong to none of ``layers``.  ``loads`` says that the lab loads the file.  ``own`` are the user's own classes in
    it, ``modules`` the modules given for them.
    """

    path: str
    layers: tuple[Held, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, Shape], ...] = ()
    loads: bool = True
    modules: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
