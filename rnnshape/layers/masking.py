"""A mask, and the scan of a layer under it: where every value of the output comes from."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from rnnshape.layers.release import change
from rnnshape.layers.scan import Row, Scanning, distinct, each, followed

_ZEROED = "a masked step outputs zero (zero_output_for_mask); the state is kept"
_FUSED = "cuDNN outputs zeros at masked steps; the state is kept"


class Mask(Struct, frozen=True):
    """Which steps of each sample are valid: a row for each sample.

    ``argument`` says that it is passed to the call; otherwise it is attached to the tensor, as by Masking or Embedding.
    ``behind`` are the sizes of its axes after time: those between time and the channels of the tensor that it was
    computed from.  Along them, the mask is constant.

    ``sure`` is False if a layer computed it from values that theory does not know to be zero or not; it is then treated
    as masking nothing.

    >>> mask = Mask.of(((True, True, False), (False, True, True)))
    >>> mask.right_padded, mask.empty_row
    (False, False)

    ``said`` are the rows; None if every step is valid: ``rows`` makes them on access.
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
        """Whether the valid steps of every row are at its start, as cuDNN requires."""
        return self.said is None or all(row == tuple(sorted(row, reverse=True)) for row in distinct(self.said))

    @property
    def empty_row(self) -> bool:
        """Whether any sample has no valid step."""
        return self.said is not None and not all(map(any, distinct(self.said)))

    def over(self, samples: int) -> Mask:
        """The same mask for this many samples: TensorFlow broadcasts a mask of one row."""
        if self.batch != 1 or samples == 1:
            return self
        return replace(self, batch=samples, said=self.said and self.said * samples)

    def passed_on(self) -> Mask:
        """The same mask, attached to the tensor that goes to the next layer."""
        return replace(self, argument=False)


_ATTACHES = change(
    "3.11",
    "a mask that is passed to the call is attached to the output",
    "layers/layer.py: Layer.__call__",
    in_2=True,
)


def attached(mask: Mask | None) -> Mask | None:
    """The mask attached to the output of a layer that supports masking and gets this mask."""
    return None if mask is None or (mask.argument and not _ATTACHES.made) else mask.passed_on()


class Scan(Struct, frozen=True):
    """The result of a scan for each sample (``rows``); ``elsewhere`` is the result with the other kernel.

    ``elsewhere`` is None without a mask, or if cuDNN cannot be used: then all kernels give the same.  ``right`` is the
    result without a Keras bug that affects the scan.
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
        """Whether Keras sets the wrong steps to zero, a bug with ``unroll`` and ``go_backwards``."""
        return self.right is not None and self.right != self.rows

    @property
    def zeroed(self) -> str:
        """The reason why a masked step is zero."""
        return _FUSED if self.scanning.fused else _ZEROED

    def turned(self) -> Scan:
        """The same scan with its steps reversed, as Bidirectional reverses its backward output."""

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
    """The scan without a mask; two steps are enough, because later ones give no other laws."""
    scanning = Scanning(backwards=backwards)
    return Scan(scanning, (followed((True,) * (1 if one_step else 2), scanning),))
