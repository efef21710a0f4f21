"""The bench's own arithmetic, on numbers made up."""

import re
from itertools import count

import pytest

from tests.bench import child, docs, rounds, table
from tests.bench.rounds import OURS, Record
from tests.bench.workload import Workload
from tests.bench.workloads import WORKLOADS, chain, mlp


def record(ours=(2.0, 6.0, 4.0), theirs=(4.0, 4.0, 4.0), workload="mlp", size="batch 1", quantity="step", line=0.5):
    """Two threads are worse, but for the second round of ours."""
    samples = {
        OURS: {"1": [ours[0], ours[1] * 2, ours[2]], "2": [ours[0] * 3, ours[1], ours[2] + 1]},
        "torch": {"1": list(theirs), "2": [t + 1 for t in theirs]},
    }
    return Record(workload, size, quantity, "torch", line, samples)


def test_each_side_counts_at_its_better_threads_round_by_round():
    r = record()
    assert (r.best(OURS), r.ratios(), r.ratio(), r.median(OURS, 1)) == ([2.0, 6.0, 4.0], [0.5, 1.5, 1.0], 1.0, 4.0)
    assert table.spread(r.ratios()) == "0.50 to 1.50"


@pytest.mark.parametrize(("line", "met"), [(1.0, True), (0.99, False), (None, None)])
def test_the_line(line, met):
    assert record(line=line).met() is met


def test_flatness_is_against_the_least_depth():
    depths = [record((t, t, t), workload="growth_depth", quantity="op") for t in (2.0, 1.5, 3.0)]
    others = [
        record((9.0,) * 3, workload="growth_depth", quantity="peak"),
        record((9.0,) * 3, workload="growth_depth_paused", quantity="op"),
    ]
    assert rounds.flatness([*depths, *others], "growth_depth") == 1.5


@pytest.mark.parametrize(
    ("quantity", "value", "words"),
    [
        ("step", 1.234, "1.23 s"), ("step", 0.0234, "23.4 ms"), ("op", 567e-6, "567 µs"), ("op", 5e-9, "5.00 ns"),
        ("peak", 1234 * 2**20, "1,234 MiB"),
    ],
)  # fmt: skip
def test_amounts(quantity, value, words):
    assert table.amount(quantity, value) == words


def test_records_survive_json():
    assert rounds.from_json(rounds.to_json([record()], {"rounds": 3})) == ([record()], {"rounds": 3})


def test_a_round_takes_every_side_and_every_other_goes_backwards(monkeypatch):
    asked = []

    def run(workload, label, package, threads, seconds):
        asked.append((package, threads))
        return {"step": float(len(asked)), "peak": 1.0}

    monkeypatch.setattr(rounds, "run", run)
    workload = Workload("w", {"s": {}}, quantities=("step", "peak"), lines={("s", "step"): 0.5})
    step, peak = rounds.measure(workload, "s", rounds=2, seconds=0)
    there = [(OURS, 1), (OURS, 2), ("torch", 1), ("torch", 2)]
    assert asked == [*there, *there[2:], *there[:2]]
    assert (step.samples["torch"], step.line, peak.line) == ({"1": [3.0, 5.0], "2": [4.0, 6.0]}, 0.5, None)


def test_a_failed_process_says_why(monkeypatch):
    monkeypatch.setattr(rounds, "OURS", "no_such_package")
    with pytest.raises(rounds.ProcessFailed, match=r"no_such_package: ModuleNotFoundError: .*no_such_package"):
        rounds.run(Workload.of(chain), "200 operations", "no_such_package", 1, 0)


def test_the_time_of_a_step_is_a_median_after_warming_up(monkeypatch):
    clock = count()
    monkeypatch.setattr(child.time, "perf_counter", lambda: float(next(clock)))
    steps = []
    assert child.time_step(lambda: steps.append(0), 10) == 1.0
    assert len(steps) > 5
    assert child.peak() > 2**20


def test_a_child_measures_a_step():
    report = rounds.run(WORKLOADS["chain"], "200 operations", OURS, 1, 0)
    assert report["wall"] > report["step"] > 10 * report["op"] > 0


@pytest.mark.parametrize("package", mlp.BESIDE)
def test_a_step_under_other_packages_runs(package):
    pytest.importorskip(package)
    mlp.BESIDE[package](batch=2)()


def test_lines_are_about_what_is_measured():
    for workload in WORKLOADS.values():
        assert {label for label, _ in workload.lines} <= set(workload.sizes)
        assert {quantity for _, quantity in workload.lines} <= set(workload.quantities)


def test_no_number_of_the_page_is_typed_by_hand():
    page = docs.PAGE.read_text()
    assert {name for _, name, _ in docs.BLOCK.findall(page)} == {"run", *docs.BLOCKS}
    prose = re.sub(r"```.*?```", "", docs.BLOCK.sub("", page), flags=re.DOTALL)
    assert not re.findall(r"[\d.,]+ ?(?:ns|µs|ms|s|seconds|MiB|MB|%|times)\b", prose)


def test_a_run_of_few_rounds_is_called_a_trial():
    about = dict.fromkeys(("command", "date", "processor", "cores", "system", "python"), "?") | {"versions": {}, "load": 1.25}
    few, enough = (docs.run(about | {"rounds": n}) for n in (4, 5))
    assert "a trial" in few
    assert "a trial" not in enough
    assert "load 1.2" in enough


def test_a_block_is_written_from_the_records():
    page = "before\n<!-- bench: ratios -->\nold\n<!-- end -->\nafter\n"
    new = docs.refreshed(page, [record()], {})
    assert "| mlp | batch 1 | step | 4.00 s | 4.00 s | 1.00 | 0.50 to 1.50 | ≤ 0.50 not met |\n<!-- end -->\nafter" in new
    assert docs.refreshed(new, [record()], {}) == new
    with pytest.raises(LookupError, match="needs records of import"):
        docs.refreshed("<!-- bench: imports -->\n<!-- end -->", [record()], {})
