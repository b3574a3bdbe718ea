from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import pytest

from tinyhar.evaluate import formats
from tinyhar.evaluate.report import chips, render, tiles, worn_at
from tinyhar.evaluate.run_report import (
    DeviceReport,
    Missing,
    RunReport,
    StudentReport,
    TeacherReport,
    evaluations,
)

VOID = {"meta", "wbr", "br", "link", "img", "input", "hr"}
LOADS = {"src", "srcset", "data", "poster", "action", "background", "xlink:href"}


class Page(HTMLParser):
    """Notes what the page is made of and whether every tag that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def html(run: RunReport) -> str:
    return render(run)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def text_of(report: RunReport) -> str:
    """The page's words; without the pictures, which take most of the time."""
    return Page(render(replace(report, examples=(), curves=()))).text


def test_every_figure_handed_in_is_on_the_page(run: RunReport, page: Page) -> None:
    text = page.text
    student, device, memory = run.student, run.device, run.memory
    assert isinstance(student, StudentReport) and isinstance(device, DeviceReport)
    assert isinstance(run.teacher, TeacherReport) and not isinstance(memory, Missing)
    counts = [
        run.teacher.parameters,
        run.teacher.macs,
        student.parameters,
        student.macs,
        student.flash_bytes,
        student.tflite_bytes,
        student.transfer_bytes,
        device.windows,
        device.instructions_per_window,
        *(n for side in (run.data.train, run.data.validation, run.data.test) for n in side.windows),
        *(n for step in student.steps for n in (step.parameters, step.bytes)),
        *(n for part in memory.parts for n in (part.flash_bytes, part.ram_bytes)),
        *(n for row in run.agreement for n in (row.windows, row.equal)),
        *(file.bytes for file in run.files if file.bytes is not None),
    ]
    scores = [step.macro_f1 for step in student.steps]
    for name, evaluation in evaluations(run).items():
        scores += [evaluation.macro_f1, evaluation.accuracy, *evaluation.class_f1]
        if name != "teacher":
            scores += evaluation.subject_f1.values()
            counts += [*evaluation.subject_windows.values()]
            counts += [cell for cell in evaluation.confusion.flat if cell]
    words = set(re.split(r"\s+", text))
    for figure in counts:
        assert formats.count(figure) in words | {w.strip(",.;") for w in words}
    for score in scores:
        assert formats.score(score) in words
    for said in ("12.69 ms", "41.7", "6 min 52 s", "100 %", "2.995"):
        assert said in text


def test_every_word_handed_in_is_on_the_page(run: RunReport, page: Page) -> None:
    text = page.text
    prov = run.provenance
    said = [
        *run.data.classes,
        *run.data.channels,
        *run.data.units,
        run.data.title,
        *(step.step for step in run.student.steps),
        *(step.note for step in run.student.steps),
        *(row.note for row in run.agreement),
        *(part.name for part in run.memory.parts),
        *(part.note for part in run.memory.parts),
        *(curve.name for curve in run.curves),
        *prov.versions,
        *prov.versions.values(),
        *prov.hashes.values(),
        *(str(seed) for seed in prov.seeds.values()),
        prov.created,
        prov.recipe_name,
        *(file.path for file in run.files),
        *(file.purpose for file in run.files),
        run.device.latency_note,
    ]
    assert [words for words in said if words not in text] == []
    assert " ".join(prov.recipe.split()) in text


def test_the_page_loads_nothing_and_runs_nothing(page: Page, html: str) -> None:
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "img", "base"}
        assert not LOADS & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
        if tag != "a" and "href" in attributes:
            assert (attributes["href"] or "").startswith("#")
    assert "@import" not in html and "@font-face" not in html
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    assert "default-src 'none'" in html


def test_links_within_the_page_lead_somewhere(page: Page) -> None:
    tags = page.tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert {a["href"] for t, a in tags if t in ("a", "use") and str(a.get("href"))[0] == "#"} <= {
        f"#{name}" for name in ids
    }
    assert len(ids) == len(set(ids))


def test_readers_who_do_not_see_are_served(page: Page) -> None:
    tags = page.tags
    pictures = [attributes for tag, attributes in tags if tag == "svg"]
    assert len(pictures) == 6 + 5 + 1
    assert all(picture.get("aria-label") and picture["role"] == "img" for picture in pictures)
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")
    assert ("html", {"lang": "en"}) in tags


def test_no_two_names_of_a_legend_share_a_colour(run: RunReport, run_with: Callable) -> None:
    nineteen = run_with(tuple(f"class{k}" for k in range(19)))
    assert len({chip.colour for chip in chips(nineteen.data.classes)}) == 19
    rows = re.findall(r'class="chip" style="--k:([^"]*)" aria-hidden="true">&nbsp;', render(run))
    names = [part.name for part in run.memory.parts]
    assert len(rows) == len(set(rows)) == len(names)
    assert dict(zip(names, rows, strict=True))["alignment"] == "var(--line)"


