"""The App Home: mine with time left, what waits on me, what I asked, what I can ask for; within 100 blocks."""

from bot.chat.message import Message
from bot.chat.messages.home import Home, home
from bot.chat.plain_text import as_text
from bot.chat.views.overviews import home_view
from bot.sandbox.slack.blockkit.limits import check_view
from bot.slack.render import home_of
from tests.support.views import NOW, admin, entitlement, every_state

STATES = every_state()


def shown(page: Home) -> str:
    return as_text(Message((), page))


def test_it_shows_time_left_and_what_can_be_done() -> None:
    page_view = home_view(
        NOW,
        mine=[STATES["active"]],
        waiting_on_me=[STATES["pending, dangerous"]],
        asked=[STATES["pending"]],
        can_ask=[entitlement()],
        titles={"payments-prod": "Payments"},
    )
    page = home(page_view)
    check_view(home_of(page), "home")
    text = shown(page)
    for words in ("58 min left", "[ I am done ]", "[ Approve ]", "[ Withdraw ]", "[ Ask ]", "read-only in Payments"):
        assert words in text


def test_nothing_is_said_too() -> None:
    text = shown(home(home_view(NOW)))
    assert text.count("Nothing just now.") == 4
    assert "[ Ask for access ]" in text


def test_hundreds_of_everything_stay_within_a_home() -> None:
    many = [STATES["pending, dangerous"]] * 300
    page = home(home_view(NOW, mine=many, waiting_on_me=many, asked=many, can_ask=[admin()] * 300))
    view = home_of(page)
    check_view(view, "home")
    assert len(view["blocks"]) <= 100
    assert "… and 290 more: `/prodaccess mine`" in shown(page)


def test_what_ends_first_stands_first_and_one_primary_button_is_enough() -> None:
    later, sooner = STATES["active"], STATES["active by rule"]
    page_view = home_view(NOW, mine=[later, sooner], waiting_on_me=[STATES["pending"]] * 3)
    assert [item.deadline for item in page_view.mine] == sorted(
        item.deadline for item in page_view.mine if item.deadline
    )
    assert str(home_of(home(page_view))).count("'primary'") == 1
