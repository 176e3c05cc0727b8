"""How figures went over minutes, hour and day, from reports that overlap."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from atoll.supervisor.courses import SPANS, Courses
from atoll.supervisor.traffic import SLOT_SECONDS, SLOTS, Report, Traffic


class Clock:
    """Starts at the beginning of a point of every resolution."""

    now = 72 * 1000 * SLOT_SECONDS

    def __call__(self) -> float:
        return self.now

    def forward(self, slots: float) -> None:
        self.now += slots * SLOT_SECONDS


class Place:
    """One instance, whose own clock runs from another beginning."""

    def __init__(self, clock: Clock, environment: str = "env_a") -> None:
        self.environment = environment
        self.traffic = Traffic(lambda: clock.now - 7_000_000.0)

    def visit(self, times: int, seconds: float = 0.001, status: int = 200) -> None:
        for _ in range(times):
            self.traffic.note("shop", seconds, status)

    def report(self, memory: int = 100) -> Report:
        return self.traffic.report(self.environment, "1", {"shop": "uid"}, memory)


def series(courses: Courses, span: str, *environments: str) -> dict[str, Any]:
    found: dict[str, Any] = courses.read(span, ["uid"], environments or ("env_a",))["series"]
    assert {len(each) for each in found.values()} == {SPANS[span].points}
    return found


def test_each_slot_is_counted_once_however_often_it_is_reported() -> None:
    clock = Clock()
    courses, place = Courses(clock), Place(clock)
    for slot in range(10):
        place.visit(slot, status=500 if slot == 3 else 200)
        for _ in range(3):
            courses.take([place.report()], ["uid"])
        clock.forward(1)
    courses.take([place.report()], ["uid"])
    clock.forward(1)
    quarter = series(courses, "15m")
    assert quarter["requests"][-10:] == [*range(10)]
    assert quarter["errors"][-10:] == [0, 0, 0, 3, 0, 0, 0, 0, 0, 0]
    assert quarter["requests"][:-10] == [None] * 62
    hour = series(courses, "1h")
    assert hour["requests"][-3:] == [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9]
    assert courses.read("1h", [], [])["lastSeconds"] == 2 * SLOT_SECONDS
    assert series(courses, "24h")["requests"][-1] == 45


def test_an_instance_that_was_away_is_not_counted_twice() -> None:
    clock = Clock()
    courses, place = Courses(clock), Place(clock)
    place.visit(5)
    clock.forward(1)
    courses.take([place.report()], ["uid"])
    courses.take([], ["uid"])
    clock.forward(2)
    courses.take([place.report()], ["uid"])
    assert sum(each or 0 for each in series(courses, "15m")["requests"]) == 5
    # Another Supervisor, which begins now, takes what the instance still tells.
    later = Courses(clock)
    later.take([place.report()], ["uid"])
    assert sum(each or 0 for each in series(later, "15m")["requests"]) == 5
    clock.forward(3 * SLOTS)
    place.visit(2)
    clock.forward(1)
    courses.take([place.report()], ["uid"])
    clock.forward(1)
    assert sum(each or 0 for each in series(courses, "24h")["requests"]) == 7


def test_environments_together_and_what_is_old_is_forgotten() -> None:
    clock = Clock()
    courses, here, there = Courses(clock), Place(clock), Place(clock, "env_b")
    here.visit(10, 0.010)
    there.visit(30, 0.030)
    clock.forward(1)
    courses.take([here.report(100), there.report(300)], ["uid"])
    clock.forward(2)
    both = series(courses, "15m", "env_a", "env_b")
    assert both["requests"][-2] == 40
    slow = [series(courses, "15m", name)["p95"][-2] for name in ("env_a", "env_b")]
    assert both["p95"][-2] == round((slow[0] * 10 + slow[1] * 30) / 40, 2)
    assert both["memory"][-1] == 400
    for span, (slots, points) in SPANS.items():
        clock.forward(slots * points)
        courses.take([], ["uid"])
        assert not any(series(courses, span)["requests"])
    courses.take([], [])
    assert not any(series(courses, "24h")["requests"])


def test_points_have_a_time() -> None:
    clock = Clock()
    ends = []
    for span in SPANS:
        answer = Courses(clock).read(span, [], [])
        ends.append((answer["begins"], answer["seconds"]))
    assert all(begins.endswith("+00:00") for begins, _ in ends)
    assert all(shorter < longer for (_, shorter), (_, longer) in pairwise(ends))