def test_no_tile_stands_alone_on_its_row(run: RunReport) -> None:
    nothing = Missing("Not there.")
    short = replace(run, examples=(), curves=())
    for missing in ({}, {"memory": nothing}, {"device": nothing}, {"student": nothing},
                    {"memory": nothing, "device": nothing}):  # fmt: skip
        part = replace(short, **missing)
        found = re.search(r'class="tiles" style="--tiles:(\d+);--half:(\d+)"', render(part))
        assert found is not None
        count = len(tiles(part))
        for columns in (int(text) for text in found.groups()):
            assert count % columns != 1 or count == 1


def test_competing_classifiers_stand_beside_their_cost(run: RunReport, page: Page) -> None:
    text = page.text
    for head in run.student.heads:
        assert f"{head.kind} {head.share:.3f}" in text
        assert formats.count(head.parameters) in text and formats.count(head.macs) in text
    assert text.count("✓ chosen") == 1
    assert "no band's engine has its operators" in text
    without = text_of(replace(run, student=replace(run.student, heads=())))
    assert "Classifiers that competed" not in without


def test_attention_is_drawn_class_by_class(run: RunReport, html: str, page: Page) -> None:
    attention = run.teacher.attention
    for k in range(5):
        shares = " ".join(f"{100 * value:.0f}" for value in attention.sensor[k])
        assert shares in page.text
    strips = [a for tag, a in page.tags if tag == "div" and a.get("class") == "strip"]
    assert len(strips) == 5, "the class without windows has none"
    peaks = [float(re.findall(r"[\d.]+", str(a["aria-label"]))[0]) for a in strips]
    assert peaks == sorted(peaks) and peaks[0] < 0.5 < 1.5 < peaks[-1]
    plain = replace(run, teacher=replace(run.teacher, attention=None))
    assert "Where the teacher looks" not in text_of(plain)


def test_a_model_that_weighs_time_alone_shows_just_that(run: RunReport) -> None:
    only = replace(run.teacher.attention, sensor=None)
    text = text_of(replace(run, teacher=replace(run.teacher, attention=only)))
    assert "temporal attention" in text and "sensor attention" not in text


@pytest.mark.parametrize("part", ["teacher", "student", "device", "memory"])
def test_a_missing_part_says_why(run: RunReport, part: str) -> None:
    text = text_of(replace(run, **{part: Missing("The reason <is> this.")}))
    assert "The reason <is> this." in text


def test_a_run_that_has_only_begun_can_be_shown(run: RunReport) -> None:
    text = text_of(RunReport("begun", run.data))
    for said in ("No student was trained.", "No band has answered yet.", "No firmware was built."):
        assert said in text
    student = replace(
        run.student, floating=Missing("Not kept."), int8=Missing("Stopped."), steps=()
    )
    half = replace(
        run, student=student, device=replace(run.device, evaluation=Missing("No answers."))
    )
    assert "Stopped." in text_of(half) and "No answers." in text_of(half)


def test_a_board_without_instruction_count_says_so(run: RunReport) -> None:
    device = replace(run.device, board="host", instructions_per_window=None, latency_ms=None)
    assert "host counts no instructions" in text_of(replace(run, device=device))


def test_a_disagreement_cannot_be_overlooked(run: RunReport) -> None:
    row = replace(run.agreement[0], equal=2_995)
    device = replace(run.device, equal=2_995, first_mismatch="window 17, channel 2, layer conv_3")
    text = text_of(replace(run, device=device, agreement=(row,)))
    assert "DISAGREES with the desk" in text
    assert "99.966 %" in text and "100 %" not in text
    assert "✗ 1 differ" in text
    assert "window 17, channel 2, layer conv_3" in text


def test_synthetic_and_quick_are_said_loudly(run: RunReport, synthetic: RunReport) -> None:
    real = text_of(run)
    assert "ynthetic" not in real and "Quick run" not in real
    made_up = text_of(replace(synthetic, quick=True))
    assert made_up.count("ynthetic") >= 4
    assert "SYNTHETIC: hapt" in made_up and "Quick run." in made_up


def test_hostile_names_are_only_text(run_with: Callable[..., RunReport]) -> None:
    nasty = "</td><script>alert(1)</script>&\"'$x^{$"
    report = run_with(classes=(nasty, "{{ 7 * 7 }}", "</style><img src=x onerror=y>"))
    report = replace(report, title=nasty, device=Missing(nasty))
    html = render(report)
    page = Page(html)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert nasty in page.text and "{{ 7 * 7 }}" in page.text
    assert escape(nasty, quote=False) in html.replace("&#34;", '"').replace("&#39;", "'")


def test_many_classes_and_sensors_still_fit(run_with: Callable[..., RunReport]) -> None:
    channels = tuple(
        f"{place}_{kind}_{axis}"
        for place in ("torso", "right_wrist", "left_wrist")
        for kind in ("acc", "gyro")
        for axis in "xyz"
    )
    units = (("m/s²",) * 3 + ("rad/s",) * 3) * 3
    report = run_with(tuple(f"activity {i}" for i in range(19)), channels, units)
    text = Page(render(report)).text
    assert "Worn at the torso, right wrist and left wrist" in text
    assert "the first 2 of 6 sensors" in text
    assert worn_at(report.data) == "torso, right wrist and left wrist"


def test_the_same_run_gives_the_same_page(run: RunReport, html: str) -> None:
    assert render(run) == html
