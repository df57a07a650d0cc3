"""What becomes of the installation itself: something fails again and again, a place is closed, a clock is set, a rule changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.chat.chats import Chats
from bot.chat.messages import fault as failures
from bot.chat.messages.final_lines import final_lines_summed
from bot.chat.messages.policy_change import AGREE, REFUSE
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.plans.planning import seen_in
from bot.chat.views.read_model import Reader
from bot.runtime.policy_written import kept_policy
from tests.support import build
from tests.support.archives import archived, target_terms
from tests.support.build import DANA, HOUR, NIA, OLU, PAT, SUE, entitlement, environment
from tests.support.memory_chat import ALL_OF_IT, MemoryChat
from tests.support.scenes import broken, done, rules, scene
from tests.support.spoken import Listener, Said
from tests.support.waiting_policy import LOOSER, LOOSER_STILL, begins, waits
from tests.support.world import account
from workflows.core import keys
from workflows.core.destination import read_destination
from workflows.core.ledger_doubt import Sign
from workflows.core.people import PersonId
from workflows.core.policy import Digest, Webhook
from workflows.core.rebuild.stories import Story
from workflows.ledger.codec import audit_entry
from workflows.ledger.last_seen import LastSeen
from workflows.policy_file.cron import next_slot
from workflows.policy_file.folder import hash_of
from workflows.targets.aws.kinds import AwsKind
from workflows.targets.aws.memory import Lose
from workflows.targets.aws.terms import AwsSpec
from workflows.usecases.identity import erase
from workflows.usecases.oversight.policy_activation import (
    Compared,
    Written,
    activate,
    digest_key,
)
from workflows.usecases.oversight.policy_vote import agree, refuse
from workflows.usecases.shared.ledger_doubt import accept as accept_ledger
from workflows.usecases.shared.ledger_doubt import raise_doubt, said, watch
from workflows.usecases.shared.mixed_versions import note_older
from workflows.usecases.shared.troubles import Failure, forget_what_is_over, note
from workflows.usecases.upkeep import rebuild
from workflows.usecases.upkeep.rebuild_access import Ending
from workflows.usecases.upkeep.rebuild_reading import read
from workflows.usecases.upkeep.tell_unreadable import tell
from workflows.usecases.upkeep.timekeeping import accept

RECEIPTS, CARDS = "C0RECEIPTS", "C0PAYMENTS"
# Nobody can act out what nobody expects.
FAULT = Failure("something went wrong on my side (error E-7F3K2)")
TEMPLATE = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'


def silent(t: Listener, seconds: float, *calls: str) -> None:
    """AWS does not answer for so long."""
    for name in calls:
        t.world.target().next(name, *[Lose()] * 400)
    t.world.advance(seconds, step_s=5)


def answers_again(t: Listener) -> None:
    t.world.target()._scripts.clear()
    t.world.advance(90, step_s=5)
    forget_what_is_over(t.world.ctx)


def fails(t: Listener, *items: str) -> None:
    for item in items:
        for _ in range(3):
            note(t.world.ctx, item, FAULT)


# ---------------------------------------------------------------- what fails again and again


@scene
def nobody_can_be_asked_while_aws_is_silent(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.target().next("resolve", *[Lose()] * 400)
    id_ = w.asked()
    t.brief = True
    silent(t, 90, "resolve")
    yield (id_,)
    answers_again(t)
    yield (id_,)


@scene
def an_emergency_while_aws_is_silent(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.target().next("resolve", *[Lose()] * 400)
    id_ = broken(t)
    t.brief = True
    silent(t, 90, "resolve")
    yield (id_,)


@scene
def it_cannot_be_given_while_aws_is_silent(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.posted(id_)
    t.world.target().next("observe", *[Lose()] * 400)
    done(t.world.approve(id_))
    t.brief = True
    silent(t, 200, "observe")
    yield (id_,)


@scene
def a_later_end_that_does_not_come(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    spec = AwsSpec(AwsKind.IAM_POLICY, user="{local_part}", policy_template=TEMPLATE)
    w.policy.policy = build.policy(environment(entitlement(target=spec)))
    w.activate()
    id_ = w.active()
    more = w.more_asked(id_)
    t.posted(id_, more)
    w.target(AwsKind.IAM_POLICY).next("observe", *[Lose()] * 400)
    done(w.approve(more))
    w.advance(40, step_s=5)
    fails(t, keys.holding(w.grant(id_).holding))
    t.brief = True
    t.tries = [(DANA, f"extend {id_} 30m INC-42 goes on")]
    yield id_, more
    w.advance(3700, step_s=60)
    forget_what_is_over(w.ctx)
    t.tries = []
    yield id_, more


@scene
def what_is_done_for_a_request_fails(t: Listener) -> Iterator[tuple[str, ...]]:
    w, id_ = t.world, t.world.active()
    waits = w.asked(role="admin")
    t.posted(id_, waits)
    t.brief = True
    fails(t, f"warn:{id_}", f"end:{id_}", keys.chat(waits), f"chase:{waits}")
    yield id_, waits


@scene
def what_follows_an_emergency_fails(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = broken(t)
    t.posted(id_)
    t.brief = True
    fails(t, f"review:{id_}", f"announced:{id_}", "process:refresh", "act:command")
    yield (id_,)


# ---------------------------------------------------------------- Slack


@scene
def a_channel_that_is_archived(t: Listener) -> Iterator[tuple[str, ...]]:
    t.slack.closed[RECEIPTS] = "is_archived"
    id_ = t.world.asked()
    t.brief = True
    t.posted(id_)
    yield (id_,)
    t.world.advance(60, step_s=20)
    t.posted(id_)
    t.slack.closed.clear()
    t.world.advance(60, step_s=20)
    yield (id_,)


@scene
def somebody_who_gets_no_messages(t: Listener) -> Iterator[tuple[str, ...]]:
    t.slack.closed["USUE"] = "user_disabled"
    id_ = t.world.asked(environment="books-prod")
    t.brief = True
    t.posted(id_)
    yield (id_,)


@scene
def a_chat_that_is_closed_as_a_whole(t: Listener) -> Iterator[tuple[str, ...]]:
    """Told in the other one, until it takes the token again."""
    teams, box = MemoryChat(t.world.clock.now, name="teams"), t.sender.outbox
    box.chats = Chats(*box.chats.surfaces.values(), teams)
    box.outages = Outages(t.world.ctx, box.chats)
    box.outages.stop("teams", "not_let_in")
    teams.answers.extend([teams.no("not_let_in")] * 2)
    t.brief = True
    t.posted()
    yield ()


@scene
def where_nothing_can_be_edited(t: Listener) -> Iterator[tuple[str, ...]]:
    """What is final alone, each in a card of its own; in place of many one that sums them up."""
    w, hooks = t.world, (Webhook("all", "ALL_HOOK"), Webhook("books", "BOOKS_HOOK", ("books-prod",)))
    w.policy.policy = replace(w.policy.policy, webhooks=hooks)
    t.brief = True
    id_, hidden = w.active(), w.asked(environment="books-prod")
    yield id_, hidden
    done(w.end(id_, OLU, "wrong account"))
    done(w.deny(hidden, SUE))
    w.work()
    outside, entries = hooks[0], w.ledger.entries(limit=1000)
    views = (
        seen_in(view, w.policy.policy, outside.place) for view in Reader(w.ctx).some([id_, hidden], w.policy.policy)
    )
    told = [(next(entry for entry in reversed(entries) if entry.subject == view.id), view) for view in views]
    t.beside.append(Said("summary by webhook", None, final_lines_summed(told, 23, "/prodaccess"), stays=True))
    yield id_, hidden


@scene
def where_a_webhook_is_gone(t: Listener) -> Iterator[tuple[str, ...]]:
    hook, box = Webhook("orders-teams", "ORDERS_HOOK"), t.sender.outbox
    one_way = replace(ALL_OF_IT, edits=False)
    messenger = MemoryChat(t.world.clock.now, one_way, name=read_destination(hook.place).surface)
    t.world.policy.policy = replace(t.world.policy.policy, webhooks=(hook,))
    box.chats = Chats(*box.chats.surfaces.values(), messengers=(messenger,))
    t.posts.outages = box.outages = Outages(t.world.ctx, box.chats)
    t.slack.closed[hook.place] = messenger.closed[read_destination(hook.place)] = "place_gone"
    t.brief = True
    id_ = t.world.active()
    t.posted(id_)
    yield (id_,)


def refused_by_slack(t: Listener, word: str, presses: Sequence[tuple[str, str]]) -> list[Said]:
    """What whoever presses reads in place of the form."""
    t.slack.refuses = word
    said = [t.opens(OLU, action, value) for action, value in presses]
    t.slack.refuses = ""
    return [one for one in said if one is not None]


@scene
def a_form_that_does_not_open(t: Listener) -> Iterator[tuple[str, ...]]:
    id_ = t.world.asked()
    t.brief = True
    t.world.knows(OLU)
    for word in ("expired_trigger_id", "ratelimited", "some_word"):
        t.time_passed()
        t.beside += refused_by_slack(t, word, [("deny", f"{id_}"), ("ask", "payments-prod read-only")])
    t.time_passed()
    t.beside += [said for said in [t.opens(NIA, "break_glass", "payments-prod")] if said is not None]
    t.beside.append(Said("a fault", OLU, failures.fault("E-7F3K2"), stays=True))
    yield (id_,)


@scene
def a_home_that_is_not_known(t: Listener) -> Iterator[tuple[str, ...]]:
    t.world.chat.unreachable = True
    t.sender.show("home-T1-UOLU")
    t.world.chat.unreachable = False
    (view,) = t.slack.views
    t.beside.append(Said("home instead", OLU, t.as_message(view)))
    t.brief = True
    yield ()


# ---------------------------------------------------------------- the ledger


@scene
def a_clock_that_is_set_back(t: Listener) -> Iterator[tuple[str, ...]]:
    w, waits = t.world, t.world.asked(role="admin")
    id_ = w.active()
    t.posted(id_, waits)
    witness = w.witness()
    w.jump(-3600)
    witness.look()
    t.brief = True
    one = w.asked(NIA)
    t.tries = [(OLU, f"approve {one}"), (DANA, "payments-prod quick 1h INC-42"), (OLU, f"deny {waits} not now")]
    yield waits, id_, one
    done(accept(w.ctx, "operator", "the host had lost its time server"))
    t.tries = []
    yield waits, id_, one


@scene
def a_clock_that_is_set_forward(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.asked()
    witness = w.witness()
    w.jump(7200)
    witness.look()
    t.brief = True
    t.posted()
    for _ in range(700):
        w.clock.advance(1)
        witness.look()
    yield ()


@scene
def an_older_copy_of_the_record(t: Listener) -> Iterator[tuple[str, ...]]:
    w, waits = t.world, t.world.asked(role="admin")
    id_ = w.active()
    kept = w.ledger.copy()
    w.asked(NIA)
    w.ledger.put_back(kept)
    w.ledger.now()
    watch(w.ctx)
    t.brief = True
    t.posted(id_, waits)
    one = w.asked(NIA)
    t.tries = [(OLU, f"approve {one}"), (DANA, "payments-prod quick 1h INC-42"), (OLU, f"deny {waits} not now")]
    yield waits, id_, one
    done(accept_ledger(w.ctx, "operator", "nothing is open that the record does not know"))
    t.tries = []
    yield waits, id_, one


@scene
def an_older_copy_that_has_gone_on(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    kept = w.ledger.copy()
    w.asked(NIA)
    w.ledger.put_back(kept)
    # Other processes, which began afterwards, have written since.
    seen, w.ledger._seen = w.ledger._seen, LastSeen()
    for who in (DANA, OLU):
        w.asked(who)
    w.ledger._seen = seen
    w.ledger.read()
    watch(w.ctx)
    t.brief = True
    yield ()


@scene
def a_record_that_is_made_again(t: Listener) -> Iterator[tuple[str, ...]]:
    """Of one grant too little is on record: an earlier version gave it."""
    w = t.world
    kept = w.ledger.copy()
    unknown, old = w.active(), w.active(NIA)
    outside = archived(w.ledger)
    w.ledger.put_back(kept)
    w.ledger.trust()
    found = read(w.ledger, outside, audit_entry)
    made = rebuild.plan(w.ctx, found, target_terms)
    made = replace(made, endings=tuple(replace(one, resource=None) if one.id == old else one for one in made.endings))
    done(rebuild.carry_out(w.ctx, outside, found, made, w.ledger.put_back_entries, "Rosa Ops"))
    t.brief = True
    yield (unknown,)
    w.work()
    yield (unknown,)


@scene
def a_record_that_lacked_nothing_but_what_is_open(t: Listener) -> Iterator[tuple[str, ...]]:
    """A run that was killed after all entries were back."""
    w = t.world
    for _ in range(25):
        w.asked(DANA)
    outside = archived(w.ledger)
    found = read(w.ledger, outside, audit_entry)
    story = Story("PA-7", w.clock.now(), {"environment": "payments-prod", "role": "read-only"})
    many = tuple(Ending(f"PA-{number}", story, None) for number in range(7, 30))
    made = rebuild.Plan(0, 30, many, ())
    done(rebuild.carry_out(w.ctx, outside, found, made, w.ledger.put_back_entries, "Rosa Ops"))
    t.brief = True
    yield ()


@scene
def an_operator_doubts_the_record(t: Listener) -> Iterator[tuple[str, ...]]:
    done(said(t.world.ctx, "operator", "the backup of 03:00 was put back"))
    t.brief = True
    yield ()


@scene
def an_archive_that_knows_more(t: Listener) -> Iterator[tuple[str, ...]]:
    raise_doubt(t.world.ctx, Sign.ARCHIVE_AHEAD, {"seen": "1042", "newest": "1030"})
    t.brief = True
    yield ()


@scene
def an_archive_that_knows_other_things(t: Listener) -> Iterator[tuple[str, ...]]:
    raise_doubt(t.world.ctx, Sign.ARCHIVE_DIFFERS, {"seen": "1042", "newest": "1050"})
    t.brief = True
    yield ()


@scene
def somebody_who_is_erased(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_ = w.active(DANA)
    done(w.deny(w.asked(NIA)))
    w.end(id_)
    w.advance(120)
    groups = {name: replace(one, members=one.members - {DANA}) for name, one in w.policy.policy.groups.items()}
    w.policy.policy = replace(w.policy.policy, groups=groups)
    w.activate()
    said_so = erase.Said("Rosa Ops", "asked for by letter of 12 November")
    assert isinstance(erase.erase(w.ctx, w.directory.forget, DANA, said_so), erase.Done)
    t.brief = True
    yield (id_,)


@scene
def something_that_cannot_be_read(t: Listener) -> Iterator[tuple[str, ...]]:
    tell(t.world.ctx, {"record:request:PA-9": "it is no JSON"})
    t.brief = True
    yield ()


@scene
def other_rules(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    w.policy.policy = replace(rules(), hash="e" * 64)
    activate(
        w.ctx,
        w.policy.policy,
        summary=lambda _: {},
        difference=lambda *_: ("payments-prod: admin lasts 1 h at most (2 h before)",),
        next_slot=next_slot,
    )
    t.brief = True
    yield ()


@scene
def rules_that_let_more_in(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    lines = (
        "payments-prod admin: approve 1 of owners, 1 of security -> 1 of owners",
        "payments-prod: owners +eve@example.com",
    )
    # What stood before the first of the two was kept by nobody.
    for hash_ in ("e" * 64, "d" * 64):
        w.policy.policy = replace(rules(), hash=hash_)
        activate(
            w.ctx,
            w.policy.policy,
            summary=lambda _: {},
            difference=lambda *_: ("payments-prod admin: approve -1 of security",),
            next_slot=next_slot,
            written=Written({"prodaccess.yaml": "version: 1"}, lambda *_: Compared(lines, ("olu@example.com",))),
        )
        t.brief = True
        yield ()


def _agrees(t: Listener, change: str, who: PersonId) -> None:
    t.world.knows(who)
    done(agree(t.world.ctx, change, account(who), t.world.press_id(), kept_policy))


@scene
def rules_that_wait_for_security(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    begins(w, rules(), {"security": 2})
    change = waits(w)
    t.brief = True
    t.presses_at = [(SUE, AGREE, change), (OLU, AGREE, change), (PAT, REFUSE, change), (SUE, AGREE, "another")]
    yield ()
    _agrees(t, change, SUE)
    yield ()
    _agrees(t, change, PAT)
    w.policy.policy = replace(rules(), hash=hash_of(LOOSER))
    yield ()


@scene
def rules_that_security_denies(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    begins(w, rules(), {"security": 1})
    change = waits(w)
    t.posted()
    w.knows(SUE)
    done(refuse(w.ctx, change, account(SUE), w.press_id()))
    t.brief = True
    t.presses_at = [(PAT, AGREE, change)]
    yield ()


@scene
def rules_that_change_again_before_security_has_looked(t: Listener) -> Iterator[tuple[str, ...]]:
    begins(t.world, rules(), {"security": 1})
    waits(t.world)
    t.posted()
    t.world.clock.advance(60)
    t.brief = True
    waits(t.world, LOOSER_STILL)
    yield ()


@scene
def digests_on_time(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    plans = (Digest((CARDS,), "0 9 * * *"), Digest((CARDS,), "0 9 * * *", report=timedelta(days=30)))
    w.policy.policy = replace(w.policy.policy, digests=plans)
    id_ = w.active(duration=HOUR)
    w.advance(20)
    done(w.end(id_))
    w.work()
    w.active(role="quick")
    for plan in plans:
        t.sender.post_digest(digest_key(plan))
    t.brief = True
    yield (id_,)


@scene
def help_is_wanted(t: Listener) -> Iterator[tuple[str, ...]]:
    t.brief = True
    t.tries = [(DANA, "help"), (SUE, "help approve"), (PAT, "help break-glass"), (DANA, "help nothing")]
    yield ()


@scene
def beside_an_older_version(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    id_, decided = w.asked(), w.asked(NIA)
    t.posted(id_, decided)
    done(w.approve(decided))
    note_older(w.ctx, {"worker"})
    w.work()
    t.brief = True
    t.tries = [(OLU, f"approve {id_}"), (DANA, "payments-prod quick 1h INC-42"), (OLU, f"deny {id_} not now")]
    yield id_, decided
