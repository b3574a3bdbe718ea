"""Deployment onto the emulated Cortex-M4: flash that survives a restart, an arena with no room to
spare, and the whole way from a partial bundle to the instructions that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.band.deploy_cases import bundle_of, of_model, other_head, other_network, taught
from tinyhar.band import emulate
from tinyhar.band.client import connect
from tinyhar.band.codes import ErrorCode, SlotState
from tinyhar.band.deploy import deploy, rollback, slots
from tinyhar.band.deploy_refused import NotDeployed
from tinyhar.band.emulate import Emulated
from tinyhar.errors import ToolError


@pytest.fixture(scope="module")
def band(qemu_run: Path) -> Iterator[Emulated]:
    with emulate.start("mps2_an386", emulate.image_of(qemu_run, "mps2_an386")) as band:
        yield band


def test_a_cortex_m4_takes_a_bundle_keeps_it_over_a_restart_and_goes_back(
    band: Emulated, bare_run: Path, reference_models: Path
) -> None:
    small = of_model(bare_run, (reference_models / "tiny_dscnn.tflite").read_bytes())
    head = other_head(bare_run)
    with connect(band.url) as client:
        before = client.identity.bundle_id
        done = deploy(client, head)
        assert (done.how, done.slot, done.golden) == ("partial", 0, 4)
        assert done.sent_bytes < done.full_bytes / 8
        assert client.selftest().failed == 0
        done = deploy(client, small, whole=True)
        assert (done.how, done.slot, done.sent_bytes) == ("full", 1, len(small.data))
        client.reset()
        assert client.identity.bundle_id == small.bundle_id
        assert client.selftest().failed == 0
        assert [slot.state for slot in slots(client)[:2]] == [SlotState.READY] * 2
        rollback(client)
        client.reset()
        assert client.identity.bundle_id == head.bundle_id
        counts = bundle_of(bare_run).golden_counts[1]
        assert client.infer(counts).logits == head.bundle.golden_logits[1].tobytes()
        assert before not in (head.bundle_id, small.bundle_id)


def test_more_classes_than_the_image_was_built_for_have_room_up_to_eight(
    band: Emulated, bare_run: Path
) -> None:
    with connect(band.url) as client:
        for more, said in ((9, "needs 15 classes, more than this"), (8, "input or output is not")):
            with pytest.raises(NotDeployed, match=said):
                deploy(client, taught(bare_run, more))


def test_a_network_beyond_the_arena_is_refused_before_it_is_sent(
    band: Emulated, bare_run: Path, reference_models: Path
) -> None:
    large = other_network(bare_run, reference_models)
    with connect(band.url) as client:
        with pytest.raises(NotDeployed, match="bytes of working memory, more than this") as refused:
            deploy(client, large)
        assert refused.value.code == ErrorCode.NO_ROOM
        assert client.selftest().failed == 0


def test_a_flash_file_is_for_the_host_port_only(qemu_run: Path, tmp_path: Path) -> None:
    image = emulate.image_of(qemu_run, "mps2_an386")
    with pytest.raises(ToolError, match="a flash file is for board host"):
        emulate.start("mps2_an386", image, flash=tmp_path / "flash")
