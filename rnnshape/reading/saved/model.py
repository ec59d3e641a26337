"""Makes Specs from a saved or a live model: its config is read; nothing is unpacked, loaded or run.

``model_file`` finds the config in the file, ``config`` writes it as code, and the code is read like pasted code.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnshape.errors import Invalid, Problem
from rnnshape.layers import release
from rnnshape.reading.finishing import modules_in
from rnnshape.reading.making import make_all
from rnnshape.reading.saved import model_file, stored
from rnnshape.reading.saved.config import code
from rnnshape.reading.saved.foreign import foreign
from rnnshape.reading.saved.model_file import invalid
from rnnshape.spec.options import DTYPE
from rnnshape.spec.options import KERAS as RELEASE
from rnnshape.spec.saved import Held, Saved
from rnnshape.versions import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rnnshape.reading.saved.foreign import Foreign
    from rnnshape.reading.saved.model_layers import Code
    from rnnshape.spec import Spec


def make_saved(path: str, options: Mapping[str, Any] | None = None) -> list[Spec]:
    """The Specs of a saved model, with the shapes of the weights in the file (``Spec.saved``).

    The answer is for the installed release of Keras, which ``load_model`` would use; if no Keras of the file's major
    version is installed, for the release that wrote the file.

    Raises:
        Invalid: there is no such file, or it is damaged, too large, or not a saved model.
    """
    config, version = model_file.read(path)
    options = dict(options or {})
    if DTYPE.name in options:
        raise Invalid([Problem(DTYPE.name, f"each layer in {path} has its own")])
    with model_file.failing(path):
        options, notes = _release(version, options)
        written = _written(config, options)
        others = list(_once(foreign(config)))
        weights, left = stored.of_layers(path, written.layers) if stored.has_weights(path) else (None, ())
        beside = model_file.beside(path)
    modules = modules_in(options)
    specs = _located(path, written, others, options)
    if others and any(_GUESSED in note for spec in specs for note in spec.notes):
        notes.append("no weight is compared: the file does not say the shape behind a layer that is not read")
        written, weights, left = replace(written, layers=()), None, ()
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
    if others:  # these notes of the reader are about the generated code
        specs = [replace(spec, notes=tuple(one for one in spec.notes if _BEFORE not in one)) for spec in specs]
    if len(specs) > 1:
        notes.append("the model has parts that are not connected: each gets its own answer, and no weight is compared")
        return [replace(spec, notes=(*notes, *spec.notes)) for spec in specs]
    return [replace(spec, saved=saved, notes=(*notes, *spec.notes)) for spec in specs]


_BEFORE = "the answer ends before it"
_GUESSED = "a default shape is used"


def make_live(layer: Any, options: Mapping[str, Any]) -> list[Spec]:
    """The Specs of a live layer or model of Keras 3 or tf_keras, from its config; its weights are not used.

    Raises:
        Invalid: it is not a layer, or has no config, such as a subclassed model with its own ``call``.
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
    options, notes = _release(getattr(sys.modules.get(root), "__version__", None), options)
    written = _written(config, options)
    specs = _located(getattr(layer, "name", cls.__name__), written, list(_once(foreign(config))), options)
    return [replace(spec, notes=(*notes, *spec.notes)) for spec in specs]


def _written(config: Mapping[str, Any], options: Mapping[str, Any]) -> Code:
    """The model as code of the release that is asked for: in Keras 2, other containers are around the states."""
    version = options.get(RELEASE.name)
    with release.of(version if RELEASE.kind.accepts(version) else None):
        return code(config, own=bool(modules_in(options)))


def _once(found: Iterable[Foreign]) -> Iterator[Foreign]:
    """The first object of each layer, because a Lambda also names its function."""
    seen = set()
    for one in found:
        if (one.layer or one.name) not in seen:
            seen.add(one.layer or one.name)
            yield one


def _located(path: str, written: Code, others: Sequence[Foreign], options: Mapping[str, Any]) -> list[Spec]:
    """The Specs of a model's code.  Errors name the file and the layer, because the code is generated.

    Raises:
        Invalid: as ``make_all``.
    """
    try:
        return make_all(written.text, options)
    except Invalid as error:
        if others and not modules_in(options):
            problems = [Problem("", f"{path}: {one.said}: {_ADVICE[one.importable]}") for one in others]
            raise Invalid(problems) from None
        raise Invalid([_placed(path, written, problem) for problem in error.problems]) from None


_ADVICE = {
    True: "theory has no rule for it; if it is your own, --import MODULE loads it, and runs the code of the module",
    False: "its code is in the file, and is not run; make it a class of your own, which --import MODULE loads",
}


def _placed(path: str, written: Code, problem: Problem) -> Problem:
    """The problem with the name of the layer instead of a place in the generated code."""
    if problem.span is None:
        return problem if problem.key else Problem("", f"{path}: {problem.message}")
    name = written.about(problem.span)
    return Problem("", f"{path}: {f'layer {name}: ' if name else ''}{problem.message}")


def _unloaded(others: Sequence[Foreign], beside: Sequence[str], modules: Sequence[str]) -> list[str]:
    """The notes that say why the lab builds new layers and does not load the file."""
    notes = []
    if refused := [one.said for one in others if not (one.importable and modules)]:
        advice = "" if modules or not any(one.importable for one in others) else " (--import MODULE loads a class)"
        notes.append(f"the file is not loaded because of {' and '.join(refused)}{advice}: {_BEFORE}")
    if beside:
        notes.append(f"the file is not loaded because Keras would unpack {beside[0]} from it")
    return notes


def _release(version: str | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options with the release of Keras to answer for, and the notes about it."""
    options = dict(options)
    if version is None or RELEASE.name in options:
        return options, []
    asked = "2" if release.numbers(version) < release.KERAS_3 else version
    here = installed()["keras"]
    if here is not None and release.numbers(version)[:1] == release.numbers(here)[:1]:
        # The installed Keras loads the file.
        same = release.numbers(version)[:2] == release.numbers(here)[:2]
        said = f"Keras {version} wrote this; the answer is for the installed Keras {here} (--keras chooses another one)"
        return options, [] if same else [said]
    if not RELEASE.kind.accepts(asked):
        return options, [f"theory does not know Keras {version}: the answer is for Keras {release.version()}"]
    options[RELEASE.name] = asked
    return options, [f"Keras {version} wrote this, so the answer is for Keras {asked} (--keras chooses another one)"]
