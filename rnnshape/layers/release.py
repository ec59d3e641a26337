"""The release of Keras that an answer is for, and what changed between releases.

>>> with of("3.8"):
...     asked(), asked() < KERAS_3
((3, 8), False)

A rule that differs between releases has a ``Change`` next to it: the release, what changed, and the file of Keras with
the change.
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
"""The oldest and the newest release of Keras 3 that theory is tested with."""
LEGACY = "2.21"
"""The release of tf_keras, which is Keras 2, that theory is tested with."""


class _Question(NamedTuple):
    """The chosen release, the changes that were used, and the change whose answer is inverted."""

    release: Release
    noted: dict[Change, None] | None = None
    turned: Change | None = None


# Usually None: then every change uses its cached answer for the installed release.
_question: ContextVar[_Question | None] = ContextVar("question", default=None)


def asked() -> Release:
    """The chosen release, as numbers; by default the installed one."""
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
    """The release of the installed ``tf.keras``; if no Keras is installed, the newest that theory knows."""
    version = installed()["keras"]
    if version is not None:
        return numbers(version)
    return numbers(LEGACY) if legacy() else NEWEST


_HERE: AbstractContextManager[None] = nullcontext()


def of(version: str | None) -> AbstractContextManager[None]:
    """Within this context, answers are for this release, such as ``"3.8"`` or ``"2"``; None: the installed one."""
    return _HERE if version is None else _of(version)


@contextmanager
def _of(version: str) -> Iterator[None]:
    token = _question.set(_Question(numbers(version)))
    try:
        yield
    finally:
        _question.reset(token)


def version() -> str | None:
    """The chosen release: the full installed version, ``"3.15.1"``, or as it was given, ``"3.8"``."""
    found = _found()
    return found if found is not None and numbers(found)[: len(asked())] == asked() else dotted(asked())


def uninstalled() -> str | None:
    """Why the chosen release cannot run here; None if it can."""
    release, found = asked(), _found()
    if found is None and release < KERAS_3:
        return 'tf_keras, which is Keras 2, is not installed: pip install "rnnshape[legacy]"'
    # If Keras 3 is missing, the lab reports it.
    if release < KERAS_3 or found is None or numbers(found)[:2] == release[:2]:
        return None
    return f"Keras {found} is installed here, not {dotted(release)}"


def _found() -> str | None:
    """The installed version of Keras 2 or Keras 3, whichever is chosen."""
    return tf_keras() if asked() < KERAS_3 else keras_3()


@contextmanager
def watched(turned: Change | None = None) -> Iterator[dict[Change, None]]:
    """Collect the changes that are used within this context; ``turned`` is a change whose answer is inverted."""
    noted: dict[Change, None] = {}
    token = _question.set(_Question(asked(), noted, turned))
    try:
        yield noted
    finally:
        _question.reset(token)


Said = TypeVar("Said")


def remembered(rule: Callable[..., Said], most: int = 1024) -> Callable[..., Said]:
    """Cache a rule over hashable values, for each release.

    While changes are watched, the cache is not used, because the rule has to use its changes.
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
    """Every release, Keras 2 first, up to the newest that theory knows or that is installed."""
    _, newest = max(NEWEST, default()[:2])
    return ["2", *(f"3.{minor}" for minor in range(OLDEST[1], newest + 1))]


class Change(Struct, frozen=True, eq=False, dict=True):
    """A change of Keras: the first release that has it, what is new, and where it is in Keras.

    ``in_2`` says that Keras 2 had it too, so that only the first releases of Keras 3 lack it.
    """

    since: Release
    what: str
    source: str
    in_2: bool = False

    @property
    def made(self) -> bool:
        """Whether the chosen release has the change."""
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
    """Declare a change, next to its rule."""
    made = Change(numbers(since), what, source, in_2)
    CHANGES.append(made)
    return made
