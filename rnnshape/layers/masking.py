"""A mask, and what a layer does under it with each sample: where every value of the output comes from."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.layers.release import change
from rnnshape.layers.scan import Row, Scanning, distinct, each, followed

_ZEROED = "a masked step outputs zero (zero_output_for_mask); the state is kept"
_FUSED = "cuDNN outputs zeros at masked steps; the state is kept"


class Mask(Struct, frozen=True):
    """Which steps of which sample are valid: a row for each sample.

    ``argument`` says that it is passed to the call; else it is attached to the tensor, as by Masking and Embedding.
    ``behind`` are the sizes of its axes behind time: what lies between time and the channels of the tensor that it was
    made of.  The values there are those of their time step.

    ``sure`` is False where a layer made it of values of which theory does not know whether they are zero: it is
    then taken to mask nothing.

    >>> mask = Mask.of(((True, True, False), (False, True, True)))
    >>> mask.right_padded, mask.empty_row
    (False, False)

    ``said`` holds the rows, and is None where every step is valid: then they are made when they are asked for.
    """

    batch: int
    steps: int
    said: tuple[tuple[bool, ...], ...] | None = None
    argument: bool = True
    behind: tuple[int, ...] = ()
    sure: bool = True

    @classmethod
    def of(cls, rows: tuple[tuple[bool, ...], ...], *, argument: bool = True, behind: tuple[int, ...] = ()) -> Mask:
        """The mask with these rows."""
        return cls(len(rows), len(rows[0]), None if all(map(all, distinct(rows))) else rows, argument, behind)

    @property
    def rows(self) -> tuple[tuple[bool, ...], ...]:
        """A row for each sample."""
        return ((True,) * self.steps,) * self.batch if self.said is None else self.said

    @property
    def right_padded(self) -> bool:
        """Whether every row's valid steps stand at its beginning, as cuDNN wants them."""
        return self.said is None or all(row == tuple(sorted(row, reverse=True)) for row in distinct(self.said))

    @property
    def empty_row(self) -> bool:
        """Whether a sample has no valid step."""
        return self.said is not None and not all(map(any, distinct(self.said)))

    def over(self, samples: int) -> Mask:
        """The same over this many samples: TensorFlow lays the one row of a mask over all of them."""
        if self.batch != 1 or samples == 1:
            return self
        return replace(self, batch=samples, said=self.said and self.said * samples)

    def passed_on(self) -> Mask:
        """The same, hanging on the tensor that goes to the next layer."""
        return replace(self, argument=False)


_ATTACHES = change(
    "3.11",
    "a mask that is passed to the call is attached to the output",
    "layers/layer.py: Layer.__call__",
    in_2=True,
)


def attached(mask: Mask | None) -> Mask | None:
    """The mask attached to the output of a layer that supports masking and got this one."""
    return None if mask is None or (mask.argument and not _ATTACHES.made) else mask.passed_on()


class Scan(Struct, frozen=True):
    """What a layer does with each sample, ``rows``; ``elsewhere`` what it does where the other kernel runs.

    ``elsewhere`` is None where no mask comes or cuDNN cannot take it: then all kernels do the same.  ``right`` is what
    it would do without a bug that it meets.
    """

    scanning: Scanning
    rows: tuple[Row, ...]
    mask: Mask | None = None
    elsewhere: tuple[Row, ...] | None = None
    right: tuple[Row, ...] | None = None

    @classmethod
    def of(cls, scanning: Scanning, mask: Mask, *, eligible: bool) -> Scan:
        """The scan of a recurrent layer under a mask; ``eligible`` says that cuDNN can take it."""
        other = scanning._replace(fused=not scanning.fused)
        return cls(
            scanning,
            _followed(mask, scanning),
            mask,
            _followed(mask, other) if eligible else None,
            _followed(mask, scanning._replace(unroll=False)) if scanning.unroll else None,
        )

    @property
    def amiss(self) -> bool:
        """Whether Keras makes the wrong steps zero, as it does unrolled and backwards."""
        return self.right is not None and self.right != self.rows

    @property
    def zeroed(self) -> str:
        """Why a masked step is zero."""
        return _FUSED if self.scanning.fused else _ZEROED

    def turned(self) -> Scan:
        """The same in the order of time, as Bidirectional turns its backward output round."""

        def turn(rows: tuple[Row, ...]) -> tuple[Row, ...]:
            return each(lambda row: row._replace(steps=row.steps[::-1]), rows)

        return replace(
            self,
            rows=turn(self.rows),
            elsewhere=self.elsewhere and turn(self.elsewhere),
            right=self.right and turn(self.right),
        )


def _followed(mask: Mask, scanning: Scanning) -> tuple[Row, ...]:
    return each(lambda row: followed(row, scanning), mask.rows)


@lru_cache(maxsize=4)
def unmasked_scan(backwards: bool, one_step: bool) -> Scan:
    """The scan where every step counts: beyond the second one nothing new happens."""
    scanning = Scanning(backwards=backwards)
    return Scan(scanning, (followed((True,) * (1 if one_step else 2), scanning),))
