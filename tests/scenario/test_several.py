"""Several at once on running processes: by form and by command, decided by whoever owns what, each with an end of its own."""

from __future__ import annotations

from bot.sandbox.slack import Message, buttons, elements, words
from tests.scenario.test_life import block_of, dana, opened, shut, with_role
from tests.support.installation import (
    BESIDE,
    CHANGING,
    PEOPLE,
    RECEIPTS,
    Case,
    Installation,
    edited,
    eventually,
    policy_in_force,
)
from workflows.core import keys
from workflows.core.records.request import Request


def batch(case: Case, id_: str) -> tuple[str, ...]:
    request = case.at.ledger().read(keys.request(id_)).get(keys.request(id_), Request)
    assert request is not None
    return request.batch


def id_of(card: Message) -> str:
    """The first of those on the card."""
    return words(card).rpartition("PA-")[0].rpartition("PA-")[2].split(",")[0]


def told(case: Case, *parts: str) -> Message:
    """The newest direct message to dana that says all this."""

    def look() -> Message | None:
        found = [it for it in case.at.slack.person(PEOPLE["dana"]).dms() if all(part in words(it) for part in parts)]
        return found[-1] if found else None

    return eventually(look, f"dana is told {parts}") or Message()


def test_two_roles_of_one_environment_by_form_with_one_decision(http_case: Case) -> None:
    case = http_case
    shut(case.at)
    case.at.have_been_here("olu", "pat")
    assert case.at.types("dana", "").ok
    with_role(case, opened(case.at), "read-only")
    opened(case.at).choose("more_roles", ["deploy"])
    eventually(lambda: "Roll out or back" in words(opened(case.at).view), "what the other role allows")
    form = opened(case.at)
    assert block_of(form, "duration")
    form.fill("reason", "INC-42 hotfix with logs")
    assert form.submit().ok
    assert not form.is_open
    card = case.card("Needs approval", "read-only", "deploy", "INC-42 hotfix with logs")
    assert len(case.cards()) == 1, "one decision, one card"
    assert [name for name in buttons(card) if name.endswith("all")] == ["Approve all", "Deny all"]
    case.at.slack.person(PEOPLE["dana"]).press(card, "approve_all", channel=case.channel)
    case.whispered("dana", "You asked for this yourself")
    asked = told(case, "You asked for", "Olu or Pat can approve all of it")
    assert "Take all back" in buttons(asked)
    assert case.press("olu", card, "approve_all").ok
    card = case.card("Active", "read-only", "deploy")
    eventually(lambda: words(case.cards()[-1]).count("✅ Active") == 2, "both are active")
    assert case.has_access()
    assert "dana@example.com" not in words(card)
    active = told(case, "You asked for", "Open console")
    assert words(active).count("✅ Active") == 2
    assert active.ts == asked.ts, "one message, kept current"
    ends = [item for item in elements(case.cards()[-1]) if item["action_id"] == "end"]
    assert len(ends) == 2
    first = ends[0]["value"].split(":")[0]
    ids = batch(case, first)
    assert case.at.slack.person(PEOPLE["dana"]).press(active, "end", ends[0]["value"]).ok
    card = case.card("Ended", "✅ Active")
    assert not case.has_access()
    assert case.at.events(ids[1])[-1] == "grant.active", "the other goes on"
    case.at.quiet()
    threads = [it for it in case.at.messages(RECEIPTS) if any(id_ in words(it) for id_ in ids)]
    assert len(threads) == 1, "one thread of receipts"
    assert "Ended" in words(threads[0])
    assert "✅ Active" in words(threads[0])
    shown = case.at.told("dana", f"show {ids[1]}")
    assert "deploy" in shown
    assert ids[0] not in shown


def test_one_role_in_two_environments_by_command_with_different_owners(own: Installation) -> None:
    ours, theirs, before = Case(own, CHANGING), Case(own, BESIDE), policy_in_force(own)
    with edited(own, CHANGING, "owners: [platform]", "owners: [security]"):
        eventually(lambda: policy_in_force(own) != before, "the new owners")
        own.wait_ready()
        own.have_been_here("olu", "pat", "sue")
        answer = own.told("dana", f"{theirs.name},{ours.name} read-only 1h INC-42 both sides")
        assert "You asked for *read-only* in *Shop 295*" in answer
        assert "Sue or Pat can approve" in answer or "Pat or Sue can approve" in answer
        assert "Olu or Pat can approve" in answer
        first, second = (
            theirs.card("Needs approval", "INC-42 both sides"),
            ours.card("Needs approval", "INC-42 both sides"),
        )
        assert theirs.press("olu", first, "approve").ok
        theirs.card("Active")
        assert ours.press("olu", second, "approve").ok
        assert "Sue" in ours.whispered("olu", "can decide this, and you are not among them")
        assert not ours.has_access()
        assert ours.press("sue", second, "deny").ok
        form = eventually(own.slack.person(PEOPLE["sue"]).view, "the reason's form")
        form.fill("reason", "not on this side")
        assert form.submit().ok
        ours.card("Denied", "not on this side")
        state = told(theirs, "You asked for", "✅ Active", "⛔ Denied by Sue: not on this side")
        assert "Open console" in buttons(state)
        assert theirs.has_access()
        assert not ours.has_access()
        again = own.told("dana", f"{theirs.name},{ours.name} read-only,admin 1h INC-42 all of it")
        assert "not both at once" in again
        left = own.told("dana", f"{theirs.name} read-only,readers 1h INC-42 more")
        assert "so it was left out" in left
        assert dana(own).view() is None
    theirs.tidy()
    ours.tidy()
