"""Owners say who and what stays: in time, late, by the panic group, and of what stands for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.chat.messages.certification import ANSWER
from tests.support import build
from tests.support.build import DANA, NIA, OLU, PAT, SUE
from tests.support.certification import DAY, begun, cards, items, number, said
from tests.support.drift import by_hand, passed
from tests.support.scenes import done, scene
from tests.support.spoken import CAST, Listener
from workflows.core.policy import Digest, Group, Visibility
from workflows.core.records.certification import Item, ItemKind, Verdict
from workflows.usecases.certification.close import close
from workflows.usecases.oversight.policy_activation import digest_key


def _known(t: Listener) -> None:
    t.brief = True
    t.world.knows(*CAST)


def _digested(t: Listener) -> None:
    plan = Digest(("C0RECEIPTS",), "0 9 * * *")
    t.world.policy.policy = replace(t.world.policy.policy, digests=(plan,))
    t.sender.post_digest(digest_key(plan))


def _numbers(t: Listener, *kinds: ItemKind, but: tuple[str, ...] = ()) -> list[int]:
    def wanted(item: Item) -> bool:
        return item.kind in kinds and item.name not in but

    return [item.number for item in items(t.world) if wanted(item)]


@scene
def owners_say_who_and_what_stays(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    for role in ("read-only", "quick", "quick"):
        id_ = w.active(DANA, role=role)
        done(w.end(id_))
        w.advance(400, step_s=40)
    _known(t)
    begun(w, "payments-prod")
    olu, quick = number(w, ItemKind.PERSON, "Olu"), number(w, ItemKind.ROLE, "quick")
    admin, dana = number(w, ItemKind.ROLE, "admin"), number(w, ItemKind.PERSON, "Dana")
    t.tries = [
        (OLU, f"certify 1-1 keep {olu}"),
        (OLU, f"certify 1-1 keep {admin}"),
        (OLU, f"certify 1-1 remove {dana}"),
        (OLU, f"certify 1-1 keep {quick}, {dana}"),
        (OLU, f"certify 1-1 remove {dana} moved to Books"),
        (OLU, "certify 1-1 keep 99 all fine"),
        (OLU, "certify 1-1"),
        (OLU, "certify 7-7 keep 1 all fine"),
        (DANA, f"certify 1-1 keep {quick}"),
    ]
    yield ()
    done(said(w, OLU, Verdict.KEEP, quick, dana))
    done(said(w, OLU, Verdict.KEEP, admin, reason="for the year's end"))
    done(said(w, PAT, Verdict.REMOVE, number(w, ItemKind.PERSON, "Nia"), reason="moved to Books"))
    t.tries = [(OLU, f"certify 1-1 keep {dana}")]
    yield ()
    done(said(w, PAT, Verdict.REMOVE, dana, reason="works on Books now"))
    done(said(w, OLU, Verdict.REMOVE, number(w, ItemKind.ROLE, "office"), reason="nobody needs it"))
    rest = [item.number for item in items(w) if item.answer is None and item.person not in (OLU, SUE)]
    done(said(w, OLU, Verdict.KEEP, *rest, reason="needed now and then"))
    done(said(w, SUE, Verdict.KEEP, olu))
    if [item for item in items(w) if item.answer is None]:
        done(said(w, PAT, Verdict.KEEP, *[item.number for item in items(w) if item.answer is None]))
    t.tries = []
    yield ()
    w.clock.advance(15 * DAY.total_seconds())
    w.work()
    yield ()


@scene
def owners_do_not_answer(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    _known(t)
    begun(w, within=8 * DAY)
    w.clock.advance(4 * DAY.total_seconds())
    w.work()
    _digested(t)
    yield ()
    for _ in range(2):
        w.clock.advance(2 * DAY.total_seconds())
        w.work()
    _digested(t)
    yield ()
    done(close(w.ctx, "1", "Ada Audit", "the quarter is over", w.press_id()))
    w.work()
    t.presses_at = [(SUE, ANSWER, "1-1")]
    t.tries = [(SUE, "certify 1-1 keep 1 all fine")]
    yield ()


@scene
def the_panic_group_answers_for_owners_and_for_what_stands_for_good(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    one = w.policy.policy.environments["payments-prod"]
    only = {
        "payments-prod": replace(one, visibility=Visibility.MEMBERS),
        "books-prod": w.policy.policy.environments["books-prod"],
    }
    w.policy.policy = replace(w.policy.policy, environments=only)
    _known(t)
    by_hand(w, NIA)
    passed(w)
    begun(w, within=DAY)
    w.clock.advance(1.5 * DAY.total_seconds())
    w.work()
    yield ()
    for part in cards(w):
        stands = [item.number for item in part.items if item.kind is ItemKind.STANDING]
        done(said(w, SUE, Verdict.REMOVE, *stands, reason="can be asked for", part=part.id))
    yield ()
    one, two = (part.items for part in cards(w))
    done(said(w, SUE, Verdict.KEEP, *(item.number for item in one if item.person != SUE), reason="it is needed"))
    done(said(w, PAT, Verdict.KEEP, *(item.number for item in one if item.person == SUE)))
    done(
        said(
            w,
            SUE,
            Verdict.KEEP,
            *(item.number for item in two if item.person != SUE),
            reason="it is needed",
            part="1-2",
        )
    )
    yield ()


@scene
def an_environment_is_gone_and_a_group_is_not_known(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    groups = {**w.policy.policy.groups, "oncall": Group("oncall", pagerduty_schedule="PD1")}
    w.policy.policy = replace(w.policy.policy, groups=groups)
    _known(t)
    w.chat.people[build.facts(NIA).slack] = build.facts(NIA, standing_problem="person_deactivated")
    w.chat.refresh_person(build.facts(NIA).slack, w.policy.policy)
    begun(w, "payments-prod")
    done(said(w, SUE, Verdict.REMOVE, number(w, ItemKind.PERSON, "Nia"), reason="works elsewhere"))
    done(said(w, SUE, Verdict.REMOVE, number(w, ItemKind.ROLE, "admin"), reason="not used"))
    t.cast = tuple(who for who in CAST if who != NIA)
    yield ()
    environments = {name: one for name, one in w.policy.policy.environments.items() if name != "payments-prod"}
    w.policy.policy = replace(w.policy.policy, environments=environments)
    w.ledger.remind("chat:certify-1-1", 0.0)
    w.ledger.remind("chat:certify-run-1", 0.0)
    yield ()


@scene
def nobody_else_may_answer_for_an_owner(t: Listener) -> Iterator[tuple[str, ...]]:
    w = t.world
    groups = {**w.policy.policy.groups, "platform": Group("platform", members=frozenset({OLU}))}
    w.policy.policy = replace(w.policy.policy, groups=groups, panic_group=None)
    _known(t)
    t.cast = (OLU,)
    begun(w, "payments-prod")
    yield ()
