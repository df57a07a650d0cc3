"""What people do on one day: drawn before it begins, so that a story can be told again with less of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.message import value_of
from bot.chat.messages import approval_card as cards
from bot.chat.messages.drift import LEAVE, REMOVE
from bot.chat.messages.revoke_all import REVOKE_ALL
from bot.chat.plain_text import text_of
from tests.simulation.dice import Dice
from tests.simulation.house import House, Parts
from tests.simulation.judge import CLOSED, Judge
from tests.simulation.law import CARDS, CHANGES, PLACE, ROLES, TOOLS, TOOLS_ROLE, place_of, policy_of
from tests.simulation.processes import Crew
from tests.simulation.scheduler import Process
from tests.support import build
from tests.support.build import DANA, GUS, NIA, OLU, PAT, SUE
from tests.support.world import account
from workflows.core import keys
from workflows.core.identity import Address
from workflows.core.people import PersonId
from workflows.core.records.holding import Baseline, Holding
from workflows.core.records.request import Request, Vote
from workflows.core.records.target import Resource
from workflows.ledger.codec import encode
from workflows.targets.aws.kinds import AwsKind

ASKERS = (DANA, DANA, NIA, NIA, OLU, PAT, GUS)
VOTERS = (OLU, PAT, SUE, OLU, PAT, SUE, NIA, DANA, GUS)
EVERYBODY = (DANA, NIA, OLU, PAT, SUE)
MINUTES = (1, 1, 1, 1, 2, 2, 2, 5, 12)
# Whoever gets no answer tries again after so many seconds.
PATIENCE_S = 6.0

# What somebody gives after it was looked for does not stand before ours, and an answer may have its time.
JUST_LOOKED_S = 80.0


@dataclass(frozen=True)
class Act:
    """`number`: its place in the day's list, which it keeps when others are left out. `which`: of
    what there is, the newest first.
    """

    number: int
    at_s: float
    who: PersonId
    what: str
    role: str = ""
    minutes: int = 1
    which: int = 0
    whom: PersonId = DANA
    more: str = ""


# What they do, and how often. `gets` is the common story: somebody asks, and those who may agree do.
WHAT = (
    *("gets",) * 44,
    *("ask",) * 8,
    *("ask for several",) * 4,
    *("ask for somebody else",) * 3,
    *("ask for later",) * 5,
    *("approve",) * 14,
    *("press approve",) * 10,
    *("less",) * 3,
    *("deny",) * 3,
    *("withdraw",) * 3,
    *("decline",) * 1,
    *("end",) * 9,
    *("extend",) * 10,
    *("break the glass",) * 5,
    *("acknowledge",) * 2,
    *("flag",) * 1,
    *("lift",) * 2,
    *("revoke all of a person",) * 2,
    *("revoke all of the environment",) * 1,
    *("delegate",) * 4,
    *("decide again",) * 1,
    *("leave or come back",) * 4,
    *("change groups",) * 4,
    *("change address",) * 3,
    *("say whose account it is",) * 2,
    *("change the policy",) * 6,
    *("give by hand",) * 8,
    *("take by hand",) * 2,
    *("come from nowhere",) * 10,
    *("say what becomes of it",) * 4,
    *("forge a vote",) * 5,
)


def draw(dice: Dice, count: int, day_s: float) -> tuple[Act, ...]:
    times = sorted(dice.between(2.0, day_s) for _ in range(count))
    return tuple(_act(dice, number, at_s) for number, at_s in enumerate(times))


def _act(dice: Dice, number: int, at_s: float) -> Act:
    what = dice.pick(WHAT)
    asks = what.startswith(("ask", "gets", "extend"))
    who = dice.pick(ASKERS if asks else VOTERS)
    if what == "break the glass":
        who = dice.pick((NIA, NIA, NIA, OLU))
    return Act(
        number,
        at_s,
        who,
        what,
        role=dice.pick(ROLES),
        minutes=dice.pick(MINUTES),
        which=dice.below(4) if dice.chance(500) else 0,
        whom=dice.pick(EVERYBODY),
        more=str(dice.below(1000)),
    )


class People:
    def __init__(self, house: House, crew: Crew, judge: Judge, dice: Dice) -> None:
        self.house, self.crew, self.judge = house, crew, judge
        self._dice = dice
        self._outside = Process("people", "people", "elsewhere")
        self.told = 0
        self._acts = 0

    def plan(self, acts: tuple[Act, ...]) -> None:
        for act in acts:
            self.house.scheduler.spawn(self._outside, act.what, lambda act=act: self._does(act), after_s=act.at_s)

    # ------------------------------------------------------------ one act

    def _does(self, act: Act) -> None:
        do: Callable[[Act], None] | None = getattr(self, "_" + act.what.replace(" ", "_"), None)
        if do is None:
            raise AssertionError(f"nobody knows how to {act.what}")
        do(act)

    def _types(self, act: Act, text: str, then: float = 0.0) -> None:
        if then:
            self.house.scheduler.pause(then)
        self._sends(Interaction("", COMMAND, account(act.who), text=text, channel=CARDS, channel_name="payments"))

    def _presses(self, who: PersonId, action: str, value: str) -> None:
        self._sends(Interaction("", PRESS, account(who), action=action, value=value, channel=CARDS))

    def _sends(self, act: Interaction) -> None:
        """Whoever gets no answer does it again, once: the same act in the eyes of the chat, or another one."""
        self._acts += 1
        act = replace(act, id=f"act-{self._acts}")
        if self.house.signatures is not None:
            act = self.house.signatures.sign(act)
        name = act.who.user.removeprefix("U").title()
        self.house.story.tell(f"{name}: {act.text or f'presses {act.action} {act.value}'}   [{act.id}]")
        answered = [self._sent(act)]
        if self._dice.chance(60):
            self.house.story.tell(f"the chat delivers {act.id} once more")
            answered.append(self._sent(act))
        self.house.scheduler.pause(PATIENCE_S)
        if not any(one for one in answered if one) and self._dice.chance(700):
            self.house.story.tell(f"{name} has heard nothing and does it again")
            self._sent(replace(act, id=act.id if act.kind == PRESS else f"{act.id}-again"))

    def _sent(self, act: Interaction) -> list[str]:
        """Answers come into the list that is returned."""
        answers: list[str] = []
        doors = list(self.crew.doors.items())
        if not doors:
            self.house.story.tell(f"nobody takes {act.id}")
            return answers
        process, (intake, parts) = self._dice.pick(doors)
        self.house.scheduler.spawn(process, act.id, lambda: self._carried_out(process, intake, parts, act, answers))
        return answers

    def _carried_out(
        self, process: Process, intake: object, parts: Parts, act: Interaction, answers: list[str]
    ) -> None:
        reply = intake.carry_out(act)  # type: ignore[attr-defined]  # an Intake
        said = text_of(reply.message.summary) if reply.message is not None else ""
        words = "a worker decides it" if reply.deferred else said.replace("\n", " / ")[:160]
        self.house.story.tell(f"{process.name} to {act.who.user.removeprefix('U').title()}: {words or 'done'}")
        answers.append(words)

    # ------------------------------------------------------------ which one is meant

    def _newest(self, which: int, *states: str) -> str | None:
        """Of the requests, or the grants, in one of these states."""
        if states and states[0] in ("activating", "active", "revoking"):
            found = [id_ for id_, grant in self.judge.grants.items() if grant.state.value in states]
        else:
            found = [id_ for id_, one in self.judge.requests.items() if not states or one.state.value in states]
        return found[-1 - which % len(found)] if found else None

    def _on(self, act: Act, text: str, *states: str) -> None:
        id_ = self._newest(act.which, *states)
        if id_ is not None:
            self._types(act, text.format(id=id_))

    # ------------------------------------------------------------ what there is to do

    def _ask(self, act: Act) -> None:
        self._types(act, f"{place_of(act.role)} {act.role} {act.minutes}m INC-{act.more} checkout errors")

    def _gets(self, act: Act) -> None:
        before = set(self.judge.requests)
        self._ask(act)
        self.house.scheduler.pause(self._dice.between(0.5, 6.0))
        mine = [id_ for id_ in self.judge.requests if id_ not in before]
        for voter in (PAT, SUE, OLU):
            if mine and self._state(mine[-1]) == "pending":
                how = self._types if self._dice.chance(500) else None
                if how:
                    self._types(replace(act, who=voter), f"approve {mine[-1]}")
                else:
                    self._presses_approve(voter, mine[-1])

    def _state(self, id_: str) -> str:
        """Empty where an older copy of the ledger has no such request."""
        return self.judge.requests[id_].state.value if id_ in self.judge.requests else ""

    def _ask_for_several(self, act: Act) -> None:
        place = place_of(act.role)
        roles = ",".join(one for one in (act.role, self._dice.pick(ROLES)) if place_of(one) == place)
        self._types(act, f"{place} {roles} {act.minutes}m INC-{act.more} both are needed")

    def _ask_for_somebody_else(self, act: Act) -> None:
        whom = account(act.whom).user
        self._types(
            act, f"for <@{whom}> {place_of(act.role)} {act.role} {act.minutes}m INC-{act.more} their first week"
        )

    def _ask_for_later(self, act: Act) -> None:
        at = self.house.clock.now() + timedelta(minutes=2 + act.which)
        self._types(act, f"{place_of(act.role)} {act.role} {act.minutes}m at {at:%H:%M} INC-{act.more} the release")

    def _approve(self, act: Act) -> None:
        self._on(act, "approve {id}", "pending")

    def _press_approve(self, act: Act) -> None:
        id_ = self._newest(act.which, "pending")
        if id_ is not None:
            self._presses_approve(act.who, id_)

    def _presses_approve(self, who: PersonId, id_: str) -> None:
        """What the button says was drawn some time ago: its terms are those of the request then."""
        terms = self.judge.requests[id_].terms
        self._presses(who, cards.APPROVE, value_of(id_, terms.hash))

    def _less(self, act: Act) -> None:
        self._on(act, "less {id} 1m", "pending")

    def _deny(self, act: Act) -> None:
        self._on(act, "deny {id} use staging", "pending", "scheduled")

    def _withdraw(self, act: Act) -> None:
        id_ = self._newest(act.which, "pending", "scheduled")
        if id_ is not None:
            self._types(replace(act, who=self.judge.requests[id_].requester), f"withdraw {id_}")

    def call_off(self, id_: str) -> None:
        """In the evening: what would begin another day is taken back, and nobody waits for it."""
        act = Act(-1, 0.0, self.judge.requests[id_].requester, "withdraw")
        self.house.scheduler.spawn(self._outside, "withdraw", lambda: self._types(act, f"withdraw {id_}"))

    def _decline(self, act: Act) -> None:
        id_ = self._newest(act.which, "pending")
        if id_ is not None:
            self._types(replace(act, who=self.judge.requests[id_].holder), f"decline {id_}")

    def _end(self, act: Act) -> None:
        id_ = self._newest(act.which, "activating", "active")
        if id_ is not None:
            who = self.judge.grants[id_].holder if int(act.more) % 2 else act.who
            self._types(replace(act, who=who), f"end {id_} enough")

    def _extend(self, act: Act) -> None:
        id_ = self._newest(act.which, "active")
        if id_ is None:
            return
        before = set(self.judge.requests)
        self._types(replace(act, who=self.judge.grants[id_].holder), f"extend {id_} {act.minutes}m not done yet")
        mine = [one for one in self.judge.requests if one not in before]
        for voter in (OLU, SUE, PAT):
            if mine and self._state(mine[-1]) == "pending":
                self._types(replace(act, who=voter), f"approve {mine[-1]}")

    def _break_the_glass(self, act: Act) -> None:
        role = "reader" if int(act.more) % 3 else "admin"
        self._types(act, f"break-glass {PLACE} {role} {act.minutes}m everything is down")

    def _acknowledge(self, act: Act) -> None:
        self._reviews(act, "acknowledge {id} it was right")

    def _flag(self, act: Act) -> None:
        self._reviews(act, "flag {id} why so long?")

    def _reviews(self, act: Act, text: str) -> None:
        owed = [id_ for id_, request in self.judge.requests.items() if request.break_glass]
        if owed:
            self._types(act, text.format(id=owed[-1 - act.which % len(owed)]))

    def _lift(self, act: Act) -> None:
        self._types(
            replace(act, who=SUE if act.whom != SUE else PAT), f"lift <@{account(act.whom).user}> talked to them"
        )

    def _revoke_all_of_a_person(self, act: Act) -> None:
        known = self.house.directory.person(account(act.whom))
        person = str(known.id) if known is not None else str(act.whom)
        self._panics(act, {"p": person, "n": "Somebody", "e": None, "r": "leaked keys"})

    def _revoke_all_of_the_environment(self, act: Act) -> None:
        self._panics(act, {"p": None, "n": "", "e": TOOLS if int(act.more) % 3 == 0 else PLACE, "r": "leaked keys"})

    def _panics(self, act: Act, about: dict[str, str | None]) -> None:
        self._presses(self._dice.pick((SUE, PAT, OLU, NIA)), REVOKE_ALL, json.dumps(about))

    def _delegate(self, act: Act) -> None:
        until = self.house.clock.now() + timedelta(days=2)
        who = self._dice.pick((OLU, PAT, SUE))
        self._types(replace(act, who=who), f"delegate <@{account(act.whom).user}> until {until:%Y-%m-%d}")

    def _decide_again(self, act: Act) -> None:
        self._types(replace(act, who=self._dice.pick((OLU, PAT, SUE))), "delegate off")

    # ------------------------------------------------------------ what happens around them

    def _leave_or_come_back(self, act: Act) -> None:
        here = self.house.town.leaves_or_comes_back(act.whom)
        self.judge.votes.gone(act.whom, here=here)
        self.house.story.tell(f"{act.whom} {'is back' if here else 'has left'}")
        if self._dice.chance(500):
            self._news_of(act.whom)

    def _news_of(self, who: PersonId) -> None:
        """The chat says by itself that something about somebody has changed."""
        self.house.directory.mark_stale(account(who), self.house.clock.now())
        self.house.ledger.remind(keys.whois(account(who)), 0.0)

    def _change_groups(self, act: Act) -> None:
        group = self._dice.pick(("platform", "security", "oncall", "developers"))
        inside = self.house.town.changes_group(act.whom, group)
        self.judge.votes.group_changed(act.whom, group, inside=inside)
        self.house.story.tell(f"{act.whom} is {'now' if inside else 'no more'} in {group}")

    def _change_address(self, act: Act) -> None:
        """To one that nobody has, or to somebody else's; or back again."""
        odd = self.house.town.address(act.whom) == str(act.whom)
        address = self._dice.pick((f"new.{act.whom}", str(OLU))) if odd else str(act.whom)
        self.house.town.changes_address(act.whom, address)
        self.judge.votes.address_changed(act.whom)
        self.house.story.tell(f"the address of {act.whom}'s account is {address}")
        if self._dice.chance(500):
            self._news_of(act.whom)

    def _say_whose_account_it_is(self, act: Act) -> None:
        odd = [who for who in EVERYBODY if self.house.town.address(who).startswith("new.")]
        if odd:
            text = f"person confirm <@{account(odd[-1]).user}> same asked them"
            self._types(replace(act, who=self._dice.pick((PAT, SUE))), text)

    def _change_the_policy(self, act: Act) -> None:
        law = self.house.folder.law
        change = self._dice.pick(CHANGES)
        self.house.folder.change(replace(law, number=law.number + 1, **change))  # type: ignore[arg-type]  # named there
        self.house.story.tell(f"the policy folder says from now on: {change}")

    def _give_by_hand(self, act: Act) -> None:
        """Access that stands before ours: nothing of it was looked at yet."""
        found = [one for one in self.judge.requests.values() if one.resource is not None]
        if found:
            self._gives_by_hand(found[-1 - act.which % len(found)], through=int(act.more) % 3 == 0)

    def _gives_by_hand(self, request: Request, *, through: bool) -> None:
        resource = request.resource
        assert resource is not None
        target = self.house.targets[resource.kind]
        record = self.house.ledger._versioned(keys.holding(resource.holding)).record
        touched = isinstance(record, Holding) and (record.baseline is not Baseline.UNKNOWN or bool(record.ours))
        if touched or target.has(resource) or target.stale_s or resource.kind == AwsKind.IAM_POLICY:
            return
        looked_s = self.judge.missed_s.get(resource.holding)
        if looked_s is not None and self.judge.now_s - looked_s < JUST_LOOKED_S:
            return
        if resource.holding in self.judge.standing or resource.holding in self.house.targets.busy_until_s:
            return
        if through:
            target.through_group[resource.holding] = "g-1"
        else:
            target.put(resource)
        self.judge.standing[resource.holding] = resource
        self.house.story.tell(f"somebody else gives {resource.title} ({resource.holding[:8]})")

    def _forge_a_vote(self, act: Act) -> None:
        """Somebody who can write to Redis lets somebody else agree, and the next real vote is one too few."""
        id_ = self._newest(act.which, "pending")
        if id_ is None or self.house.signatures is None:
            return
        ledger, item, who = self.house.ledger, keys.request(id_), (SUE, PAT, OLU)[int(act.more) % 3]
        request = ledger._versioned(item).record
        if not isinstance(request, Request) or who in {
            request.requester,
            request.holder,
            *(v.by for v in request.votes),
        }:
            return
        places = ("security",) if who != OLU else ("owners",)
        vote = Vote(who, "Somebody", ledger.clock.now(), places, request.terms.hash, account=account(who).id)
        ledger.spoil(item, encode(item, replace(request, votes=(*request.votes, vote))))
        self.judge.votes.forged.add((id_, who))
        self.house.story.tell(f"somebody writes into Redis that {who} has agreed to {id_}")

    def _come_from_nowhere(self, act: Act) -> None:
        """Past us, somebody gives what is named as ours is: what is over, again; something new; much; of another installation."""
        if not self.house.compares:
            return
        kind, target = int(act.more) % 8, self.house.targets[AwsKind.IAM_POLICY]
        over = [one for one in self.judge.grants.values() if one.state.value in CLOSED and one.activated_at is not None]
        again = [one.resource for one in over if one.resource.kind == AwsKind.IAM_POLICY]
        if kind < 3 and again:
            self._comes(again[-1 - act.which % len(again)], target.mark)
        elif kind == 3:
            self._comes(self._named(act.whom, 9_000 + act.number), target.mark)
        elif kind == 4:
            resource = self._named(act.whom, 1 + act.number)
            if self._comes(resource, "another"):
                self.judge.standing[resource.holding] = resource
        else:
            first = 1 + int(act.more) % 20
            for number in range(first, first + (7 if kind == 5 else 1)):
                self._comes(self._named(act.whom, number), target.mark)

    def _named(self, who: PersonId, number: int) -> Resource:
        role = next(law for _, law, _ in self.house.folder.laws)
        spec = policy_of(role).environments[TOOLS].roles[TOOLS_ROLE]
        terms = spec.target.terms(spec.connection, TOOLS, spec.account, Address(who))
        found = self.house.targets.for_terms(terms).resolve(terms, Address(who), f"PA-{number}")
        assert isinstance(found, Resource)
        return found

    def _comes(self, resource: Resource, mark: str) -> bool:
        """Not where we are still at it ourselves: then it is taken away as what was late."""
        target, holding = self.house.targets[resource.kind], resource.holding
        watched = not self.house.ledger._versioned(keys.holding(holding)).is_absent
        live = any(one.holding == holding and one.state.value not in CLOSED for one in self.judge.grants.values())
        if watched or live or target.has(resource) or holding in self.judge.standing:
            return False
        if holding in self.judge.strays.of or self.judge.now_s < self.house.targets.busy_until_s.get(holding, 0.0):
            return False
        target.put(resource, mark=mark)
        if mark == target.mark:
            self.judge.strays.put(resource, int(resource.ids["thing"].rpartition("-")[2]))
        self.house.story.tell(f"{resource.title} ({holding[:8]}) comes from nowhere, with the mark {mark}")
        return True

    def _say_what_becomes_of_it(self, act: Act) -> None:
        self.says(act.who, goes=bool(int(act.more) % 3))

    def says(self, who: PersonId, *, goes: bool) -> None:
        """Presses Remove, or Leave it, on the card that asks."""
        number, found = self.judge.strays.hold
        if found:
            self._presses(who, REMOVE if goes else LEAVE, str(number))

    def call_in(self) -> None:
        """In the evening: somebody says that it stays who has no say, and whoever is here of the panic group that it goes."""

        def say() -> None:
            self.says(GUS, goes=False)
            here = [who for who in EVERYBODY if self.judge.votes.may_press(who)]
            if here:
                self.says(here[-1], goes=True)

        self.house.scheduler.spawn(self._outside, "says", say)

    def _take_by_hand(self, act: Act) -> None:
        """What somebody else gave; or, behind our back, what we did."""
        if self.judge.standing:
            holding, resource = list(self.judge.standing.items())[-1]
            del self.judge.standing[holding]
            target = self.house.targets[resource.kind]
            if target.through_group.pop(holding, None) is None:
                target.take(resource)
        else:
            id_ = self._newest(act.which, "active")
            if id_ is None:
                return
            resource = self.judge.grants[id_].resource
            self.house.targets[resource.kind].take(resource)
        self.house.story.tell(f"somebody else takes {resource.title} ({resource.holding[:8]}) away")


__all__ = ["Act", "People", "build", "draw"]
