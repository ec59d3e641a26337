"""``matrix:`` in the manner of GitHub Actions."""

from __future__ import annotations

from typing import Any

import pytest

from rnnshape.reading.batch.matrix import combinations, mistakes


def values(matrix: dict[str, Any]) -> list[dict[str, Any]]:
    assert not list(mistakes(matrix))
    return [one.values for one in combinations(matrix)]


def test_the_lists_in_the_order_of_declaration_the_last_one_fastest() -> None:
    assert values({"b": [1, 2], "a": ["x", "y"]}) == [
        {"b": 1, "a": "x"}, {"b": 1, "a": "y"}, {"b": 2, "a": "x"}, {"b": 2, "a": "y"},
    ]  # fmt: skip


def test_the_documented_example_of_github() -> None:
    """https://docs.github.com/actions: Example: Expanding configurations, and adding them."""
    matrix = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert values(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_exclude_takes_every_combination_that_it_describes() -> None:
    matrix = {"a": [1, 2, 3], "b": [1, 2], "exclude": [{"a": 1}, {"a": 2, "b": 2}]}
    assert values(matrix) == [{"a": 2, "b": 1}, {"a": 3, "b": 1}, {"a": 3, "b": 2}]


def test_true_is_not_1() -> None:
    assert values({"a": [1, True], "exclude": [{"a": True}]}) == [{"a": 1}]


def test_names_can_be_read_and_leave_out_what_is_no_option() -> None:
    matrix = {
        "units": [8],
        "merge_mode": [None, "sum"],
        "input": [[2, 3, 4]],
        "return_state": [True],
        "include": [{"units": 8, "expect": {}, "seed": 3}, {"units": 9, "expect": {}}],
    }
    assert [one.label for one in combinations(matrix)] == [
        "units=8, merge_mode=none, input=2,3,4, return_state=true",
        "units=8, merge_mode=sum, input=2,3,4, return_state=true",
        "units=9",
    ]


def test_every_value_knows_where_it_stands() -> None:
    matrix = {"a": [1, 2], "b": [5], "include": [{"a": 2, "c": 3}, {"d": 4, "a": 9}]}
    first, second, third = combinations(matrix)
    assert first.paths == {"a": ("a", 0), "b": ("b", 0)}
    assert second.paths == {"a": ("a", 1), "b": ("b", 0), "c": ("include", 0, "c")}
    assert third.paths == {"a": ("include", 1, "a"), "d": ("include", 1, "d")}


@pytest.mark.parametrize(
    ("matrix", "path", "message"),
    [
        (None, (), "matrix must be a mapping"),
        ({}, (), "matrix must be a mapping"),
        ({"a": []}, ("a",), "a must be a list of values: an empty one makes an empty matrix"),
        ({"a": 3}, ("a",), "a must be a list of values"),
        ({"a": [1], "include": {}}, ("include",), "include must be a list of mappings"),
        ({"a": [1], "exclude": [3]}, ("exclude", 0), "an entry of exclude must be a mapping"),
        ({"a": [1], "exclude": [{"b": 1}]}, ("exclude", 0, "b"), "b is not a list of this matrix; its lists are a"),
        ({"a": [1], "exclude": [{"a": 2}]}, ("exclude", 0, "a"), "excludes nothing: 2 is not in the list of a"),
        ({"a": [1], "exclude": [{"a": 1}]}, ("exclude",), "every combination is excluded"),
        ({key: [0] * 10 for key in "abcdefghij"}, (), "10,000,000,000 combinations: at most 100,000"),
    ],
)
def test_what_is_wrong_with_a_matrix(matrix: Any, path: tuple[Any, ...], message: str) -> None:
    ((at, said),) = mistakes(matrix)
    assert at == path
    assert message in said
