"""Certifications of a `World`: begun, asked, answered."""

from __future__ import annotations

from datetime import timedelta

from tests.support import build
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.people import PersonId
from workflows.core.records.certification import Certification, CertificationPart, Item, ItemKind, Verdict
from workflows.core.refusal import Refused
from workflows.usecases.certification.answer import Saying, say
from workflows.usecases.certification.standing import one_of, parts_of
from workflows.usecases.certification.start import Wanted, start
from workflows.usecases.shared.context import Outcome

DAY = timedelta(days=1)


def begun(world: World, *environments: str, within: timedelta = 14 * DAY) -> str:
    """One that is asked. Returns its id."""
    wanted = Wanted("Ada Audit", "the fourth quarter", environments or None, within)
    answer = start(world.ctx, wanted, world.press_id())
    assert isinstance(answer, Outcome), answer
    world.work()
    return answer.id


def run_of(world: World, id_: str = "1") -> Certification:
    found = one_of(world.ledger, id_)
    assert found is not None
    return found


def cards(world: World, id_: str = "1") -> tuple[CertificationPart, ...]:
    return parts_of(world.ledger, run_of(world, id_))


def items(world: World, id_: str = "1") -> tuple[Item, ...]:
    return tuple(item for part in cards(world, id_) for item in part.items)


def number(world: World, kind: ItemKind, name: str, id_: str = "1") -> int:
    (found,) = (item.number for item in items(world, id_) if (item.kind, item.name) == (kind, name))
    return found


def said(
    world: World,
    who: PersonId,
    verdict: Verdict,
    *numbers: int,
    reason: str = "",
    part: str = "1-1",
    press: str = "",
) -> Outcome | Refused:
    world.knows(who)
    return say(world.ctx, Saying(part, numbers, verdict, reason), account(who), press or world.press_id())


def all_said(world: World, id_: str = "1") -> None:
    """Everything stays: Olu says it of all but himself, and Pat of him."""
    for part in cards(world, id_):
        for who, own in ((build.OLU, False), (build.PAT, True)):
            numbers = [one.number for one in part.open if (one.person == build.OLU) is own]
            if numbers:
                done = said(world, who, Verdict.KEEP, *numbers, reason="it is needed", part=part.id)
                assert isinstance(done, Outcome), done


def due(world: World, id_: str = "1") -> float:
    """In how many seconds the worker looks at it again."""
    return world.ledger.due[keys.certification(id_)] - world.clock.now().timestamp()
