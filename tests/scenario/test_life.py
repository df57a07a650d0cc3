"""What becomes of a request, on running processes: nothing is said that AWS does not bear out, and whoever has to know is told.

Where one test would look at one life only, the four kinds of target live side by side in the fixture `lives`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis

from bot.sandbox.aws.evaluate import allows
from bot.sandbox.aws.log import Record
from bot.sandbox.slack import Form, Home, Message, Person, buttons, elements, words
from tests.support.installation import (
    CHANGING,
    FAKE_INCIDENT,
    GENERAL,
    IMPATIENT,
    INCIDENT,
    PEOPLE,
    RECEIPTS,
    SHORT,
    Case,
    Installation,
    case_name,
    edited,
    eventually,
    id_in,
    policy_in_force,
)
from workflows.core import keys
from workflows.core.records.grant import Grant
from workflows.core.records.request import Request
from workflows.usecases.oversight.policy_activation import subject_of
from workflows.usecases.upkeep.verify_audit import all_faults

HOME = "111122223333"
ROLES = ("read-only", "readers", "state-write", "deploy")
# What the worker calls to give and to take, by role.
CHANGES = {
    "read-only": ("CreateAccountAssignment", "DeleteAccountAssignment"),
    "readers": ("CreateGroupMembership", "DeleteGroupMembership"),
    "state-write": ("PutUserPolicy", "DeleteUserPolicy"),
    "deploy": ("AddUserToGroup", "RemoveUserFromGroup"),
}
# By what it sees whether the access is there. A policy that is gone is answered with NoSuchEntity.
PROOFS = {
    "read-only": "ListAccountAssignmentsForPrincipal",
    "readers": "IsMemberInGroups",
    "state-write": "GetUserPolicy",
    "deploy": "ListGroupsForUser",
}
SLACK_CALLS_MAX, AWS_CALLS_MAX = 10, 10
LATER_LOOKS = 2
# Asked once a minute for everybody, not for this life.
DIRECTORY = {"users.info", "usergroups.list", "auth.test", "users.lookupByEmail", "dnd.teamInfo"}


# ---------------------------------------------------------------- four lives side by side


@dataclass(frozen=True)
class Said:
    """One call to Slack: its text, and who had what at that moment."""

    at_s: float
    channel: str
    text: str
    had: dict[str, bool]


@dataclass
class Lives:
    case: Case
    began_at_s: float
    ids: dict[str, str]
    said: list[Said]

    def first(self, role: str, mark: str) -> list[Said]:
        """The first time that each place was told `mark` of this role."""
        found = [said for said in self.said if mark in said.text and f"{role} in" in said.text]
        return list({said.channel: said for said in reversed(found)}.values())

    def call(self, role: str, change: int) -> Record:
        """The call that gave (0) or took (1). Nothing else in this installation changes anything meanwhile."""
        (found,) = self.case.at.aws.proxy.log.calls(CHANGES[role][change], since=self.began_at_s)
        return found

    def dana(self, role: str) -> list[Message]:
        """Direct messages to dana about this role."""
        return [
            message for message in self.case.at.slack.person(PEOPLE["dana"]).dms() if self.ids[role] in words(message)
        ]


def holds(case: Case, role: str) -> bool:
    world = case.at.aws.world
    match role:
        case "readers":
            return "dana@example.com" in world.group_members(f"{case.name}-readers")
        case "state-write":
            return any(case.name in str(policy.document) for policy in world.iam_policies("dana", HOME).values())
        case "deploy":
            return "dana" in world.iam_group_members(f"{case.name}-deployers", HOME)
        case _:
            return case.has_access()


@contextmanager
def overheard(case: Case) -> Iterator[list[Said]]:
    """Every message about this environment, with what AWS held when Slack took it: later would prove nothing."""
    heard: list[Said] = []
    log, add = case.at.slack.calls, case.at.slack.calls.add

    def listen(method: str, arguments: Any, error: str | None) -> None:
        text = str(arguments.get("text", "")).replace("*", "")
        if error is None and f"Shop {case.number:03}" in text:
            had = {role: holds(case, role) for role in ROLES}
            heard.append(Said(time.monotonic(), str(arguments.get("channel", "")), text, had))
        add(method, arguments, error)

    log.add = listen  # type: ignore[method-assign] # a test listens in
    try:
        yield heard
    finally:
        log.add = add  # type: ignore[method-assign] # as above


@pytest.fixture(scope="module", params=["http", "socket"])
def lives(request: pytest.FixtureRequest) -> Lives:
    """Each role asked for by command, approved, and ended by its time."""
    at: Installation = request.getfixturevalue(f"over_{request.param}")
    case = at.case()
    began_at_s = time.monotonic()
    with overheard(case) as said:
        cards = {role: case.asked(role=role, rest=SHORT) for role in ROLES}
        for card in cards.values():
            case.approve(card)
        for role in ROLES:
            case.card(f"{role}*", "Ended")
        at.quiet()
    return Lives(case, began_at_s, {role: id_in(words(card)) for role, card in cards.items()}, said)


@pytest.mark.parametrize("role", ROLES)
def test_active_is_said_only_when_the_target_has_it(lives: Lives, role: str):
    told = lives.first(role, "✅ Active") + lives.first(role, "✅ You have")
    assert len(told) == 3, "the card, the receipts and the holder"
    assert all(said.had[role] for said in told)


@pytest.mark.parametrize("role", ROLES)
def test_ended_is_said_only_when_the_target_has_it_no_more(lives: Lives, role: str):
    told = lives.first(role, "🏁 Ended")
    assert len(told) == 3
    assert not any(said.had[role] for said in told)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mark", ["✅", "🏁 Ended"])
def test_before_each_word_the_target_was_asked(lives: Lives, role: str, mark: str):
    change = lives.call(role, 1 if mark == "🏁 Ended" else 0)
    first = min(said.at_s for said in lives.said if mark in said.text and f"{role}" in said.text)
    looks = lives.case.at.aws.proxy.log.calls(PROOFS[role], since=change.ended_at_s or 0.0)
    assert any(look.ended_at_s is not None and look.ended_at_s < first for look in looks)


@pytest.mark.parametrize("role", ROLES)
def test_each_entry_of_the_record_has_one_receipt_with_its_number_and_digest(lives: Lives, role: str):
    at, id_ = lives.case.at, lives.ids[role]
    entries = [entry for entry in at.ledger().entries_of(id_) if entry.event.value != "request.resolved"]
    assert [entry.event.value for entry in entries] == [
        "request.made",
        "request.approved",
        "grant.active",
        "grant.end_started",
        "grant.ended",
    ]
    lines = "\n".join(words(message) for message in replies(at, root_of(at, id_))).splitlines()
    assert [line.rpartition("· ")[2] for line in lines] == [f"#{entry.number} {entry.digest[:12]}" for entry in entries]


def test_nobody_changed_the_record(lives: Lives):
    assert all_faults(lives.case.at.ledger()) == []


def root_of(at: Installation, id_: str, channel: str = RECEIPTS) -> Message:
    found = [message for message in at.messages(channel) if id_ in words(message)]
    assert len(found) == 1, "one thread a request"
    return found[0]


def replies(at: Installation, root: Message) -> list[Message]:
    return at.slack.person(PEOPLE["sue"]).thread(root.channel, root.ts)


@pytest.mark.parametrize("role", ROLES)
def test_the_holder_has_one_message_that_says_active_and_then_ended(lives: Lives, role: str):
    (message,) = lives.dana(role)
    assert "🏁 Ended" in words(message)
    assert "removal verified" in words(message)
    assert buttons(message) == ["Ask again"]
    assert lives.first(role, "✅ You have")


def test_the_inline_policy_stops_allowing_at_the_deadline_by_itself(lives: Lives):
    document = json.loads(lives.call("state-write", 0).arguments["PolicyDocument"])
    item = keys.grant(lives.ids["state-write"])
    grant = lives.case.at.ledger().read(item).get(item, Grant)
    assert grant is not None
    for statement in document["Statement"]:
        (end,) = statement["Condition"]["DateLessThan"].values()
        assert abs(datetime.fromisoformat(end) - grant.deadline) <= timedelta(seconds=1)
    thing = f"arn:aws:s3:::state/{lives.case.name}/x"
    assert allows(document, "s3:GetObject", thing, grant.deadline - timedelta(seconds=2))
    assert not allows(document, "s3:GetObject", thing, grant.deadline + timedelta(seconds=1))


def test_what_is_over_reads_like_a_list(lives: Lives):
    cards = lives.case.cards()
    assert len(cards) == len(ROLES)
    # Who had what, how it ended, why, where; and the way to ask once more.
    assert all(buttons(card) == ["Ask again"] and len(words(card).splitlines()) <= 5 for card in cards)


# ---------------------------------------------------------------- what it costs


def test_one_life_takes_at_most_ten_calls_to_slack_and_ten_to_aws(http_case: Case):
    case, at = http_case, http_case.at
    case.active(rest=SHORT)
    eventually(lambda: ended(case, 1), "the first end")
    at.quiet()
    mark, began_at_s = at.slack.calls.mark(), time.monotonic()
    case.approve(case.asked(rest=SHORT))
    eventually(lambda: ended(case, 2), "the second end")
    at.quiet()
    # What the command is answered with comes in its own response, or, where somebody has to be looked up first, by its
    # response_url: that is no method of the API, and under no limit of one.
    other = {*DIRECTORY, "response_url"}
    slack = [call.method for call in at.slack.calls.since(mark) if call.method not in other]
    # Of torn lists the first page alone: AWS answers lists of ordinary sizes in one.
    calls = [call for call in at.aws.proxy.log.calls(since=began_at_s) if not call.goes_on]
    aws = [call.action for call in calls if case.account in str(call.arguments)]
    aws += [call.action for call in at.aws.proxy.log.calls("Describe*Status", since=began_at_s)]
    assert len(slack) <= SLACK_CALLS_MAX, slack
    assert len(aws) + LATER_LOOKS <= AWS_CALLS_MAX, aws


def ended(case: Case, count: int) -> bool:
    return sum("🏁 Ended" in words(card) for card in case.cards()) == count


# ---------------------------------------------------------------- ended, revoked, denied, withdrawn, expired


def test_the_holder_gives_it_back_with_one_press_in_their_own_message(case: Case):
    card = case.active(rest="30m INC-42 quick look")
    dana = case.at.slack.person(PEOPLE["dana"])
    mine = message_to(case, "dana", id_in(words(card)))
    assert dana.press(mine, "end").ok
    assert "given back by Dana" in words(case.card("Ended"))
    assert not case.has_access()
    after = eventually(
        lambda: [m for m in dana.dms() if m.ts == mine.ts and "Ended" in words(m)], "the message changes"
    )
    assert buttons(after[0]) == ["Ask again"]
    case.at.quiet()
    assert len([m for m in dana.dms() if id_in(words(card)) in words(m)]) == 1, "nothing new for what they just did"


def message_to(case: Case, who: str, *parts: str) -> Message:
    """The newest direct message that holds all `parts`."""
    person = case.at.slack.person(PEOPLE[who])

    def look() -> list[Message]:
        return [message for message in person.dms() if all(part in words(message) for part in parts)]

    return eventually(look, f"a message to {who} with {parts}")[-1]


def test_an_owner_takes_it_back_and_the_holder_reads_who_and_why(case: Case):
    id_ = id_in(words(case.active(rest="30m INC-42 quick look")))
    assert f"You revoked {id_}" in case.at.told("olu", f"end {id_} wrong account")
    assert "by Olu: wrong account" in words(case.card("Revoked"))
    assert not case.has_access()
    told = message_to(case, "dana", "Olu revoked your", "wrong account")
    assert told.notified, "somebody else did this, so it rings"


def test_a_denial_reaches_the_one_who_asked_with_its_reason(case: Case):
    card = case.asked()
    olu = case.at.slack.person(PEOPLE["olu"])
    assert case.press("olu", card, "deny").ok
    form = eventually(olu.view, "the form")
    assert form is not None
    assert form.submit().error == "incomplete", "a reason is wanted"
    form.fill("reason", "use staging for this")
    assert form.submit().ok
    assert not form.is_open
    denied = case.card("Denied by Olu: use staging for this")
    assert buttons(denied) == ["Ask again"]
    assert "Olu denied your request" in words(message_to(case, "dana", "use staging for this"))
    assert not case.has_access()
    assert id_in(case.ask()) != id_in(words(card)), "one may ask again"


def test_an_ask_that_was_taken_back_can_no_longer_be_approved(case: Case):
    card = case.asked()
    id_ = id_in(words(card))
    assert "You took back" in case.at.told("dana", f"withdraw {id_}")
    assert buttons(case.card("Withdrawn")) == []
    case.press("olu", card, "approve", stale=True)
    case.whispered("olu", "was withdrawn by Dana")
    assert case.at.events(id_)[-1] != "request.approved"
    assert [m for m in case.at.slack.person(PEOPLE["dana"]).dms() if id_ in words(m)] == []


def test_what_nobody_answers_expires_and_the_one_who_asked_is_told(own: Installation):
    case = Case(own, IMPATIENT)
    card = case.asked()
    id_ = id_in(words(card))
    assert buttons(case.card("Expired", "nobody answered in 2 s")) == ["Ask again"]
    assert "Nobody answered" in words(message_to(case, "dana", id_))
    own.refused_afresh("olu")
    case.press("olu", card, "approve", stale=True)
    case.whispered("olu", "has expired")
    assert not case.has_access()
    assert case.at.events(id_)[-2:] == ["request.expired", "request.refused"]
    assert id_in(case.ask()) != id_, "one may ask again"


# ---------------------------------------------------------------- without a press


def test_a_rule_approves_at_once_and_says_its_name_everywhere(case: Case):
    case.ask(role="self-service", rest="1h looking around")
    card = case.card("✅ Active", "approved automatically by the rule 'developers read'")
    assert case.has_access()
    case.at.quiet()
    lines = "\n".join(map(words, replies(case.at, root_of(case.at, id_in(words(card))))))
    assert "approved automatically by the rule 'developers read'" in lines
    assert card.pinged == ()
    case.at.told("olu", f"end {id_in(words(card))}")


def test_on_call_gets_in_at_once_in_a_real_incident_and_its_channel_holds_the_receipts(case: Case):
    case.ask(who="nia", channel=INCIDENT)
    card = case.card("✅ Active", "on-call reads in an incident")
    assert case.has_access("nia")
    case.at.quiet()
    id_ = id_in(words(card))
    for channel in (INCIDENT, RECEIPTS):
        lines = "\n".join(map(words, replies(case.at, root_of(case.at, id_, channel))))
        assert "asked by Nia" in lines
        assert "seen in AWS" in lines
    case.at.told("nia", f"end {id_}")
    case.card("Ended")


def test_a_channel_that_anybody_named_like_an_incident_opens_nothing(case: Case):
    case.ask(who="nia", channel=FAKE_INCIDENT)
    card = case.card("Needs approval")
    assert set(buttons(card)) == {"Approve", "Deny"}
    assert not case.has_access("nia")
    assert "request.auto_approved" not in case.at.events(id_in(words(card)))


# ---------------------------------------------------------------- where the card stands


def copies(case: Case, part: str) -> dict[str, Message]:
    """Who has the card as a direct message, in this state."""
    title = f"Shop {case.number:03}"
    found = {
        name: [m for m in case.at.slack.person(id_).dms() if title in words(m) and part in words(m)]
        for name, id_ in PEOPLE.items()
    }
    return {name: messages[-1] for name, messages in found.items() if messages}


def asked_by_direct_message(case: Case) -> dict[str, Message]:
    case.ask()
    eventually(lambda: len(copies(case, "Needs approval")) == 2, "two copies")
    return copies(case, "Needs approval")


def decided_on_one_copy_changes_all(case: Case) -> None:
    waiting = asked_by_direct_message(case)
    assert set(waiting) == {"olu", "pat"}
    assert case.at.slack.person(PEOPLE["pat"]).press(waiting["pat"], "approve").ok
    eventually(lambda: {"olu", "pat"} <= set(copies(case, "✅ Active")), "both copies change")
    # More time is the holder's to ask for: an owner's own copy offers what an owner can do.
    assert all(buttons(copies(case, "✅ Active")[name]) == ["End early"] for name in ("olu", "pat"))
    assert copies(case, "Needs approval") == {}
    case.at.told("dana", f"end {id_in(words(waiting['pat']))}")


def test_without_a_channel_each_owner_gets_the_card_and_all_copies_change(running: Installation):
    decided_on_one_copy_changes_all(running.case(channel=False))


def test_a_channel_that_the_bot_is_not_in_makes_direct_messages(case: Case):
    channel = case.at.slack.workspace.channel(case.channel)
    # A public one it would join.
    members = [member for member in channel.members if member != case.at.slack.app.bot_user_id]
    case.at.slack.workspace.change_channel(case.channel, members=members, is_private=True)
    decided_on_one_copy_changes_all(case)
    assert case.cards() == []


# ---------------------------------------------------------------- overlaps, standing access


def test_the_first_of_two_overlapping_grants_to_end_leaves_the_second(case: Case):
    second = case.active(role="same-thing", rest="30m INC-2 stays")
    case.approve(case.asked(rest=SHORT))
    first = case.card("read-only", "Ended")
    assert f"access goes on under {id_in(words(second))}" in words(first)
    assert "removal verified" not in words(first)
    assert case.has_access()
    message_to(case, "dana", f"goes on under {id_in(words(second))}", id_in(words(first)))
    case.press("dana", second, "end")
    case.card("same-thing", "Ended", "removal verified")
    assert not case.has_access()


def test_access_that_stood_before_is_told_and_stays(case: Case):
    case.at.aws.world.assign("dana@example.com", "ReadOnlyAccess", case.account)
    id_ = id_in(case.ask())
    assert "you have this permanently already" in words(message_to(case, "dana", id_))
    assert case.cards() == [], "nobody is asked for what is there"
    assert case.has_access()
    assert case.at.events(id_)[-1] == "request.denied"
    case.at.aws.world.unassign("dana@example.com", "ReadOnlyAccess", case.account)


# ---------------------------------------------------------------- the form


def dana(at: Installation) -> Person:
    return at.slack.person(PEOPLE["dana"])


def opened(at: Installation) -> Form:
    """The form in front of dana, once it is there."""
    found = eventually(dana(at).view, "the form opens")
    assert found is not None
    return found


def block_of(form: Form, name: str) -> str:
    return next((str(b["block_id"]) for b in form.blocks if b["block_id"].partition(":")[0] == name), "")


def with_role(case: Case, form: Form, role: str) -> Form:
    """Choose the environment and a role, and wait for what follows from them."""
    form.choose("environment", case.name, query=case.name)
    eventually(lambda: block_of(opened(case.at), "role"), "the roles of the environment")
    opened(case.at).choose("role", role)
    eventually(lambda: block_of(opened(case.at), "duration"), "how long")
    return opened(case.at)


def shut(at: Installation) -> None:
    while (view := dana(at).view()) is not None:
        view.close(everything=True)


def by_command(case: Case) -> None:
    assert case.at.types("dana", "").ok


def by_shortcut(case: Case) -> None:
    assert dana(case.at).shortcut("request_access").ok


def by_message(case: Case) -> None:
    said = case.at.slack.person(PEOPLE["nia"]).say(INCIDENT, "checkout is down")
    assert dana(case.at).message_shortcut(said, "request_access_here").ok


def by_home(case: Case) -> None:
    home = home_of(case, "dana")
    assert home.press("ask", "form").ok


DOORS: dict[str, Callable[[Case], None]] = {
    "command": by_command,
    "shortcut": by_shortcut,
    "message": by_message,
    "home": by_home,
}


@pytest.mark.parametrize("door", DOORS)
def test_the_form_opens_from_every_door_and_asks_like_the_command(case: Case, door: str):
    shut(case.at)
    case.at.have_been_here("olu", "pat")
    DOORS[door](case)
    form = with_role(case, opened(case.at), "deploy")
    assert "Roll out or back" in words(form.view)
    assert "Olu or Pat of platform will be asked" in words(form.view), "who will be asked, before it is sent"
    form.fill("reason", f"INC-42 by {door}")
    assert form.submit().ok
    assert not form.is_open
    id_ = id_in(words(case.card("Needs approval", f"INC-42 by {door}")))
    assert "Olu or Pat can approve it" in words(message_to(case, "dana", id_))
    request = case.at.ledger().read(keys.request(id_)).get(keys.request(id_), Request)
    assert request is not None
    assert request.origin.by_form
    if door == "message":
        assert request.origin.channel == INCIDENT
        assert request.origin.thread_ts, "where it was asked goes with it"


def test_the_form_follows_what_is_chosen_and_keeps_what_was_typed(case: Case):
    shut(case.at)
    assert case.at.types("dana", case.name).ok
    form = opened(case.at)
    form.fill("reason", "INC-42 typed first")
    form.choose("role", "admin")
    eventually(lambda: "can delete customer data" in words(opened(case.at).view), "the danger")
    assert block_of(opened(case.at), "ticket"), "this role wants a ticket"
    assert "One of platform (Olu, Pat) and one of security (Pat, Sue) will be asked" in words(opened(case.at).view)
    opened(case.at).choose("role", "read-only")
    eventually(lambda: "Allows: Read logs and metrics" in words(opened(case.at).view), "the other role")
    form = opened(case.at)
    assert not block_of(form, "ticket")
    assert form.state["reason"]["reason"]["value"] == "INC-42 typed first"
    durations = next(block for block in form.blocks if block["block_id"] == block_of(form, "duration"))
    assert [option["text"]["text"] for option in durations["element"]["options"]] == ["2 s", "30 min", "1 h"]
    shut(case.at)


def test_what_is_wrong_in_the_form_stands_beside_its_field_and_nothing_is_lost(case: Case):
    shut(case.at)
    by_command(case)
    form = with_role(case, opened(case.at), "admin")
    form.fill("reason", "no ticket in here")
    assert form.submit().error == "incomplete", "Slack itself keeps a form open in which something wanted is missing"
    form.fill(block_of(form, "ticket"), "none")
    assert form.submit().ok
    assert form.is_open
    assert "none is no ticket here. One is needed like INC-" in form.errors[block_of(form, "ticket")]
    assert case.cards() == []
    form.fill(block_of(form, "ticket"), "INC-7")
    assert form.submit().ok
    assert not form.is_open
    card = case.card("Needs approval", "no ticket in here")
    assert "INC-7" in words(card)
    approve = next(element for element in elements(card) if element["action_id"] == "approve")
    assert "can delete customer data" in approve["confirm"]["text"]["text"]
    assert all(part in approve["confirm"]["text"]["text"] for part in ("Dana", "admin", "Shop", "30 min"))


# ---------------------------------------------------------------- App Home


def home_of(case: Case, who: str) -> Home:
    person = case.at.slack.person(PEOPLE[who])
    person.open_home()
    found = eventually(person.home, "a home")
    assert found is not None
    return found


def drawn(case: Case, who: str, *parts: str, without: str = "") -> Home:
    """The home, once it shows all `parts`."""
    person = case.at.slack.person(PEOPLE[who])

    def look() -> Home | None:
        home = person.home()
        fits = (
            home
            and all(part in words(home.view) for part in parts)
            and (not without or without not in words(home.view))
        )
        return home if fits else None

    person.open_home()
    found = eventually(look, f"a home with {parts} and without {without!r}")
    assert found is not None
    return found


def test_home_shows_what_waits_on_an_owner_and_its_buttons_decide(case: Case):
    id_ = id_in(words(case.asked()))
    home = drawn(case, "olu", "Waiting for you", id_)
    value = next(
        e["value"] for e in elements(home.view) if e["action_id"] == "approve" and e["value"].startswith(f"{id_}:")
    )
    assert home.press("approve", value).ok
    case.card("Active")
    assert case.has_access()
    person = case.at.slack.person(PEOPLE["olu"])
    buttons_gone = "buttons that can no longer do anything are gone, and who has it now stands there"
    eventually(lambda: "In your environments now" in words(person.home().view), buttons_gone)
    assert not [e for e in elements(person.home().view) if e["action_id"] == "approve" and id_ in e["value"]]
    case.at.told("dana", f"end {id_}")


def test_home_shows_my_access_and_what_i_asked_and_ends_both(case: Case):
    active, waiting = id_in(words(case.active())), id_in(words(case.asked(role="deploy")))
    home = drawn(case, "dana", active, waiting, " left")
    assert home.press("end", active_value(home, active)).ok
    case.card("given back by Dana")
    eventually(lambda: " left" not in words(dana(case.at).home().view), "it is active no more")
    home = drawn(case, "dana", waiting, without=active)
    assert home.press("withdraw", waiting).ok
    case.card("Withdrawn")
    eventually(lambda: waiting not in words(dana(case.at).home().view), "it is gone without opening the page again")


def active_value(home: Home, id_: str) -> str:
    return next(e["value"] for e in elements(home.view) if e["action_id"] == "end" and e["value"].startswith(id_))


# ---------------------------------------------------------------- looking


def test_what_there_is_can_be_looked_at(case: Case):
    active, waiting = id_in(words(case.active())), id_in(words(case.asked(role="deploy")))
    place, title = case.name, f"Shop {case.number:03}"
    answers = {
        f"list {place}": ("Access in " + place, "Dana · read-only · ✅ Active until", "approved by Olu", active),
        "list": (title, active),
        "mine": ("You have", active, "You asked for", waiting),
        "pending": ("Waiting for an answer", title, "*deploy*", waiting, "approve ID"),
        f"show {active}": (
            "asked by Dana",
            "approved by Olu",
            "seen in AWS",
            f"ReadOnlyAccess in account {case.account}",
        ),
        active.lower(): ("✅ Active",),
        "envs": ("Environments:", case_name(case.at.numbers[0]), "`read-only`", "🔴 production"),
        f"who {place}": ("*May approve*", "platform: Olu and Pat", "developers: Dana, Nia and Olu"),
        f"explain {place} admin": ("✅ You may ask", "one of security (Pat, Sue)", "Dangerous", "like INC-123"),
        f"explain {place} read-only @siren": ("⛔ Siren is a bot, and bots cannot ask for access",),
        f"explain {place} read-only @zed": ("⛔", "members of developers or oncall"),
        "help": ("opens the form", "1 h 30 min"),
        "help deny": ("deny ID REASON",),
    }
    for outsider in ("zed", "gus"):
        # Whom nobody has met is not known to be a guest, or to be in no group.
        case.at.told(outsider, "mine")
    for typed, parts in answers.items():
        answer = case.at.told("dana", typed)
        assert all(part in answer for part in parts), (typed, parts, answer)
    case.at.told("dana", f"end {active}")


def test_looking_pings_nobody(http_case: Case):
    http_case.asked()
    for typed in ("pending", "list", f"who {http_case.name}", f"explain {http_case.name} admin"):
        http_case.at.told("sue", typed)
    sue = http_case.at.slack.person(PEOPLE["sue"])
    assert all(message.pinged == () for message in sue.ephemerals(GENERAL))


# ---------------------------------------------------------------- by the clock, and other policies


def test_a_digest_is_posted_once_a_slot(own: Installation):
    case = Case(own, CHANGING)
    active, waiting = id_in(words(case.active())), id_in(words(case.asked(role="deploy")))
    item = own.digest_of(case.name)
    own.soon(item)
    posted = eventually(lambda: digests(case), "the digest")
    text = words(posted[0])
    assert all(part in text for part in ("Active access: 1", f"*Shop {case.number}*", "Dana · read-only", active))
    assert all(
        part in text for part in ("Needs a hand", f"Dana · deploy in Shop {case.number}", waiting, "1 unanswered")
    )
    number, digits = re.findall(r"audit #([0-9]+) ([0-9a-f]{12})", text)[0]
    (head,) = own.ledger().entries(after=int(number) - 1, limit=1)
    assert head.digest.startswith(digits)
    own.soon(item)
    eventually(lambda: scheduled(own, item), "the next slot is on the clock again")
    own.quiet()
    assert len(digests(case)) == 1
    own.told("dana", f"end {active}")
    own.told("dana", f"withdraw {waiting}")


def digests(case: Case) -> list[Message]:
    posts = [message for message in case.at.messages(RECEIPTS) if "Active access" in message.text]
    return [message for message in posts if f"*Shop {case.number}* ·" in words(message)]


def scheduled(at: Installation, item: str) -> bool:
    with redis.Redis.from_url(at.redis.url) as client:
        return float(client.zscore("prodaccess:due", item) or 0) > time.time() + 3600


def policies(at: Installation) -> list[str]:
    return [words(message) for message in at.messages(RECEIPTS) if message.text.startswith("📜")]


def test_another_policy_is_told_with_its_difference_and_decides(own: Installation):
    own.quiet()  # what was put in force before has been told
    case, before = Case(own, CHANGING), len(policies(own))
    with edited(own, CHANGING, "  readers: {}\n", "  readers: {max_duration: 45m}\n"):
        told = eventually(lambda: policies(own)[before:], "the receipt")
        assert f"{case.name} readers: max_duration 8 h -&gt; 45 min" in told[0]
        entry = own.ledger().entries_of(subject_of(policy_in_force(own)))[-1]
        assert f"#{entry.number} {entry.digest[:12]}" in told[0]
        # Nobody asks anything meanwhile: a process that only looks when it is asked would refuse the first who does.
        new = f'"policy": "{policy_in_force(own)}"'
        eventually(lambda: new in own.processes["web"].log.read_text(), "web has read it")
        assert "45 min at most" in case.ask(role="readers")
    eventually(lambda: len(policies(own)) == before + 2, "and back again")
    assert id_in(case.ask(role="readers"))


def test_an_edit_that_is_not_valid_is_told_and_the_old_policy_goes_on(own: Installation):
    own.quiet()  # what was put in force before has been told
    case, before = Case(own, CHANGING), len(policies(own))
    with edited(own, CHANGING, "owners: [platform]", "owners: [platfrom]"):
        eventually(lambda: "not valid" in str(own.ready()["missing"]), "it says so")
        assert own.ready()["missing"] == ["the policy folder has changed and is not valid; the active policy stays"]
        card = case.active(role="same-thing")
        assert case.has_access()
        own.told("dana", f"end {id_in(words(card))}")
    assert len(policies(own)) == before
