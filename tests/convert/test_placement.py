"""Memory placement: what lives at the same time never overlaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinyhar.convert.placement import Block, place

BLOCKS = st.lists(
    st.builds(
        lambda size, first, length: Block(size, first, first + length),
        st.integers(0, 500),
        st.integers(-1, 12),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=16,
)


@given(BLOCKS)
def test_no_two_live_blocks_overlap(blocks: list[Block]) -> None:
    offsets, total = place(blocks)
    for i, a in enumerate(blocks):
        assert offsets[i] % 4 == 0
        assert offsets[i] + a.bytes <= total
        for j in range(i):
            b = blocks[j]
            if a.first <= b.last and b.first <= a.last and a.bytes and b.bytes:
                apart = offsets[i] + a.bytes <= offsets[j] or offsets[j] + b.bytes <= offsets[i]
                assert apart


def test_a_chain_needs_only_its_two_largest_neighbours() -> None:
    sizes = [768, 1536, 768, 1024, 1536, 64]
    blocks = [Block(size, i - 1, i) for i, size in enumerate(sizes)]
    _, total = place(blocks)
    assert total == 1024 + 1536
