"""One layer in a process where TensorFlow is loaded: the cost by its size."""

from __future__ import annotations

from functools import partial

from benchmarks.pairs import Row, Target, in_turn, seconds
from benchmarks.questions import Question, explore, look_by_hand

LENGTHS: dict[int, tuple[Target, ...]] = {
    10: (),
    100: (),
    1_000: (Target("ratio", "≤", 1 / 5),),
    10_000: (Target("ratio", "≤", 1 / 20),),
}
# In eager mode, ten thousand steps take about ten seconds for a call.
LONG, ROUNDS_WHEN_LONG = 10_000, 3

SIZES = (1, 32, 1024)
VARIED = {
    "N": [Question(batch=size) for size in SIZES],
    "C": [Question(channels=size) for size in SIZES],
    "H": [Question(units=size) for size in SIZES],
}


def lengths(rounds: int) -> list[Row]:
    """One LSTM, longer and longer.

    `rnnshape.explore` on an input of T time steps against the same layer called eagerly by hand, where
    TensorFlow computes the steps one by one.  Both build a new layer and fetch the values.  A ratio of 0.2 is
    five times faster.  The longest input is measured in at most 3 rounds.
    """
    _warm_up()
    return [
        _compare(
            f"T = {time:,}",
            Question(time=time),
            min(rounds, ROUNDS_WHEN_LONG) if time >= LONG else rounds,
            targets,
        )
        for time, targets in LENGTHS.items()
    ]


def sizes(rounds: int) -> list[Row]:
    """One LSTM, wider and wider.

    The same two sides as for the lengths, with (N, T, C) = (2, 3, 4) and H = 1, and one of batch size N,
    channels C and units H varied at a time.
    """
    _warm_up()
    return [
        _compare(f"{letter} = {size:,}", question, rounds)
        for letter, questions in VARIED.items()
        for size, question in zip(SIZES, questions, strict=True)
    ]


def _compare(what: str, question: Question, rounds: int, targets: tuple[Target, ...] = ()) -> Row:
    sides = {"ours": seconds(partial(explore, question)), "by hand": seconds(partial(look_by_hand, question))}
    taken = in_turn(sides, rounds)
    return Row(f"`explore`, {what}", "eager by hand", "s", taken["ours"], taken["by hand"], targets)


def _warm_up() -> None:
    """Run the first layers of the process, which set up TensorFlow; a long one sets up tracing."""
    for question in (Question(), Question(time=500)):
        explore(question)
        look_by_hand(question)
