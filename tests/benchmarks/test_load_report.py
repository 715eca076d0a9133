"""Statistics over rounds, verdicts, the table, the JSON and the pictures."""

import json
from pathlib import Path

import pytest

from benchmarks.load import many_clients
from benchmarks.load.charts import draw
from benchmarks.load.report import shown, table, write_json
from benchmarks.load.rounds import honesty_rows, interleaved
from benchmarks.load.rows import Row, ratio, values
from benchmarks.load.statistics import Spread, quantile
from benchmarks.running_service import ServiceError


@pytest.mark.parametrize(("part", "found"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1), (0.001, 1)])
def test_a_quantile_is_a_value_that_was_there(part: float, found: float) -> None:
    assert quantile(list(range(1, 101)), part) == found


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_spread() -> None:
    assert Spread.of([3, 1, 2, 10]) == Spread(median=2.5, least=1, greatest=10, lower=1, upper=3)


@pytest.mark.parametrize(
    ("median", "limits", "verdict"),
    [
        (0.96, {"target": 0.85, "aim": 0.95}, "aim"),
        (0.95, {"target": 0.85, "aim": 0.95}, "aim"),
        (0.85, {"target": 0.85, "aim": 0.95}, "target"),
        (0.84, {"target": 0.85, "aim": 0.95}, "missed"),
        (1.6, {"target": 1.5, "aim": 1.2, "at_most": True}, "missed"),
        (1.5, {"target": 1.5, "aim": 1.2, "at_most": True}, "target"),
        (1.0, {"target": 1.5, "aim": 1.2, "at_most": True}, "aim"),
        (0.9, {"aim": 1.0}, "short of the aim"),
        (0.9, {}, ""),
    ],
)
def test_verdicts(median: float, limits: dict[str, float], verdict: str) -> None:
    assert Row(measure="m", values=(median, 0.0, 99.0), **limits).verdict == verdict  # type: ignore[arg-type]


def test_ratios_are_taken_within_rounds() -> None:
    rounds = [{"a": {"n": 10.0}, "b": {"n": 5.0}}, {"a": {"n": 2.0}}, {"a": {"n": 3.0}, "b": {"n": 1.0}}]
    assert ratio(rounds, ("a", "n"), ("b", "n")) == (2.0, 3.0)
    assert values(rounds, "b", "n") == (5.0, 1.0)


def test_the_additive_bound_is_that_of_the_two_costs_together() -> None:
    round_ = {
        many_clients.SERVICE: {"requests_per_s": 400.0},
        many_clients.NOOP: {"requests_per_s": 1000.0},
        many_clients.RAW: {"units_per_s": 1000.0},
    }
    rows = many_clients.throughput_rows([round_])
    assert rows[0].values == pytest.approx((0.8,))
    assert rows[0].verdict == "missed"
    assert rows[1].values == ()  # its no-op was not measured


def test_every_round_takes_everything_once_and_the_first_does_not_count() -> None:
    taken: list[str] = []
    said: list[str] = []

    def take(name: str, number: float) -> dict[str, float]:
        taken.append(name)
        return {"n": number}

    def fail() -> dict[str, float]:
        raise ServiceError("it is not there")

    takes = {"a": lambda: take("a", 1), "b": lambda: take("b", 2), "peer x, 32 clients": fail}
    rounds = interleaved(takes, 2, said.append)
    assert rounds == [{"a": {"n": 1}, "b": {"n": 2}}] * 2
    assert taken == ["a", "b", "a", "b", "b", "a"]
    assert said.count("failed: peer x, 32 clients: it is not there") == 2


def test_what_must_not_happen_is_summed_over_our_own_requests() -> None:
    bad = {"num_different": 2.0, "num_others": 3.0, "num_broken": 1.0, "num_hung": 1.0}
    rounds = [{"a": bad, "b": bad, "peer x": bad, "raw": {"units_per_s": 1.0}}, {"raw": {"units_per_s": 1.0}}]
    different, lost = honesty_rows(rounds)
    assert (different.values, lost.values) == ((4.0,), (10.0,))
    assert different.verdict == "missed"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1.236, "×", "1.24×"), (0.0031, "×", "0.0031×"), (1234.5, "/s", "1,234"), (3.0, "ms", "3.00 ms"), (0.0, "", "0")],
)
def test_numbers_as_they_are_shown(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_the_table_has_targets_beside_medians_with_spread() -> None:
    rows = [
        Row(measure="tail", values=(1.3, 1.1, 1.9), target=1.5, aim=1.2, at_most=True, unit="×"),
        Row(measure="rate", values=(900.0, 1000.0, 1100.0), unit="/s"),
        Row(measure="never measured", values=(), target=1.0),
    ]
    lines = table(rows).splitlines()
    assert "| tail | ≤ 1.50× | ≤ 1.20× | 1.30× | 1.10× to 1.90× | yes |" in lines
    assert "| rate | 1,000 | 900 to 1,100 |" in lines
    assert "never measured" not in table(rows)


def test_the_json_has_every_round(tmp_path: Path) -> None:
    rounds = [{"a": {"n": 1.0}}, {"a": {"n": 3.0}}]
    path = tmp_path / "results.json"
    write_json(path, [Row(measure="m", values=(1.0, 3.0), target=2.0)], rounds, {"cpu": "X"})
    document = json.loads(path.read_text())
    assert document["rounds"] == rounds
    assert document["cpu"] == "X"
    assert document["rows"][0]["spread"]["median"] == 2.0
    assert document["rows"][0]["verdict"] == "target"


def test_pictures_of_what_was_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    numbers = {"requests_per_s": 500.0, "p50_ms": 20.0, "p90_ms": 40.0, "p99_ms": 80.0}
    rounds = [{many_clients.SERVICE: numbers, "peer x, 32 clients": numbers, many_clients.RAW: {"units_per_s": 900.0}}]
    written = draw(tmp_path, rounds, "note")
    assert [path.name for path in written] == ["rates.png", "latencies.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000 for path in written)
    assert draw(tmp_path, [{"raw": {"units_per_s": 1.0}}], "note") == []
