"""What travels and what is copied: together always the new bundle, and not much of it travels."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from tinyhar.band.codes import DEPLOY_BLOCK
from tinyhar.band.deploy_plan import ALIGN, Plan, full, partial

cells = st.integers(0, 60).flatmap(lambda n: st.binary(min_size=n * ALIGN, max_size=n * ALIGN))


def crcs_of(data: bytes) -> list[int]:
    return [zlib.crc32(data[at : at + DEPLOY_BLOCK]) for at in range(0, len(data), DEPLOY_BLOCK)]


def built(plan: Plan, new: bytes, old: bytes) -> bytes:
    """What the band puts together."""
    out = b""
    for piece in plan.pieces:
        assert piece.offset == len(out)
        source = new if piece.source is None else old
        at = piece.offset if piece.source is None else piece.source
        out += source[at : at + piece.size]
    return out


@given(cells, cells, st.lists(st.tuples(st.integers(0, 59), cells), max_size=4))
def test_a_plan_gives_the_new_bundle_whatever_changed(
    old: bytes, appended: bytes, inserted: list[tuple[int, bytes]]
) -> None:
    new = old
    for at, piece in inserted:
        new = new[: at * ALIGN] + piece + new[at * ALIGN :]
    new += appended
    plan = partial(new, len(old), crcs_of(old))
    assert built(plan, new, old) == new
    assert plan.sent_bytes + plan.copied_bytes == len(new)
    assert all(piece.offset % ALIGN == piece.size % ALIGN == 0 for piece in plan.pieces)
    assert all((piece.source or 0) % ALIGN == 0 for piece in plan.pieces)


@given(cells, st.integers(0, 2000), st.integers(1, 20))
def test_pieces_cut_anywhere_still_cover_the_rest(data: bytes, start: int, most: int) -> None:
    start = min(start // ALIGN * ALIGN, len(data))
    for plan in (full(data), partial(data, len(data), crcs_of(data))):
        parts = [part for piece in plan.pieces for part in piece.cut(start, most * ALIGN)]
        assert sum(part.size for part in parts) == len(data) - start
        assert all(part.size <= most * ALIGN for part in parts)
        assert all(part.source in (None, part.offset) for part in parts)


def test_the_same_bundle_is_one_copy_and_an_inserted_name_costs_a_block() -> None:
    old = b"".join(n.to_bytes(4, "little") for n in range(1024))
    same = partial(old, len(old), crcs_of(old))
    assert [(p.offset, p.size, p.source) for p in same.pieces] == [(0, len(old), 0)]
    moved = partial(old[:320] + bytes(16) + old[320:], len(old), crcs_of(old))
    assert moved.sent_bytes == DEPLOY_BLOCK + 16
    assert len(moved.pieces) == 3


def test_zeros_everywhere_are_copied_in_one_stretch() -> None:
    old = bytes(4096)
    assert len(partial(old, len(old), crcs_of(old)).pieces) == 1
