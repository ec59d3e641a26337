"""Which release of Keras a question is about, and what changed between releases.

>>> with of("3.8"):
...     asked(), asked() < KERAS_3
((3, 8), False)

A rule that is not the same in every release has a ``Change`` beside it: since when, what, and the file of Keras that
shows it.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache, cached_property, lru_cache, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from msgspec import Struct

from rnnshape.versions import installed, keras_3, legacy, tf_keras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Release = tuple[int, ...]

KERAS_3: Release = (3,)
OLDEST: Release = (3, 3)
NEWEST: Release = (3, 15)
"""The oldest and the newest release of Keras 3 that theory has been compared with."""
LEGACY = "2.21"
"""The release of tf_keras, which is Keras 2, that theory has been compared with."""


class _Question(NamedTuple):
    """The release that is asked about, what is noted meanwhile, and the change that is turned."""

    release: Release
    noted: dict[Change, None] | None = None
    turned: Change | None = None


# None nearly always: then every change answers from what it knows of the installed release.
_question: ContextVar[_Question | None] = ContextVar("question", default=None)


def asked() -> Release:
    """The release that is asked about, in numbers: the one of the question, else the one that is installed."""
    question = _question.get()
    return default() if question is None else question.release


@cache
def numbers(text: str) -> Release:
    """``"3.15.1"`` as ``(3, 15, 1)``."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def dotted(release: Release) -> str:
    """``(3, 15, 1)`` as ``"3.15.1"``."""
    return ".".join(map(str, release))


@cache
def default() -> Release:
    """What ``tf.keras`` is here; where no Keras is installed, the newest that theory knows."""
    version = installed()["keras"]
    if version is not None:
        return numbers(version)
    return numbers(LEGACY) if legacy() else NEWEST


_HERE: AbstractContextManager[None] = nullcontext()


def of(version: str | None) -> AbstractContextManager[None]:
    """Everything within is about this release, such as ``"3.8"`` or ``"2"``; None: the one that is installed."""
    return _HERE if version is None else _of(version)


@contextmanager
def _of(version: str) -> Iterator[None]:
    token = _question.set(_Question(numbers(version)))
    try:
        yield
    finally:
        _question.reset(token)


def version() -> str | None:
    """The release that is asked about as it is installed, ``"3.15.1"``, else as it was asked for, ``"3.8"``."""
    found = _found()
    return found if found is not None and numbers(found)[: len(asked())] == asked() else dotted(asked())


def uninstalled() -> str | None:
    """Why the release that is asked about cannot be run here; None where it can."""
    release, found = asked(), _found()
    if found is None and release < KERAS_3:
        return 'tf_keras, which is Keras 2, is not installed: pip install "rnnshape[legacy]"'
    # Without Keras 3 the lab says by itself what is missing.
    if release < KERAS_3 or found is None or numbers(found)[:2] == release[:2]:
        return None
    return f"Keras {found} is installed here, not {dotted(release)}"


def _found() -> str | None:
    """The installed version of the Keras that is asked about, of Keras 2 or Keras 3."""
    return tf_keras() if asked() < KERAS_3 else keras_3()


@contextmanager
def watched(turned: Change | None = None) -> Iterator[dict[Change, None]]:
    """The changes that are asked for meanwhile; the one that is ``turned`` answers the opposite of what is so."""
    noted: dict[Change, None] = {}
    token = _question.set(_Question(asked(), noted, turned))
    try:
        yield noted
    finally:
        _question.reset(token)


Said = TypeVar("Said")


def remembered(rule: Callable[..., Said], most: int = 1024) -> Callable[..., Said]:
    """A rule over hashable values that is worked out once for each of them and each release.

    While changes are watched, each has to be asked: then nothing is remembered.
    """

    @lru_cache(most)
    def of_release(release: Release, *values: Any) -> Said:
        return rule(*values)

    @wraps(rule)
    def said(*values: Any) -> Said:
        question = _question.get()
        if question is not None and question.noted is not None:
            return rule(*values)
        return of_release(asked(), *values)

    return said


def releases() -> list[str]:
    """Every release that theory knows, Keras 2 first, to the newest that it knows or that is installed."""
    _, newest = max(NEWEST, default()[:2])
    return ["2", *(f"3.{minor}" for minor in range(OLDEST[1], newest + 1))]


class Change(Struct, frozen=True, eq=False, dict=True):
    """A change of Keras: the release from which on it is so, what is so from there on, and where Keras has it.

    ``in_2`` says that Keras 2 had it too, and only the first releases of Keras 3 did not.
    """

    since: Release
    what: str
    source: str
    in_2: bool = False

    @property
    def made(self) -> bool:
        """Whether the release that is asked about has it."""
        question = _question.get()
        if question is None:
            return self._usual
        if question.noted is not None:
            question.noted[self] = None
        return self._in(question.release) != (self is question.turned)

    @cached_property
    def _usual(self) -> bool:
        return self._in(default())

    def _in(self, release: Release) -> bool:
        return release >= self.since or (self.in_2 and release < KERAS_3)


CHANGES: list[Change] = []


def change(since: str, what: str, source: str, *, in_2: bool = False) -> Change:
    """Declare a change, beside the rule that it is about."""
    made = Change(numbers(since), what, source, in_2)
    CHANGES.append(made)
    return made
