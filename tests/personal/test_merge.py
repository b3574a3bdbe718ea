"""The classes of a base run and a user's recordings become one list; nothing is lost or doubled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhar.errors import DataError
from tinyhar.personal.merge import GONE, merge

letters = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=2, max_size=6)


@given(letters, letters, st.sampled_from(["keep", "replace"]), st.booleans())
def test_every_name_has_one_number(base, recorded, redefine, only_recorded) -> None:
    merged = merge(base, recorded, redefine=redefine, only_recorded=only_recorded)
    assert len(set(merged.classes)) == len(merged.classes)
    assert set(recorded) <= set(merged.classes) <= set(base) | set(recorded)
    assert [merged.classes[k] for k in merged.of_recorded] == list(recorded)
    for name, number, rehearsed in zip(base, merged.of_base, merged.rehearsed, strict=True):
        again = name in recorded
        if number == GONE:
            assert only_recorded and not again and rehearsed == GONE
        else:
            assert merged.classes[number] == name
            assert (rehearsed == GONE) == (redefine == "replace" and again)
            assert (merged.unrecorded[base.index(name)] == GONE) == again
    assert set(merged.recorded_again) == set(base) & set(recorded)
    assert set(merged.new) == set(recorded) - set(base)
    if not only_recorded:
        assert merged.classes[: len(base)] == tuple(base), "old classes keep their numbers"


@pytest.mark.parametrize("twin", ["Walking", "walk-ing", "walking "])
def test_one_name_written_in_two_ways_is_refused(twin: str) -> None:
    with pytest.raises(DataError, match="one name twice"):
        merge(("walking", "resting"), (twin, "drinking"))
    with pytest.raises(DataError, match="your 'walking'"):
        merge(("resting",), ("walking", twin))


def test_one_class_is_no_model() -> None:
    with pytest.raises(DataError, match="only one class, 'drinking'"):
        merge(("walking", "resting"), ("drinking",), only_recorded=True)
    assert merge(("walking", "resting"), ("drinking",)).classes == (
        "walking",
        "resting",
        "drinking",
    )
