"""Break-glass on running processes: in at once, seen by everybody, reviewed by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.chat.outbox.outages import subject_of
from bot.sandbox.slack import Form, Message, buttons, elements, words
from tests.support.installation import INCIDENT, PEOPLE, RECEIPTS, Case, Installation, eventually, id_in
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.oversight import Review, ReviewState
from workflows.core.records.person import PersonRecord
from workflows.ports import Change, Committed

NIA = PersonId("nia@example.com")


def broken(case: Case, rest: str = "admin INC-42 all down", channel: str = INCIDENT) -> Message:
    """Nia breaks the glass; the card that everybody sees."""
    answer = case.at.told("nia", f"break-glass {case.name} {rest}", channel)
    assert "🚨 You used break-glass" in answer
    return case.card("🚨 Break-glass", id_in(answer))


def review(at: Installation, id_: str) -> Review:
    found = at.ledger().read(keys.review(id_)).get(keys.review(id_), Review)
    assert found is not None
    return found


def lift_all(case: Case) -> None:
    """Nobody's bar outlives its test: the installation is shared."""
    record = case.at.ledger().read(keys.person(NIA)).get(keys.person(NIA), PersonRecord)
    if record is not None and record.break_glass_barred:
        assert "lifted" in case.at.told("sue", "lift @nia the test is over")


def test_a_break_glass_is_seen_by_everybody_and_reviewed_by_somebody_else(case: Case):
    at = case.at
    card = broken(case)
    id_ = id_in(words(card))
    case.card("🚨 Break-glass", "Active", id_)
    assert case.has_access("nia", "AdministratorAccess")
    for channel in (RECEIPTS, INCIDENT):
        eventually(lambda here=channel: [m for m in at.messages(here) if id_ in words(m) and "🚨" in words(m)])
    for who in ("olu", "pat", "sue"):
        eventually(lambda name=who: [text for text in case.direct(name) if id_ in text and "🚨" in text], who)
    assert at.events(id_)[:3] == ["request.made", "break_glass.used", "grant.active"]

    case.press("nia", case.card(id_), "acknowledge")
    case.whispered("nia", f"{id_} was yours, so somebody else has to review it")
    case.press("nia", case.card(id_), "flag")
    assert at.slack.person(PEOPLE["nia"]).view() is None
    assert f"{id_} was yours" in at.told("nia", f"flag {id_} all was well")
    assert "Only members of platform or security can review" in at.told("dana", f"acknowledge {id_}")
    assert review(at, id_).state is ReviewState.OWED

    case.take_back("olu", case.card(id_))
    eventually(lambda: not case.has_access("nia", "AdministratorAccess"), "taken back")
    over = case.card("Revoked", id_)
    assert "Acknowledge..." in buttons(over), "the review outlives the access"
    assert case.press("olu", over, "acknowledge").ok
    form = eventually(at.slack.person(PEOPLE["olu"]).view, "the form")
    assert form is not None
    form.fill("reason", "nobody could have waited")
    assert form.submit().ok
    assert buttons(case.card("acknowledged by Olu: nobody could have waited", id_)) == []
    assert "You cannot use break-glass" in at.told("nia", f"break-glass {case.name} read-only INC-43 again")
    lift_all(case)
    eventually(lambda: [text for text in case.direct("nia") if "lifted what kept you" in text], "told")


def test_a_flag_in_its_own_form_wants_a_note_and_reaches_security_and_the_holder(http_case: Case):
    case = http_case
    id_ = id_in(words(broken(case, "read-only INC-42 all down")))
    case.press("olu", case.card("Active", id_), "flag")
    form = eventually(case.at.slack.person(PEOPLE["olu"]).view, "the form")
    assert form is not None
    assert form.submit().error == "incomplete"
    form.fill("reason", "this could have waited")
    assert form.submit().ok
    for who in ("nia", "sue"):
        eventually(lambda name=who: [t for t in case.direct(name) if "flagged" in t and "could have waited" in t], who)
    assert review(case.at, id_).state is ReviewState.FLAGGED
    case.at.told("nia", f"end {id_}")
    lift_all(case)


def test_the_form_has_an_emergency_exit_of_its_own_only_for_those_who_may(http_case: Case):
    case = http_case
    nia, dana = case.at.slack.person(PEOPLE["nia"]), case.at.slack.person(PEOPLE["dana"])
    case.at.types("dana", case.name)
    form = eventually(dana.view, "the form")
    assert form is not None
    assert "Break glass..." not in buttons(form.view)
    form.close()
    case.at.types("nia", case.name)
    form = eventually(nia.view, "the form")
    assert form is not None
    assert form.press("break_glass").ok

    def pushed() -> Form | None:
        found = nia.view()
        return found if found is not None and found.view.body["callback_id"] == "glass_form" else None

    break_glass = eventually(pushed, "the emergency's own window")
    assert break_glass is not None
    assert break_glass.view.body["title"]["text"] == "🚨 Break glass"
    assert "Everybody sees it" in words(break_glass.view)
    role = next(item["block_id"] for item in elements(break_glass.view) if item["action_id"] == "role")
    break_glass.fill(role, "read-only")
    break_glass.fill("reason", "INC-44 all down")
    assert break_glass.submit().ok
    id_ = id_in(words(case.card("🚨 Break-glass", "Active", "INC-44")))
    assert nia.view() is None
    assert case.has_access("nia")
    case.at.told("nia", f"end {id_}")


def test_what_slack_takes_in_no_channel_reaches_everybody_concerned_directly(own: Installation):
    case = own.case()
    refused = [
        own.slack.faults.add("chat.postMessage", times=None, error="not_in_channel", where={"channel": channel})
        for channel in (case.channel, RECEIPTS)
    ]
    answer = own.told("nia", f"break-glass {case.name} read-only INC-45 all down")
    id_ = id_in(answer)
    eventually(lambda: [text for text in case.direct("olu") if id_ in text], "the owners are told directly")
    own.quiet()
    two_minutes_later(own, id_)
    for who in ("nia", "olu", "sue"):
        eventually(lambda name=who: [t for t in case.direct(name) if "could not be announced" in t and id_ in t], who)
    assert "break_glass.unannounced" in own.events(id_)
    assert any("no channel was told" in line and id_ in line for line in own.logs().splitlines())
    for fault in refused:
        fault.times = 0
    own.quiet()
    # As if the channels were looked at again by now.
    for channel in (case.channel, RECEIPTS):
        own.soon(keys.chat(subject_of(channel)))
        eventually(lambda name=channel: [m for m in own.messages(name) if id_ in words(m)], f"{channel} hears of it")
    own.told("nia", f"end {id_}")
    case.tidy()


def two_minutes_later(at: Installation, id_: str) -> None:
    """As if the decision were that much older."""
    ledger, item = at.ledger(), keys.review(id_)
    snapshot = ledger.read(item)
    found = snapshot.get(item, Review)
    assert found is not None
    older = replace(found, since=found.since - timedelta(minutes=2))
    change = Change(f"older:{id_}", snapshot.now, snapshot.versions(), puts={item: older})
    assert isinstance(ledger.commit(change), Committed)
    at.soon(keys.announced_due(id_))
