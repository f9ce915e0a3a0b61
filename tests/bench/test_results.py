"""A run is compared with the figures that are written down; the numbers here are invented."""

import json

import pytest

from tests.bench import turns
from tests.bench.results import Measured, page, read_figures, read_sections, section, worse
from tests.bench.table import markdown, print_table

PARTS = {
    "Steps": Measured(
        ["| workload | nnlib |", "|---|--:|", "| small | 9 |"], {"small: a / b": 0.3}
    ),
    "Importing": Measured(["Some words."], {"import": 1.52345}),
}


PAGE = page({title: section(title, part) for title, part in PARTS.items()})


def test_a_page_gives_back_the_figures_of_all_its_sections_and_no_others():
    assert read_figures(PAGE) == {"small: a / b": 0.3, "import": 1.52}


def test_a_page_has_its_sections_in_order_and_each_says_what_its_ratios_depend_on():
    heads = [line for line in PAGE.splitlines() if line.startswith("#")]
    assert heads == ["# Measured by `make bench`", "## Steps", "## Importing"]
    for text in read_sections(PAGE).values():
        assert "Python 3." in text
        assert "torch" in text


def test_a_section_can_be_written_anew_and_leaves_the_others_as_they_were():
    texts = read_sections(PAGE)
    assert page(texts) == PAGE
    texts["Steps"] = section("Steps", Measured(["Other words."], {"small: a / b": 0.2}))
    assert read_figures(page(texts)) == {"small: a / b": 0.2, "import": 1.52}
    assert read_sections(page(texts))["Importing"] == read_sections(PAGE)["Importing"]


def test_a_page_without_figures_gives_none():
    assert read_figures("# Something else\n") == {}


@pytest.mark.parametrize(("ratio", "fails"), [(0.30, False), (0.375, False), (0.38, True)])
def test_more_than_a_quarter_above_is_worse(ratio, fails):
    said = worse({"small": 0.3}, {"small": ratio})
    assert said == (["small: 0.38, and 0.3 is written down"] if fails else [])


def test_what_was_not_measured_before_or_is_not_measured_now_is_not_compared():
    assert worse({"gone": 0.3, "same": 1.0}, {"new": 99.0, "same": 1.0}) == []


def test_a_table_in_a_terminal_ends_with_the_mean(capsys):
    print_table(
        "Words", [{"seed": 0, "loss": 1.0, "steps": 2000}, {"seed": 1, "loss": 2.0, "steps": 1000}]
    )
    assert capsys.readouterr().out.splitlines() == [
        "Words",
        "seed  loss  steps",
        "   0     1   2000",
        "   1     2   1000",
        "mean   1.5   1500",
    ]


def test_a_table_leaves_a_cell_empty_where_a_row_has_nothing():
    assert markdown([{"a": 1}, {"b": 2.5}])[2:] == ["| 1 |  |", "|  | 2.5 |"]


def test_other_losses_than_the_reference_stop_the_run():
    turns.agree("mlp", {"torch": [1.0, 0.5], "near": [1.0, 0.50001]}, "torch")
    with pytest.raises(SystemExit, match=r"mlp: .* those of torch, .*; far has \[1.0, 0.501\]"):
        turns.agree("mlp", {"torch": [1.0, 0.5], "far": [1.0, 0.501]}, "torch")


def test_implementations_take_turns_and_the_lower_quartile_of_their_times_counts(monkeypatch):
    """The workers are stand-ins that answer from a list."""
    log = []

    class Worker:
        def __init__(self, name, seconds):
            self.name, self.stdin, self.stdout = name, self, self
            self.answers = [{"losses": [1.0]}]
            self.answers += [{"seconds": s, "megabytes": i} for i, s in enumerate(seconds)]

        def write(self, _):
            log.append(self.name)

        def flush(self):
            pass

        def readline(self):
            return json.dumps(self.answers.pop(0))

        def communicate(self):
            log.append("end")

    times = {"nnlib": [1.0, 9, 2, 8, 3, 7, 4, 6, 5], "torch": [10.0] * 9}
    monkeypatch.setattr(turns, "start", lambda workload, name: Worker(name, times[name]))
    monkeypatch.setattr(turns, "absent", lambda: {"mygrad": "mygrad"})
    seconds, megabytes = turns.take_turns("mlp", ["nnlib", "torch", "mygrad"])
    assert log == ["nnlib", "torch"] * 9 + ["end"] * 2
    assert seconds == {"nnlib": 2.5, "torch": 10.0}
    assert megabytes == {"nnlib": 8, "torch": 8}
    monkeypatch.setattr(turns, "absent", lambda: {"torch": "torch"})
    with pytest.raises(turns.Skipped, match="torch is not installed"):
        turns.take_turns("mlp", ["nnlib", "torch"])
