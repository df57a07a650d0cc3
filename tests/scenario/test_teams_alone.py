"""Teams as the only chat, on running processes: the life of access, in the personal chat, in a channel and on cards."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.actions.handlers import PRESSES
from bot.chat.messages.form_sent import IN_OUR_CHAT, LOOKING, NOTHING_HERE, SLOW, TAKEN
from bot.chat.messages.help import usages
from bot.sandbox.teams import cards
from bot.sandbox.teams.errors import CannotDo
from bot.sandbox.teams.people import FAY, Json
from tests.support.installation import Installation
from tests.support.teams_side import ACCESS_LOG, GENERAL, HEARD, INCIDENT, Shop, TeamsSide, buttons, id_in, words
from tests.support.waiting import eventually
from workflows.core import keys

pytestmark = pytest.mark.teams

WHY = "INC-42 checkout errors"
ADMIN = "AdministratorAccess"


@pytest.fixture
def teams(in_teams: Installation) -> TeamsSide:
    return in_teams.teams


@pytest.fixture
def shop(in_teams: Installation) -> Shop:
    return in_teams.case().in_teams


def lines(teams: TeamsSide, id_: str, place: str = ACCESS_LOG) -> str:
    """What stands under the root of the receipts about a request."""
    root = teams.card(place, id_)
    return "\n".join(words(one) for one in teams.replies(place, root))


def has(at: Installation, shop: Shop, who: str = "dana", permission_set: str = "ReadOnlyAccess") -> bool:
    return f"{who}@example.com" in at.aws.world.who_has(permission_set, f"200000000{shop.name[5:8]}")


# ---------------------------------------------------------------- asked, approved, ended


def test_a_line_in_the_own_chat_is_approved_on_the_card_and_given_back(in_teams: Installation, shop: Shop) -> None:
    teams = shop.teams
    id_ = shop.asks(rest=f"10m {WHY}")
    card = shop.card(id_, "Needs approval from one of platform", WHY)
    assert {"olu@example.com", "pat@example.com"} == {teams.world.people[aad].mail for aad in card.pinged}
    assert buttons(card) == ["Approve", "Deny", "Approve for less…", "Explain who may approve this"]
    teams.refused("dana", card, "Approve", "You asked for this yourself")
    shop.approves(card)
    active = shop.card(id_, "Active until", "approved by Olu")
    assert has(in_teams, shop)
    assert buttons(active) == ["End early", "Extend"]
    told = teams.message("dana", "You have read-only", id_)
    assert "go/dashboards" in words(told)
    assert buttons(told) == ["Open console", "I am done", "Extend", "First time?"]
    teams.refused("dana", told, "First time?", "Once on each machine")
    teams.message("dana", "aws configure set sso_start_url", shop.name)
    assert teams.press("dana", told, "I am done").said in HEARD
    shop.card(id_, "Ended", "given back by Dana")
    assert not has(in_teams, shop)
    assert "Ended" in words(teams.message("dana", "Dana had read-only", id_))
    in_teams.quiet()
    said = lines(teams, id_)
    for each in ("asked by Dana", "approved by Olu", "seen in AWS", "ended: given back early"):
        assert each in said


def test_a_line_with_a_mention_in_a_channel_is_answered_to_who_wrote_it_alone(teams: TeamsSide, shop: Shop) -> None:
    # What is answered stays in the personal chat, once there is one.
    teams.told("dana", "envs", shop.name)
    id_ = shop.asks(place=GENERAL)
    assert teams.posts(GENERAL) == []
    shop.card(id_, "Needs approval")
    teams.told("dana", f"withdraw {id_}", "You took back")
    assert "Approve" not in buttons(shop.card(id_, "Withdrawn"))
    # What was answered while it waited says by now what became of it.
    assert "Take back" not in buttons(teams.message("dana", "Dana asked for read-only", "Withdrawn by Dana", id_))


def test_the_form_is_a_card_that_is_continued_corrected_and_sent(teams: TeamsSide, shop: Shop) -> None:
    form = teams.answered("dana", shop.name, "Ask for access", "Continue")
    assert "Ask" not in buttons(form), "nobody sends what they have not been shown"
    chosen = teams.press("dana", form, "Continue", {"role": "deploy"}).card
    assert "Roll out or back" in cards.words(chosen)
    assert "Olu or Pat of platform will be asked" in cards.words(chosen)
    wrong = teams.press("dana", form, "Ask", {"duration": "1800"}).card
    assert "❌ Say why you need it" in cards.words(wrong)
    kept = next(one for one in cards.inputs(wrong) if one["id"].startswith("role"))
    assert kept["value"] == "deploy"
    sent = teams.press("dana", form, "Ask", {"reason": "INC-42 by form", "duration": "1800"}).card
    assert not cards.inputs(sent)
    card = shop.card("Needs approval", "deploy", "INC-42 by form")
    asked = teams.message("dana", "You asked for deploy", id_in(words(card)))
    assert teams.press("dana", asked, "Take back").said in HEARD
    shop.card("Withdrawn", id_in(words(card)))
    teams.message("dana", "Dana asked for deploy", "Withdrawn by Dana", id_in(words(card)))


def test_denied_with_a_reason_in_the_card_and_asked_again(teams: TeamsSide, shop: Shop) -> None:
    card = shop.asked()
    id_ = id_in(words(card))
    with pytest.raises(CannotDo):
        teams.press("olu", card, "Deny", {"reason": ""})
    assert teams.press("olu", card, "Deny", {"reason": "use staging for this"}).said in HEARD
    denied = shop.card(id_, "Denied by Olu: use staging for this")
    teams.message("dana", "Olu denied your request", "use staging for this")
    assert teams.press("dana", denied, "Ask again").said == IN_OUR_CHAT
    form = teams.message("dana", "Ask for access", "Read logs and metrics")
    assert any(one.get("value") == WHY for one in cards.inputs(form.card)), "what was asked for is filled in"


def test_less_than_was_asked_for(in_teams: Installation, teams: TeamsSide, shop: Shop) -> None:
    card = shop.asked(role="admin", rest=f"30m {WHY}")
    assert teams.press("olu", card, "Approve for less…").said == IN_OUR_CHAT
    form = teams.message("olu", "Approve for less", shop.name.split("-")[1])
    sent = teams.press("olu", form, "Approve", {"role": "read-only", "duration": "1800"}).card
    assert not cards.inputs(sent)
    id_ = id_in(words(card))
    shop.card(id_, "Active", "read-only", "approved by Olu")
    assert has(in_teams, shop)
    assert not has(in_teams, shop, permission_set=ADMIN)
    shop.end(id_)


def test_before_it_ends_a_warning_offers_more_time_which_is_asked_for_and_given(
    in_teams: Installation, teams: TeamsSide, shop: Shop
) -> None:
    id_ = id_in(words(shop.active(rest=f"30m {WHY}")))
    in_teams.soon(keys.warn_due(id_))
    warning = teams.message("dana", "ends at", f"@prodaccess extend {id_} 30m REASON")
    assert teams.press("dana", warning, "Extend").said == IN_OUR_CHAT
    form = teams.message("dana", "Ask for more time")
    assert not cards.inputs(teams.press("dana", form, "Ask", {"reason": "not done", "duration": "1800"}).card)
    shop.approves(shop.card("asks for 30 min more of read-only"), "pat")
    shop.card(id_, "Active until", "extended by Pat")
    shop.end(id_)


def test_several_at_once_are_decided_with_one_press_and_end_one_by_one(
    in_teams: Installation, teams: TeamsSide, shop: Shop
) -> None:
    teams.types("dana", f"{shop.name} read-only,deploy 1h {WHY}")
    card = shop.card("Needs approval", "read-only", "deploy")
    assert buttons(card)[:2] == ["Approve all", "Deny all"]
    teams.refused("dana", card, "Approve all", "You asked for this yourself")
    asked = teams.message("dana", "You asked for read-only and deploy", "Olu or Pat can approve all of it")
    assert "Take all back" in buttons(asked)
    assert teams.press("olu", card, "Approve all").said in HEARD
    both = eventually(
        lambda: [one for one in [shop.card("deploy")] if words(one).count("✅ Active") == 2], "both are active"
    )
    first = id_in(words(both[0]).partition(", PA-")[0])
    assert teams.press("dana", both[0], "End early").said in HEARD
    shop.card("Ended", "✅ Active")
    assert not has(in_teams, shop)
    kept = teams.message("dana", "✅ Active", "🏁 Ended", first)
    assert kept.id == asked.id, "the same message, kept current"
    teams.press("dana", shop.card("deploy"), "End early")


def test_somebody_else_asks_and_the_holder_declines(teams: TeamsSide, shop: Shop) -> None:
    answered = teams.answered("olu", f"for dana@example.com {shop.name} read-only 1h {WHY}", "You asked for")
    id_ = id_in(words(answered))
    card = shop.card(id_, "Olu asks for read-only for Dana")
    teams.refused("olu", card, "Approve", "You asked for this yourself")
    mine = teams.message("dana", "Olu asked for read-only", "for you", id_)
    assert teams.press("dana", mine, "Decline").said in HEARD
    shop.card(id_, "Declined by Dana")
    teams.message("olu", "Declined by Dana", id_)


def test_somebody_is_named_by_a_mention_in_a_channel(teams: TeamsSide, shop: Shop) -> None:
    said = f"<at>prodaccess</at> for <at>Dana</at> {shop.name} read-only 1h {WHY}"
    id_ = id_in(teams.told("nia", said, "You asked for", "for Dana", place=GENERAL))
    shop.card(id_, "Nia asks for read-only for Dana")
    teams.told("dana", f"decline {id_}", "You declined")


def test_a_break_glass_is_seen_by_everybody_and_reviewed_in_the_card(
    in_teams: Installation, teams: TeamsSide, shop: Shop
) -> None:
    id_ = id_in(
        teams.told("nia", f"break-glass {shop.name} admin INC-42 all down", "You used break-glass", place=INCIDENT)
    )
    card = shop.card(id_, "🚨 Break-glass", "Active")
    assert has(in_teams, shop, "nia", ADMIN)
    for place in (ACCESS_LOG, INCIDENT):
        teams.card(place, id_, "🚨")
    for who in ("olu", "pat", "sue"):
        teams.message(who, "🚨 Break-glass", id_)
    assert buttons(card) == ["End early", "Acknowledge...", "Flag..."]
    teams.refused("nia", card, "Acknowledge", "was yours", {"reason": ""})
    assert teams.press("olu", card, "End early").said == IN_OUR_CHAT
    form = teams.message("olu", "End access", "Break-glass" if "Break" in words(card) else id_)
    teams.press("olu", form, "End access", {"reason": "enough"})
    over = shop.card(id_, "Revoked", "enough")
    assert not has(in_teams, shop, "nia", ADMIN)
    assert teams.press("pat", over, "Flag", {"reason": "this could have waited"}).said in HEARD
    assert buttons(shop.card(id_, "flagged by Pat: this could have waited")) == []
    for who in ("nia", "sue"):
        teams.message(who, "flagged", "this could have waited")
    teams.told("sue", "lift nia@example.com the test is over", "You lifted")
    teams.message("nia", "lifted what kept you")


def test_the_form_has_its_own_emergency_exit(in_teams: Installation, teams: TeamsSide, shop: Shop) -> None:
    form = teams.answered("nia", shop.name, "Ask for access")
    glass = teams.press("nia", form, "Break glass...").card
    assert "Everybody sees it" in cards.words(glass)
    form = teams.message("nia", "Break glass", "Everybody sees it")
    said = teams.press("nia", form, "Break glass", {"role": "read-only", "reason": "INC-44 all down"})
    assert said.ok, said
    id_ = id_in(words(shop.card("🚨 Break-glass", "Active", "INC-44")))
    assert has(in_teams, shop, "nia")
    shop.end(id_, "nia")
    teams.told("olu", f"acknowledge {id_} nobody could have waited", "acknowledged")


def test_the_panic_switch_asks_once_and_can_be_left_alone(in_teams: Installation, teams: TeamsSide, shop: Shop) -> None:
    active = id_in(words(shop.active()))
    waits = shop.asks(who="nia")
    line = f"revoke-all env {shop.name} keys on a paste site"
    question = teams.answered("olu", line, "Revoke everything", active, waits)
    assert "Cancelled: nothing was revoked" in cards.words(teams.press("olu", question, "Cancel").card)
    question = teams.answered("olu", line, "Revoke everything")
    assert has(in_teams, shop), "nothing is done before the press"
    assert "is being revoked" in cards.words(teams.press("olu", question, "Revoke all").card)
    shop.card(active, "Revoked")
    shop.card(waits, "Denied")
    assert not has(in_teams, shop)
    teams.message("olu", "All gone, verified", shop.name)


def test_a_digest_comes_into_the_channel_that_the_policy_names(in_teams: Installation, teams: TeamsSide) -> None:
    in_teams.soon(in_teams.digest_of_all())
    teams.card(ACCESS_LOG, "Nothing needs a hand · audit #")


# ---------------------------------------------------------------- refused


def test_each_refusal_is_one_sentence_for_whoever_pressed_alone(teams: TeamsSide, shop: Shop) -> None:
    card = shop.asked()
    id_ = id_in(words(card))
    refused = {"dana": "You asked for this yourself", "nia": "can decide this", "gus": "Guests cannot"}
    for who, part in refused.items():
        teams.refused(who, card, "Approve", part)
        _, now = teams.world.message(card.id)
        assert now.edits == card.edits, "nobody else sees anything"
    for who, part in refused.items():
        teams.told(who, f"approve {id_}", part)
    teams.told("dana", f"withdraw {id_}", "You took back")


def test_somebody_of_another_tenant_can_do_nothing(teams: TeamsSide, shop: Shop) -> None:
    """In a channel that is shared with another tenant; the activity's own tenant is ours."""
    world = teams.world
    fay = world.add_person(replace(FAY, name="Fay"), installed=False)
    world.conversations[teams.channel(shop.place).id].members.append(fay.aad)
    world.conversations[teams.channel(GENERAL).id].members.append(fay.aad)
    card = shop.asked()
    answer = teams.server.client.press(fay, card.id, "press", {"action": "approve"})
    assert answer.said is not None
    assert answer.said != TAKEN
    teams.server.client.type(fay, f"{shop.name} read-only 1h let me in", teams.channel(GENERAL))
    shop.approves(card)
    shop.card(id_in(words(card)), "Active", "approved by Olu")
    assert "Fay" not in "".join(words(one) for one in teams.posts(shop.place))
    shop.end(id_in(words(card)))


