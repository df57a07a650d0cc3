"""What is refused, with the situation that refuses it: each sentence has its parameters from the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.chat.message import value_of
from bot.chat.messages.holds import CONFIRM_SAME, choices
from tests.support import build
from tests.support.build import DANA, HOUR, MINUTE, NIA, NOW, OLU, PAT, SUE, entitlement, environment
from tests.support.scenes import broken, done, rules, scene
from tests.support.scenes_of_accounts import NEW, on_hold
from tests.support.scenes_of_the_house import TEMPLATE
from tests.support.signed import OLDER, checking, pressed
from tests.support.spoken import Listener
from tests.support.world import account
from workflows.core import keys
from workflows.core.people import Membership
from workflows.core.policy import Entitlement, Group, Policy, Ticket, TicketCheck
from workflows.core.records.request import Origin
from workflows.core.rules.eligibility import Ask
from workflows.core.rules.ticket_check import TicketSeen, TicketState
from workflows.ports import Durability
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Refuse
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.decisions.approve import approve
from workflows.usecases.identity.confirm_account import held_account
from workflows.usecases.oversight.break_glass_review import flag
from workflows.usecases.requests.batch import ask_for_several
from workflows.usecases.revocation.revoke_all import RevocationScope, revoke_all
from workflows.usecases.shared.signed_votes import Signed

ASKS = "payments-prod read-only 1h INC-42 errors"


def with_role(policy: Policy, role: Entitlement) -> Policy:
    place = policy.environments[role.environment]
    changed = replace(place, roles={**place.roles, role.role: role})
    return replace(policy, environments={**policy.environments, place.name: changed})


@scene
def slips_of_the_keyboard(t: Listener) -> Iterator[tuple[str, ...]]:
    t.brief = True
    t.tries = [
        (DANA, text)
        for text in (
            "aprove PA-1",
            "deny",
            "approve PA1",
            "paymets-prod read-only 1h INC-42 errors",
            "payments-prod read-only 1x INC-42 errors",
            "payments-prod read-only 0m INC-42 errors",
            f"payments-prod read-only 1h INC-42 {'errors ' * 90}",
            "payments-prod,books-prod read-only,admin 1h INC-42 errors",
            f"payments-prod {','.join(f'role-{number}' for number in range(12))} 1h INC-42 errors",
            "payments-prod read-only 1h at 25:00 INC-42 errors",
            "payments-prod read-only 1h at 2020-01-01 10:00 INC-42 errors",
            "payments-prod read-only 1h at 2027-12-01 10:00 INC-42 errors",
            "for @nobody payments-prod read-only 1h INC-42 errors",
            "for <@UNOBODY|nobody> payments-prod read-only 1h INC-42 errors",
            "delegate <@UNIA|nia> fri",
        )
    ]
    t.tries += [
        (OLU, "delegate <@UOLU|olu> fri"),
        (OLU, "delegate <@UNIA|nia> someday"),
        (OLU, "delegate <@UNIA|nia> 2026-01-01"),
        (OLU, "delegate <@UNIA|nia> 2028-01-01"),
        (SUE, "revoke-all person <@UGUS|gus> laptop stolen"),
        (NIA, "revoke-all person <@UGUS|gus> laptop stolen"),
        (NIA, "lift <@UDANA|dana> it was found"),
    ]
    yield ()


@scene
def too_early_to_decide(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = done(t.world.ask())
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (OLU, f"less {id_} 10m"), (DANA, f"show {id_}")]
    yield ()


@scene
def the_least_there_is(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    has = w.active()
    id_ = w.asked(role="admin")
    least = w.asked(NIA, duration=30 * MINUTE)
    t.brief = True
    t.tries = [
        (OLU, f"less {id_} read-only"),
        (OLU, f"less {id_} admin 2h"),
        (OLU, f"less {least} read-only 30m"),
        (DANA, ASKS),
        (OLU, f"less {has} 10m"),
    ]
    yield has, id_, least


@scene
def other_terms_than_were_shown(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.brief = True
    t.presses_at = [(OLU, "approve", value_of(id_, "f" * 16))]
    yield (id_,)


@scene
def rules_that_changed_while_it_waited(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    has = w.active(NIA)
    role = w.policy.policy.environments["payments-prod"].roles["read-only"]
    t.posted(id_, has)
    w.policy.policy = with_role(w.policy.policy, replace(role, max_duration=30 * MINUTE, durations=(30 * MINUTE,)))
    t.brief = True
    t.tries = [(OLU, f"approve {id_}")]
    yield id_, has
    w.policy.policy = with_role(w.policy.policy, replace(role, account="999988887777"))
    t.tries = [(NIA, f"extend {has} 30m INC-42 goes on")]
    yield id_, has


@scene
def who_asked_is_no_requester_any_more(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    t.posted(id_)
    groups = {**w.policy.policy.groups, "developers": Group("developers", members=frozenset({NIA}))}
    w.policy.policy = replace(w.policy.policy, groups=groups)
    t.brief = True
    t.tries = [(OLU, f"approve {id_}")]
    yield (id_,)


@scene
def nobody_there_who_could_agree(t: Listener) -> Iterator[tuple[str, ...]]:
    groups = {**rules().groups, "platform": Group("platform", members=frozenset())}
    t.world.policy.policy = replace(rules(), groups=groups)
    t.world.activate()
    t.brief = True
    t.tries = [(DANA, ASKS), (DANA, "explain payments-prod read-only")]
    yield ()


@scene
def nobody_knows_who_is_in_a_group(t: Listener) -> Iterator[tuple[str, ...]]:
    groups = {**rules().groups, "platform": Group("platform", slack_usergroup="S0PLATFORM", trusted=True)}
    w = t.world
    w.policy.policy = replace(rules(), groups=groups)
    w.activate()
    now = w.clock.now()
    source = w.policy.policy.groups["platform"].source
    w.directory.put_members(source, Membership(as_of=now).failed("Slack did not say", now))
    t.brief = True
    t.tries = [
        (OLU, "approve PA-1"),
        (DANA, "explain payments-prod read-only"),
        (DANA, "who payments-prod"),
        (DANA, ASKS),
    ]
    yield ()


@scene
def too_many_at_once(t: Listener) -> Iterator[tuple[str, ...]]:
    names = [f"role-{number:02}" for number in range(11)]
    t.world.policy.policy = build.policy(environment(*(entitlement(name) for name in names)))
    t.world.activate()
    ids = [t.world.asked(role=name) for name in names[:10]]
    t.brief = True
    t.tries = [(DANA, f"payments-prod {names[10]} 1h INC-42 errors")]
    yield (ids[0],)


@scene
def several_on_one_card(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.policy.policy = build.policy(environment(entitlement(), entitlement("logs")))
    w.activate()
    w.knows(DANA)
    asks = [Ask("payments-prod", role, HOUR, "INC-42 both") for role in ("read-only", "logs")]
    first = done(ask_for_several(w.ctx, asks, account(DANA), Origin(), w.press_id()))
    w.work()
    t.brief = True
    yield w.request(first).batch


@scene
def a_ticket_that_carries_enough(t: Listener) -> Iterator[tuple[str, ...]]:
    carried = Ticket("INC-[0-9]+", max_requests=1)
    roles = [entitlement(name, ticket=carried) for name in ("read-only", "admin")]
    t.world.policy.policy = build.policy(environment(*roles))
    t.world.activate()
    id_ = t.world.asked()
    t.brief = True
    t.tries = [(DANA, "payments-prod admin 1h INC-42 errors")]
    yield (id_,)


@scene
def a_ticket_that_is_verified(t: Listener) -> Iterator[tuple[str, ...]]:
    """One that is taken although nobody can tell, one that is closed when it is given, and those that are not taken."""
    w, slow = t.world, TicketSeen(TicketState.UNKNOWN, "the ticket system did not answer in time")
    check = TicketCheck("https://tickets.example.com/{ticket}", "TICKETS_TOKEN")
    lax = Ticket("INC-[0-9]+", verify=replace(check, accept_unknown=True))
    roles = [entitlement(ticket=lax), entitlement("admin", ticket=Ticket("INC-[0-9]+", verify=check))]
    w.policy.policy = build.policy(environment(*roles))
    w.activate()
    w.tickets.says = {"INC-42": slow}
    id_ = w.asked()
    t.brief = True
    yield (id_,)
    w.tickets.says = {"INC-1": TicketSeen(TicketState.CLOSED), "INC-2": TicketSeen(TicketState.ABSENT), "INC-42": slow}
    t.tries = [(DANA, f"payments-prod admin 1h {ticket} errors") for ticket in ("INC-1", "INC-2", "INC-42")]
    yield (id_,)
    t.tries = []
    w.tickets.says = {"INC-42": TicketSeen(TicketState.CLOSED)}
    done(w.approve(id_))
    w.work()
    yield (id_,)


@scene
def all_the_time_there_is(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.policy.policy = build.policy(environment(entitlement(max_total=90 * MINUTE)))
    w.activate()
    id_ = w.active()
    t.brief = True
    t.tries = [(DANA, f"extend {id_} 1h INC-42 goes on")]
    yield (id_,)
    more = w.more_asked(id_, duration=30 * MINUTE)
    t.tries = [(DANA, f"extend {id_} 10m INC-42 goes on")]
    yield id_, more


@scene
def the_glass_too_often(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    for _ in range(2):
        id_ = broken(t)
        done(w.end(id_, NIA))
        w.work()
    t.brief = True
    t.tries = [(NIA, "break-glass payments-prod read-only all is down again")]
    yield (id_,)
    w.knows(SUE)
    done(flag(w.ctx, id_, account(SUE), "not needed", w.press_id()))
    t.tries = [
        (NIA, "break-glass payments-prod read-only all is down again"),
        (DANA, f"acknowledge {id_}"),
        (NIA, "lift <@UNIA|nia> it was needed"),
        (SUE, "lift <@UNIA|nia> it was needed"),
    ]
    yield (id_,)


@scene
def who_is_barred_lifts_nothing_of_theirs(t: Listener) -> Iterator[tuple[str, ...]]:
    t.brief = True
    t.tries = [(SUE, "lift <@USUE|sue> it was needed"), (SUE, "lift <@UDANA|dana> it was needed")]
    yield ()


@scene
def it_begins_too_late(t: Listener) -> Iterator[tuple[str, ...]]:
    """Nobody looked while its hour passed."""
    w = t.world
    id_ = w.asked(start_at=NOW + 30 * MINUTE)
    done(w.approve(id_))
    t.posted(id_)
    w.clock.advance(3 * 3600)
    w.work()
    yield (id_,)


@scene
def a_hold_that_is_another_by_now(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.knows(DANA)
    on_hold(t, DANA, NEW)
    held = held_account(w.ctx, w.chat.people[account(DANA)].account)
    assert held is not None
    (pressed,) = [one.value for one in choices(held, "she showed her badge") if one.action == CONFIRM_SAME]
    on_hold(t, DANA, "dana.newer@example.com")
    t.brief = True
    t.presses_at = [(SUE, CONFIRM_SAME, pressed)]
    yield ()


@scene
def a_record_that_cannot_be_read(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.asked()
    w.ledger.spoil(keys.request(id_))
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (DANA, f"show {id_}"), (DANA, f"withdraw {id_}")]
    yield ()


@scene
def a_ledger_that_is_not_durable(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.world.ledger.is_durable = Durability(False, "verify", "appendfsync is no")
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (DANA, "payments-prod quick 1h INC-42 errors")]
    yield (id_,)


@scene
def another_copy_of_the_rules(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.world.policy.policy = replace(rules(), hash="d" * 64)
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (DANA, "payments-prod quick 1h INC-42 errors")]
    yield (id_,)


@scene
def two_of_the_name_in_aws(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.target().ambiguous.add(build.facts(DANA).address)
    yield (t.world.asked(),)


@scene
def not_tagged_in_aws(t: Listener) -> Iterator[tuple[str, ...]]:
    spec = AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE)
    t.world.policy.policy = build.policy(environment(entitlement(target=spec)))
    t.world.activate()
    t.world.target(AwsKind.IAM_POLICY).untagged.add(build.facts(DANA).address)
    yield (t.world.asked(),)


@scene
def aws_says_no_to_the_names(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.target().next("resolve", Refuse("AWS does not let the worker look this up."))
    yield (t.world.asked(),)


@scene
def somebody_whose_access_was_taken_back(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    t.posted(id_)
    w.knows(SUE, DANA)
    done(revoke_all(w.ctx, RevocationScope(DANA, "Dana"), account(SUE), "laptop stolen", w.press_id()))
    w.advance(5)
    t.brief = True
    t.tries = [(PAT, "for <@UDANA|dana> payments-prod quick 1h INC-42 errors"), (DANA, ASKS)]
    yield (id_,)


@scene
def somebody_who_is_refused_again_and_again(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.world.knows(NIA)
    for _ in range(3):
        t.really(NIA, f"approve {id_}")
    t.world.advance(70, step_s=10)
    t.brief = True
    t.tries = [(OLU, f"show {id_}")]
    yield (id_,)


@scene
def a_vote_that_slack_has_not_signed(t: Listener) -> Iterator[tuple[str, ...]]:
    """Written into the ledger by hand, or with somebody's press on something else."""
    w = checking(t.world)
    for forged in FORGED:
        id_ = w.asked()
        w.knows(OLU)
        act = forged(w, id_)
        done(approve(w.ctx, id_, account(OLU), w.press_id(), None, Signed(act) if act else None))
        yield (id_,)
        w.work()
        yield (id_,)


FORGED = (
    lambda w, id_: None,
    lambda w, id_: pressed(w, id_, secret=OLDER),
    lambda w, id_: pressed(w, id_, PAT),
    lambda w, id_: pressed(w, id_, value="PA-77:0123456789abcdef"),
    lambda w, id_: pressed(w, id_, value=f"{id_}:0123456789abcdef"),
    lambda w, id_: pressed(w, id_, at=w.clock.now() - 2 * HOUR),
)


@scene
def an_unsigned_vote_on_more_time(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.active()
    checking(w)
    more = w.more_asked(id_)
    done(w.approve(more))
    w.work()
    yield (id_, more)


@scene
def an_unsigned_vote_on_what_begins_later(t: Listener) -> Iterator[tuple[str, ...]]:
    w = checking(t.world)
    later = w.asked(start_at=NOW + HOUR)
    done(w.approve(later))
    yield (later,)
    w.advance(61 * 60, 60)
    yield (later,)
