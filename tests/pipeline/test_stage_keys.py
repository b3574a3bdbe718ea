"""What a stage depends on: seeds share what no seed touches."""

from tests.pipeline.watching import shortest
from tinyhar import recipe
from tinyhar.pipeline.run import STAGES, stage_keys


def stages_that_differ(one: list[str], other: list[str]) -> list[str]:
    keys = [stage_keys(recipe.changed(shortest(), c), quick=False) for c in (one, other)]
    return [stage.name for stage in STAGES if keys[0][stage.name] != keys[1][stage.name]]


def test_a_seed_that_draws_nobody_shares_its_windows() -> None:
    nobody = ["split.validation=0"]
    assert stages_that_differ([*nobody, "seed=1"], [*nobody, "seed=2"])[0] == "teach"
    drawn = ["split.validation=1"]
    assert stages_that_differ([*drawn, "seed=1"], [*drawn, "seed=2"])[0] == "prepare"


def test_how_inputs_are_clipped_counts_in_every_training() -> None:
    assert stages_that_differ([], ["quantisation.clip=0.99"])[0] == "teach"
    assert stages_that_differ([], ["quantisation.clip=0.9995"]) == []


def test_memory_for_overlapping_windows_counts_where_pruning_measures_with_it() -> None:
    more = "band.extra_ram=2000"
    assert stages_that_differ([], [more])[0] == "convert"
    budget = "pruning={instructions=300000}"
    assert stages_that_differ([budget], [budget, more])[0] == "prune"


def test_a_teacher_with_its_own_seed_is_shared_by_students_of_all_seeds() -> None:
    shared = ["split.validation=0", "teacher.seed=7"]
    assert stages_that_differ([*shared, "seed=1"], [*shared, "seed=2"])[0] == "distil"
    assert stages_that_differ([*shared, "seed=1"], ["split.validation=0", "seed=7"])[0] == "teach"
