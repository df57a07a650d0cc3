"""The App Home: mine with time left, what waits on me, what I asked, what I can ask for; within 100 blocks."""

from bot.chat.messages.home import home_view
from bot.chat.messages.plain_text import view_as_text
from bot.chat.views.overviews import home_story
from bot.sandbox.slack.blockkit.limits import check_view
from tests.support.stories import NOW, admin, entitlement, every_state

STATES = every_state()


def test_it_shows_time_left_and_what_can_be_done() -> None:
    story = home_story(
        NOW,
        mine=[STATES["active"]],
        waiting_on_me=[STATES["pending, dangerous"]],
        asked=[STATES["pending"]],
        can_ask=[entitlement()],
        titles={"payments-prod": "Payments"},
    )
    view = home_view(story)
    check_view(view, "home")
    text = view_as_text(view)
    for words in ("58 min left", "[ I am done ]", "[ Approve ]", "[ Withdraw ]", "[ Ask ]", "read-only in Payments"):
        assert words in text


def test_nothing_is_said_too() -> None:
    text = view_as_text(home_view(home_story(NOW)))
    assert text.count("Nothing just now.") == 4
    assert "[ Ask for access ]" in text


def test_hundreds_of_everything_stay_within_a_home() -> None:
    many = [STATES["pending, dangerous"]] * 300
    view = home_view(home_story(NOW, mine=many, waiting_on_me=many, asked=many, can_ask=[admin()] * 300))
    check_view(view, "home")
    assert len(view["blocks"]) <= 100
    assert "… and 290 more: `/prodaccess mine`" in view_as_text(view)


def test_what_ends_first_stands_first_and_one_primary_button_is_enough() -> None:
    later, sooner = STATES["active"], STATES["active by rule"]
    story = home_story(NOW, mine=[later, sooner], waiting_on_me=[STATES["pending"]] * 3)
    assert [item.deadline for item in story.mine] == sorted(item.deadline for item in story.mine if item.deadline)
    assert str(home_view(story)).count("'primary'") == 1
