"""The bench of planted mistakes and of healthy trainings, one test each."""

import pytest

from tests.bench.mistakes import HEALTHY, MISTAKES, examine

LATER = {"large_inputs_without_biases"}  # there a larger mistake comes first


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(name):
    code, training = MISTAKES[name]
    report = examine(training)
    assert code in report
    assert name in LATER or code in report.codes[:2]


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_is_left_alone(name):
    report = examine(HEALTHY[name])
    assert not report.of("error")
    assert len(report.of("warning")) <= 1
