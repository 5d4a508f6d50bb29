"""A state that follows a timetable."""

from local.databricks.state.lifecycle import Lifecycle


def test_a_state_is_looked_up_by_its_moment() -> None:
    life = Lifecycle("RUNNING", 100.0)
    life.begin(200.0, "TERMINATING", (30.0, "TERMINATED"))
    assert [life.state(each) for each in (150.0, 200.0, 229.9, 230.0)] == [
        "RUNNING",
        "TERMINATING",
        "TERMINATING",
        "TERMINATED",
    ]
    assert life.end().since == 230.0


def test_whose_clock_is_a_hair_behind_sees_what_has_just_been_made() -> None:
    assert Lifecycle("PENDING", 100.0).state(99.99) == "PENDING"
