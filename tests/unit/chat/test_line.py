"""Who waits for the same bucket comes back one after the other."""

from bot.chat.outbox.line import AHEAD_MAX, Line


def test_each_waits_for_those_before_and_whoever_came_back_is_behind_the_others() -> None:
    line = Line()
    assert [line.refused(who) for who in "abc"] == [0, 1, 2]
    assert [line.refused(who) for who in "abc"] == [2, 2, 2]


def test_whoever_does_not_come_back_holds_up_nobody() -> None:
    line = Line()
    assert [line.refused(who) for who in "abc"] == [0, 1, 2]
    assert line.refused("c") == 0
    line.served("c")
    assert line.refused("d") == 0


def test_where_somebody_new_is_served_nobody_waits() -> None:
    line = Line()
    assert [line.refused(who) for who in "abc"] == [0, 1, 2]
    line.served("d")
    assert line.refused("e") == 0


def test_nobody_stays_away_for_long() -> None:
    line = Line()
    assert max(line.refused(str(number)) for number in range(100)) == AHEAD_MAX
