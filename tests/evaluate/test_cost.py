from __future__ import annotations

import gzip

from tinyhar.evaluate.cost import float_bytes, gzip_bytes


def test_transfer_size_does_not_depend_on_the_clock() -> None:
    data = bytes(range(256)) * 40
    assert gzip_bytes(data) == len(gzip.compress(data, 9, mtime=1)) < len(data)
    assert float_bytes(1_000) == 4_000