def test_a_press_on_what_is_over_is_answered(teams: TeamsSide, shop: Shop) -> None:
    card = shop.asked()
    id_ = id_in(words(card))
    teams.told("dana", f"withdraw {id_}", "You took back")
    shop.card(id_, "Withdrawn")
    late = teams.server.client.press(teams.person("olu"), card.id, "press", approve_of(card.card), stale=True)
    if late.said in (LOOKING, SLOW):
        teams.message("olu", "was withdrawn by Dana")
    else:
        assert "was withdrawn by Dana" in (late.said or "")


def approve_of(card: Json | None) -> Json:
    return next(one["data"] for one in cards.actions(card) if one.get("data", {}).get("action") == "approve")


# ---------------------------------------------------------------- everything that there is


# As the help has it -> who types it, what, and what the answer says. `{0}`: the id that came first in an answer of these.
COMMANDS = (
    ("", "dana", "@prodaccess", "Ask for access"),
    ("ENV ROLE [DURATION] [at TIME] REASON", "dana", "{env} read-only 1h INC-42 logs", "You asked for read-only"),
    ("approve ID", "pat", "approve {0}", "approved {0}"),
    ("extend ID DURATION REASON", "dana", "extend {0} 30m not done", "30 min more of read-only"),
    ("withdraw ID", "dana", "withdraw {1}", "You took back {1}"),
    ("show ID", "dana", "show {0}", "{0}"),
    ("list [ENV]", "zed", "list {env}", "{0}"),
    ("mine", "dana", "mine", "{0}"),
    ("end ID [REASON]", "dana", "end {0}", "You gave back {0}"),
    ("again [REASON]", "dana", "again", "You asked for read-only"),
    ("pending", "dana", "pending", "{2}"),
    ("deny ID REASON", "olu", "deny {2} use staging", "denied {2}"),
    ("for WHO ENV ROLE [DURATION] REASON", "olu", "for dana@example.com {env} deploy 1h INC-42 x", "for Dana"),
    ("decline ID", "dana", "decline {3}", "declined {3}"),
    ("ENV ROLE [DURATION] [at TIME] REASON", "nia", "{env} admin 30m at 23:59 INC-42 later", "to begin"),
    ("less ID [ROLE] [DURATION]", "pat", "less {4} read-only 30m", "{4}"),
    (
        "break-glass ENV ROLE [DURATION] REASON",
        "nia",
        "break-glass {env} readers INC-42 down",
        "break-glass is for read-only or admin only",
    ),
    (
        "break-glass ENV ROLE [DURATION] REASON",
        "nia",
        "break-glass {env} admin 30m INC-42 down",
        "You used break-glass",
    ),
    ("break-glass ID REASON", "nia", "break-glass {4} INC-42 down", "{4}"),
    (
        "acknowledge ID [NOTE]",
        "olu",
        "acknowledge {5} nobody could have waited",
        "You acknowledged the break-glass {5}",
    ),
    ("flag ID NOTE", "pat", "flag {5} all was well", "{5}"),
    ("revoke-all person WHO REASON", "sue", "revoke-all person zed@example.com lost", "Revoke everything of Zed"),
    ("revoke-all env ENV REASON", "olu", "revoke-all env {env} over", "Revoke everything in"),
    ("delegate @NAME until fri", "olu", "delegate pat@example.com until fri", "Pat decides in your place"),
    ("delegate", "olu", "delegate", "Pat decides in your place"),
    ("delegate off", "olu", "delegate off", "has ended"),
    ("history [ENV or WHO]", "dana", "history {env}", "{0}"),
    ("envs", "dana", "envs", "{env}"),
    ("who ENV", "dana", "who {env}", "May approve"),
    ("explain ENV ROLE [WHO]", "dana", "explain {env} read-only nia@example.com", "Nia"),
)


