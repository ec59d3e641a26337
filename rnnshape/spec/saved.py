"""The saved model that a Spec was read from: where its layers stand in the file, and what the file holds of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One layer of a saved model, in the order in which the layers are first called.

    ``word`` is its name in the code that is shown (none in a stack), ``names`` are the names of the models around it
    and its own.  ``weights`` are the weights that the file has of it, each with its name there and its shape; None
    where the file has none to compare, or where they stand is not known.
    """

    word: str
    cls: str
    names: tuple[str, ...]
    weights: tuple[tuple[str, Shape], ...] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved model.

    ``inputs`` gives the name of the input layer behind each input of the code.  ``others`` are the weights in the
    file that belong to none of ``layers``.  ``loads`` says that the lab loads the file; ``modules`` are those of the
    reader's own classes in it, ``own`` these classes.
    """

    path: str
    layers: tuple[Held, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    others: tuple[tuple[str, Shape], ...] = ()
    loads: bool = True
    modules: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
