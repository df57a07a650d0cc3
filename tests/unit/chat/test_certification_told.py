"""Where a certification is told: cards with its owners, calls that grow old, webhooks, and what stays hidden."""

from __future__ import annotations

from dataclasses import replace

from tests.support import build
from tests.support.build import OLU, PAT, SUE
from tests.support.certification import DAY, begun, cards, said
from tests.support.scenes import done, rules
from tests.support.spoken import CAST, Listener
from tests.support.world import World
from workflows.core.policy import Group, Policy, Webhook
from workflows.core.records.certification import Verdict
from workflows.usecases.certification.close import close

SLOT = "certify-run-1"


def listener(policy: Policy) -> Listener:
    found = Listener(World(policy))
    found.world.knows(*CAST)
    return found


def shown(t: Listener) -> dict[str, str]:
    """By what it is called."""
    return {one.what: one.text for one in t.posted() if one.what.startswith("certify-")}


def days_pass(t: Listener, days: float) -> None:
    t.world.clock.advance(days * DAY.total_seconds())
    t.world.work()


def test_owners_without_a_channel_each_get_the_card_and_all_copies_change() -> None:
    t = listener(build.policy(build.environment(approvals_channels=())))
    begun(t.world)
    found = shown(t)
    assert {name for name in found if "card" in name} == {"certify-1-1 card:UOLU", "certify-1-1 card:UPAT"}
    done(said(t.world, OLU, Verdict.KEEP, 1, reason="needed"))
    assert {text for name, text in shown(t).items() if "says Olu: needed" in text} == {
        shown(t)["certify-1-1 card:UOLU"],
        shown(t)["certify-1-1 card:UPAT"],
    }


def test_only_the_newest_reminder_calls_and_has_a_button() -> None:
    t = listener(build.policy())
    begun(t.world, within=8 * DAY)
    shown(t)
    for days in (4, 2):
        days_pass(t, days)
        shown(t)
    old, new = [(name, text) for name, text in shown(t).items() if "chase" in name]
    assert old[1].splitlines()[0] == "⏳ Payments: a newer reminder stands below"
    assert "[ Answer" not in old[1]
    assert "@UOLU or @UPAT" in new[1]
    assert "[ Answer: Payments... ]" in new[1]
    done(close(t.world.ctx, "1", "Ada", "over", "c"))
    assert not any("[ " in text for text in shown(t).values()), "what can do nothing any more has no button"


def test_a_webhook_is_told_once_how_it_ended_and_not_what_passes() -> None:
    hook = Webhook("ops", "OPS_URL")
    t = listener(replace(rules(), webhooks=(hook,)))
    begun(t.world, "payments-prod")
    done(said(t.world, OLU, Verdict.REMOVE, 2, reason="not used"))
    assert not any("webhook" in name for name in shown(t))
    done(close(t.world.ctx, "1", "Ada", "over", "c"))
    told = {name: text for name, text in shown(t).items() if "webhook" in name}
    assert sorted(told) == [f"{SLOT} goes:webhook:channel:ops", f"{SLOT} round:webhook:channel:ops"]
    assert "🏁 Closed" in told[f"{SLOT} round:webhook:channel:ops"]
    assert "take the role admin out" in told[f"{SLOT} goes:webhook:channel:ops"]


def test_how_far_it_is_is_told_also_when_the_entry_that_began_it_has_left_the_log() -> None:
    t = listener(build.policy())
    begun(t.world)
    shown(t)
    entries_of = t.world.ledger.entries_of
    t.world.ledger.entries_of = lambda subject: [] if subject == SLOT else entries_of(subject)  # type: ignore[method-assign]
    done(said(t.world, OLU, Verdict.KEEP, 1, reason="needed"))
    assert "1 stay" in shown(t)[f"{SLOT} round"]


def test_what_goes_no_more_is_taken_back_where_it_was_told() -> None:
    t = listener(build.policy())
    begun(t.world)
    done(said(t.world, OLU, Verdict.REMOVE, 1, reason="not used"))
    assert "take the role read-only out of payments-prod" in shown(t)[f"{SLOT} goes"]
    done(said(t.world, PAT, Verdict.KEEP, 1, reason="it is used in May"))
    assert "nothing is to go any more" in shown(t)[f"{SLOT} goes"]


def test_whoever_owns_it_now_gets_the_card_and_who_did_before_reads_how_it_stands() -> None:
    t = listener(build.policy(build.environment(approvals_channels=())))
    begun(t.world)
    shown(t)
    groups = {**t.world.policy.policy.groups, "platform": Group("platform", members=frozenset({SUE, PAT}))}  # type: ignore[arg-type]  # addresses, as every id here
    t.world.policy.policy = replace(t.world.policy.policy, groups=groups)
    done(said(t.world, PAT, Verdict.KEEP, 1, reason="needed"))
    assert len(cards(t.world)) == 1
    found = shown(t)
    assert {"certify-1-1 card:UOLU", "certify-1-1 card:UPAT", "certify-1-1 card:USUE"} <= set(found)
    assert all("says Pat: needed" in text for name, text in found.items() if "card" in name)