def test_every_command_of_help_is_carried_out(teams: TeamsSide, shop: Shop) -> None:
    assert {one.usage for one in usages()} == {usage for usage, *_ in COMMANDS}
    ids: list[str] = []
    for _, who, line, part in COMMANDS:
        found = {"env": shop.name, **dict(enumerate(ids))}
        answer = teams.told(who, filled(line, found), filled(part, found))
        assert "error" not in answer
        assert "/prodaccess" not in answer
        if "You asked for" in answer or "You used" in answer:
            ids += [id_ for id_ in re.findall(r"PA-[0-9]+", answer)[-1:] if id_ not in ids]
        # What comes next is about what has come of it.
        become = {"approve": (ids[0:1], "Active"), "end": (ids[0:1], "Ended"), "break-glass": (ids[5:6], "Active")}
        for id_, state in [(id_, state) for verb, (of, state) in become.items() if line.startswith(verb) for id_ in of]:
            shop.card(id_, state)


def filled(line: str, found: dict[Any, str]) -> str:
    return re.sub(r"{(\w+)}", lambda hole: found[int(hole[1]) if hole[1].isdigit() else hole[1]], line)


def test_no_press_stays_without_an_answer(teams: TeamsSide, shop: Shop) -> None:
    """Each action that there is, on a message of ours, by whoever may or may not: never an error, never nothing."""
    card = shop.active()
    id_ = id_in(words(card))
    env = {"ask": shop.name, "break_glass": shop.name, "lift": "nia@example.com", "more": f"explain:{id_}"}
    for who in ("dana", "olu", "zed"):
        for action in PRESSES:
            data = {"action": action, "value": env.get(action, id_)}
            answer = teams.server.client.press(teams.person(who), card.id, "press", data, stale=True)
            assert answer.ok, (action, answer)
            assert answer.card or answer.said, action
            assert "error E-" not in (answer.said or ""), action
            assert answer.said != NOTHING_HERE, action
    assert "E-0" not in "".join(text for who in ("dana", "olu", "zed") for text in teams.direct(who))
    assert (
        teams.server.client.press(teams.person("dana"), card.id, "press", {"action": "no_such_thing"}, stale=True).said
        == NOTHING_HERE
    )
