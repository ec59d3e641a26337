"""From a saved or a live model to Specs: its config is read, and nothing is unpacked, loaded or run.

``saved_file`` finds the config in the file, ``config`` writes it as code, which is read as pasted code is.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import release
from rnnshape.reading.making import make_all
from rnnshape.reading.saved import model_file, stored
from rnnshape.reading.saved.config import code
from rnnshape.reading.saved.foreign import foreign
from rnnshape.reading.saved.model_file import invalid
from rnnshape.spec.options import DTYPE, IMPORT
from rnnshape.spec.options import KERAS as RELEASE
from rnnshape.spec.saved import Held, Saved
from rnnshape.versions import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rnnshape.reading.saved.foreign import Foreign
    from rnnshape.reading.saved.model_layers import Code
    from rnnshape.spec import Spec


def make_saved(path: str, options: Mapping[str, Any] | None = None) -> list[Spec]:
    """The Specs of a saved model; the shapes of the weights in the file are theirs to be compared (``Spec.saved``).

    The installed release of Keras is asked about, as ``load_model`` would use it; where none of the file's major
    version is installed, the release that wrote the file.

    Raises:
        Invalid: there is no such file, or it is damaged, too large, or holds what no saved model holds.
    """
    config, version = model_file.read(path)
    options = dict(options or {})
    if DTYPE.name in options:
        raise Invalid([Problem(DTYPE.name, f"each layer in {path} has its own")])
    with model_file.failing(path):
        written = code(config)
        others = list(_once(foreign(config)))
        options, notes = _release(version, options)
        weights, left = stored.of_layers(path, written.layers) if stored.has_weights(path) else (None, ())
        beside = model_file.beside(path)
    modules = _modules(options)
    specs = _located(path, written, others, options)
    saved = Saved(
        path,
        tuple(
            Held(place.word, place.cls, place.names, one)
            for place, one in zip(written.layers, weights or [None] * len(written.layers), strict=True)
        ),
        written.inputs,
        left,
        loads=len(specs) == 1 and not beside and not (others and not all(one.importable and modules for one in others)),
        modules=modules,
        own=tuple(one.name.rpartition(".")[2] for one in others),
    )
    notes += _unloaded(others, beside, modules)
    if others:  # the notes of the reader speak of code that nobody wrote
        specs = [replace(spec, notes=tuple(one for one in spec.notes if _BEFORE not in one)) for spec in specs]
    if len(specs) > 1:
        notes.append("the model has parts that are not connected: each is answered alone, and no weight is compared")
        return [replace(spec, notes=(*notes, *spec.notes)) for spec in specs]
    return [replace(spec, saved=saved, notes=(*notes, *spec.notes)) for spec in specs]


_BEFORE = "what stands before it is answered"


def make_live(layer: Any, options: Mapping[str, Any]) -> list[Spec]:
    """The Specs of a live layer or model of Keras 3 or tf_keras, from its config; its weights do not matter.

    Raises:
        Invalid: it is no layer, or has no config, as a model of one's own with a ``call`` has none.
    """
    cls = type(layer)
    root = next(
        (root for one in cls.__mro__ if (root := one.__module__.partition(".")[0]) in ("keras", "tf_keras")), None
    )
    if root is None or not hasattr(layer, "get_config"):
        raise invalid(f"{cls.__name__} is not an expression, a Spec, or a layer or model of Keras")
    try:
        values = layer.get_config()
    except NotImplementedError:
        raise invalid(f"{cls.__name__} has no config: give its layers one by one, or its code") from None
    config = {"class_name": cls.__name__, "module": cls.__module__, "config": values}
    written = code(config)
    options, notes = _release(getattr(sys.modules.get(root), "__version__", None), options)
    specs = _located(getattr(layer, "name", cls.__name__), written, list(_once(foreign(config))), options)
    return [replace(spec, notes=(*notes, *spec.notes)) for spec in specs]


def _modules(options: Mapping[str, Any]) -> tuple[str, ...]:
    given = options.get(IMPORT.name, ())
    return (given,) if isinstance(given, str) else tuple(given)


def _once(found: Iterable[Foreign]) -> Iterator[Foreign]:
    """The first of each layer: a Lambda names its function too."""
    seen = set()
    for one in found:
        if (one.layer or one.name) not in seen:
            seen.add(one.layer or one.name)
            yield one


def _located(path: str, written: Code, others: Sequence[Foreign], options: Mapping[str, Any]) -> list[Spec]:
    """The Specs of a model's code; a mistake is told of the file and the layer, for nobody wrote the code.

    Raises:
        Invalid: as ``make_all``.
    """
    try:
        return make_all(written.text, options)
    except Invalid as error:
        if others and not _modules(options):
            problems = [Problem("", f"{path}: {one.said}: {_ADVICE[one.importable]}") for one in others]
            raise Invalid(problems) from None
        raise Invalid([_placed(path, written, problem) for problem in error.problems]) from None


_ADVICE = {
    True: "theory has no rule for it; if it is your own, --import MODULE loads it, and runs the code of the module",
    False: "its code is in the file, and is not run; make it a class of your own, which --import MODULE loads",
}


def _placed(path: str, written: Code, problem: Problem) -> Problem:
    """The problem with the layer's name in the place of a place in code that nobody wrote."""
    if problem.span is None:
        return problem if problem.key else Problem("", f"{path}: {problem.message}")
    name = written.about(problem.span)
    return Problem("", f"{path}: {f'layer {name}: ' if name else ''}{problem.message}")


def _unloaded(others: Sequence[Foreign], beside: Sequence[str], modules: Sequence[str]) -> list[str]:
    """Why the lab builds the layers anew and does not load the file."""
    notes = []
    if refused := [one.said for one in others if not (one.importable and modules)]:
        advice = "" if modules or not any(one.importable for one in others) else " (--import MODULE loads a class)"
        notes.append(f"the file is not loaded because of {' and '.join(refused)}{advice}: {_BEFORE}")
    if beside:
        notes.append(f"the file is not loaded because Keras would unpack {beside[0]} from it")
    return notes


def _release(version: str | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options with the release of Keras that is asked about, and what is to be said of it."""
    options = dict(options)
    if version is None or RELEASE.name in options:
        return options, []
    asked = "2" if release.numbers(version) < release.KERAS_3 else version
    here = installed()["keras"]
    if here is not None and release.numbers(version)[:1] == release.numbers(here)[:1]:
        # What is installed is what loads the file.
        same = release.numbers(version)[:2] == release.numbers(here)[:2]
        said = (
            f"Keras {version} wrote this; Keras {here} is asked about, which is installed (--keras names another one)"
        )
        return options, [] if same else [said]
    if not RELEASE.kind.accepts(asked):
        return options, [f"this is of Keras {version}, which theory does not know: {release.version()} is asked about"]
    options[RELEASE.name] = asked
    return options, [f"this is of Keras {version}, so Keras {asked} is asked about; --keras names another one"]
