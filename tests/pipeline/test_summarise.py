"""The last stage turns facts into the report's parts."""

from __future__ import annotations

from tinyhar.pipeline.summarise import _heads


def test_the_chosen_head_is_the_one_that_distillation_chooses() -> None:
    cost = {"parameters": 100, "macs": 1000}
    shares = {"linear": 0.2, "attention": 0.5, "mlp": 0.3}
    heads = _heads({kind: {"share": share, **cost} for kind, share in shares.items()})
    assert [head.kind for head in heads] == ["attention", "mlp", "linear"]
    assert [head.chosen for head in heads] == [False, True, False]
    assert [head.deployable for head in heads] == [False, True, True]
    assert _heads({}) == ()
