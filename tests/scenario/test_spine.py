"""The whole life on running processes, over HTTP and over Socket Mode: asked, approved, given, ended, with its receipts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis

from bot.sandbox.aws.evaluate import allows
from bot.sandbox.slack import words
from tests.support.installation import PEOPLE, RECEIPTS, Case, Installation, eventually

LIFE_CALLS_MAX = 10


def assigned(case: Case) -> bool:
    return case.has_access()


def in_group(case: Case) -> bool:
    return "dana@example.com" in case.at.aws.world.group_members(f"{case.name}-readers")


def has_policy(case: Case) -> bool:
    return any(
        case.name in str(policy.document) for policy in case.at.aws.world.iam_policies("dana", "111122223333").values()
    )


def in_iam_group(case: Case) -> bool:
    return "dana" in case.at.aws.world.iam_group_members(f"{case.name}-deployers", "111122223333")


TARGETS: dict[str, Callable[[Case], bool]] = {
    "read-only": assigned,
    "readers": in_group,
    "state-write": has_policy,
    "deploy": in_iam_group,
}


@pytest.mark.parametrize("role", TARGETS)
def test_a_life_is_told_only_as_it_is_at_the_target(case: Case, role: str):
    has_it = TARGETS[role]
    case.approve(case.asked(role=role, rest="3s INC-42 checkout errors"))
    card = case.card("Active")
    assert has_it(case)
    card = case.card("Ended")
    assert not has_it(case)
    assert "removal verified" in words(card)
    assert "End early" not in words(card)
    told = eventually(lambda: [text for text in case.direct("dana") if case_in(text, role, case) and "Ended" in text])
    assert told


def case_in(text: str, role: str, case: Case) -> bool:
    return role in text and f"Shop {case.number:03}" in text


def test_the_inline_policy_ends_by_itself_while_the_bot_is_dead(case: Case):
    case.active(role="state-write", rest="30m INC-42 fix the state")
    (policy,) = (
        found
        for found in case.at.aws.world.iam_policies("dana", "111122223333").values()
        if case.name in str(found.document)
    )
    now = datetime.now(UTC)
    thing = f"arn:aws:s3:::state/{case.name}/x"
    assert allows(policy.document, "s3:GetObject", thing, now)
    assert not allows(policy.document, "s3:GetObject", thing, now + timedelta(minutes=30))
    case.press("olu", case.card("Active"), "end")
    case.card("Revoked")


def test_every_event_has_a_receipt_with_its_number_and_digest(case: Case):
    card = case.active(rest="2s INC-42 receipts")
    id_ = id_in(words(card))
    case.card("Ended")
    root = eventually(
        lambda: next((m for m in case.at.messages(RECEIPTS) if id_ in words(m) and "Ended" in words(m)), None)
    )
    assert root is not None
    person = case.at.slack.person(PEOPLE["sue"])

    def lines() -> str:
        return "\n".join(words(message) for message in person.thread(RECEIPTS, root.ts))

    entries = [entry for entry in case.at.ledger().entries_of(id_) if entry.event.value != "request.resolved"]
    assert [entry.event.value for entry in entries][-1] == "grant.ended"
    for entry in entries:
        eventually(
            lambda entry=entry: f"#{entry.number} {entry.digest[:12]}" in lines(), f"the receipt of {entry.event}"
        )


def id_in(text: str) -> str:
    found = re.findall(r"PA-[0-9]+", text)
    return found[-1]


def test_one_life_takes_at_most_ten_calls_to_slack_and_to_aws(http_case: Case):
    case = http_case
    case.active(rest="2s INC-42 warm up")
    case.card("Ended")
    quiet(case.at)
    mark, since = case.at.slack.calls.mark(), len(case.at.aws.shim.log.calls("*"))
    case.approve(case.asked(rest="3s INC-42 counted"))
    case.card("counted", "Active")
    eventually(lambda: len([card for card in case.cards() if "Ended" in words(card)]) == 2, "the second end")
    quiet(case.at)
    slack = case.at.slack.calls.counts(mark)
    calls = [call for call in case.at.aws.shim.log.calls("*")[since:] if not about_another(case, str(call.arguments))]
    # People are cached for a minute; on a slow machine that can run out in between, which is not what is counted.
    slack.pop("users.info", None)
    # The two later looks come 15 and 60 s after the end, one call each.
    assert sum(slack.values()) <= LIFE_CALLS_MAX, slack
    assert 0 < len(calls) + 2 <= LIFE_CALLS_MAX, [call.action for call in calls]


def about_another(case: Case, arguments: str) -> bool:
    """Later looks at grants of other tests fall into the time that is counted."""
    return ("200000000" in arguments and case.account not in arguments) or "UserName" in arguments


def quiet(at: Installation) -> None:
    """Wait until nothing is under way: no mark in chat, no wake-up in a queue."""
    with redis.Redis.from_url(at.redis.url, decode_responses=True) as client:

        def still() -> bool:
            marks = [item for item in client.zrange("prodaccess:due", 0, -1) if item.startswith(("chat:", "press:"))]
            return not marks and not any(
                client.llen(f"rq:queue:prodaccess-{name}") for name in ("remove", "grant", "chat")
            )

        eventually(still, "quiet")


def test_the_first_of_two_overlapping_grants_to_end_leaves_the_second(case: Case):
    first = case.active(rest="30m INC-1 first")
    case.approve(case.asked(role="same-thing", rest="30m INC-2 second"))
    second = case.card("same-thing", "Active")
    case.press("dana", first, "end")
    case.card("read-only", "Ended")
    assert case.has_access()
    case.press("dana", second, "end")
    case.card("same-thing", "Ended")
    assert not case.has_access()


def test_access_that_stood_before_is_told_and_stays(case: Case):
    case.at.aws.world.assign("dana@example.com", "ReadOnlyAccess", case.account)
    case.ask()
    text = eventually(
        lambda: next((t for t in case.direct("dana") if "standing" in t and case_in(t, "read-only", case)), None)
    )
    assert "already have this" in (text or "")
    assert case.cards() == []
    assert case.has_access()
    case.at.aws.world.unassign("dana@example.com", "ReadOnlyAccess", case.account)


def test_a_rule_approves_at_once_and_the_owners_see_it(case: Case):
    case.ask(role="self-service", rest="1h looking around")
    card = case.card("Active")
    assert "developers read" in words(card)
    assert case.has_access()
    case.press("olu", card, "end")
    case.card("Revoked")


def test_deny_with_a_reason_reaches_the_one_who_asked(case: Case):
    card = case.asked()
    person = case.at.slack.person(PEOPLE["olu"])
    assert case.press("olu", card, "deny").ok
    form = eventually(person.view, "the form")
    assert form is not None
    form = person.form()
    (block,) = [item["block_id"] for item in form.blocks if item["type"] == "input"]
    form.fill(block, "use staging for this")
    assert form.submit().ok
    assert "Denied" in words(case.card("Denied"))
    eventually(lambda: [text for text in case.direct("dana") if "use staging for this" in text], "the reason")
    assert not case.has_access()


def test_without_a_channel_each_owner_gets_the_card_and_all_copies_change(over_http: Installation):
    case = over_http.case(channel=False)
    case.ask()

    def card_of(who: str, part: str):
        person = over_http.slack.person(PEOPLE[who])
        return next((m for m in person.dms() if f"Shop {case.number:03}" in words(m) and part in words(m)), None)

    olu = eventually(lambda: card_of("olu", "Waiting"))
    eventually(lambda: card_of("pat", "Waiting"))
    assert olu is not None
    assert over_http.slack.person(PEOPLE["olu"]).press(olu, "approve").ok
    eventually(lambda: card_of("olu", "Active"))
    eventually(lambda: card_of("pat", "Active"))


def test_the_form_asks_like_the_command(case: Case):
    dana = case.at.slack.person(PEOPLE["dana"])
    assert case.at.types("dana", case.name).ok
    eventually(dana.view, "the form")
    form = dana.form()
    roles = next(item for item in form.blocks if item["block_id"].startswith("role"))
    assert {option["value"] for option in roles["element"]["options"]} >= {"read-only", "admin"}
    form.choose("role", "admin")
    eventually(lambda: "can delete customer data" in words(dana.form().view), "the danger")
    dana.form().choose("role", "read-only")
    eventually(lambda: any(item["block_id"].startswith("duration") for item in dana.form().blocks), "durations")
    assert dana.form().submit().error == "incomplete", "a reason is wanted"
    dana.form().fill("reason", "INC-42 from the form")
    assert dana.form().submit().ok
    assert "INC-42 from the form" in words(case.card("Waiting"))
    eventually(lambda: [t for t in case.direct("dana") if "INC-42 from the form" in t], "the form's answer")
