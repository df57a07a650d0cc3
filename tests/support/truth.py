"""Holds what is said against the record: whom a sentence means, who is named, when, and what can be pressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chat.message import Message
from bot.chat.messages import approval_card as cards
from bot.chat.messages import batch as several
from bot.chat.messages import digest, form_sent, notices, receipts
from bot.chat.messages.certification import ANSWER as CERTIFY
from bot.chat.messages.home import ASK
from bot.chat.views.request_view import for_outsiders
from bot.chat.wording.labels import Stage
from tests.support import teams_text
from tests.support.build import DANA, GROUPS, GUS, NIA, OLU, PAT, SUE
from tests.support.spoken import CAST, NAMES, Listener, Said, names_in, told_times
from tests.support.world import World, account
from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.identity import AccountRecord
from workflows.core.people import PersonId
from workflows.core.records.certification import CertificationPart, Verdict
from workflows.core.records.grant import Grant, GrantState
from workflows.core.records.oversight import Review
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.groups import groups_named

# ---------------------------------------------------------------- what a sentence may say

ACTS = ("show", "approve", "withdraw", "end", "deny", "extend", "decline", "less", "acknowledge", "flag")
AFTER = {"deny": " not now", "extend": " 30m INC-42 goes on", "less": " 10m", "flag": " not needed"}
LOOKS = ("list", "pending", "history", "envs", "who payments-prod", "explain payments-prod admin")
EVERYBODY = ("explain payments-prod read-only <@UGUS|gus>", "history <@UDANA|dana>", "delegate", "again")
ASKS = (
    "payments-prod read-only,admin 1h INC-42 errors",
    "payments-prod office 20h",
    "payments-prod office 1h INC-42 errors",
    "for <@UGUS|gus> payments-prod quick 1h INC-42 errors",
    "for <@UNIA|nia> payments-prod read-only 1h INC-42 errors",
    "break-glass payments-prod read-only all is down",
    "payments-prod nothing 1h INC-42",
    "show PA-99",
)
SECURITY = ("mine", "revoke-all person <@UDANA|dana> laptop stolen", "lift <@UDANA|dana> it was found")
_OWN: Mapping[PersonId, Sequence[str]] = {
    DANA: ("mine", *ASKS, *LOOKS, *EVERYBODY),
    OLU: ("mine", "delegate", "pending", "list", "history <@UDANA|dana>", EVERYBODY[0]),
    NIA: ("mine", "history", "break-glass payments-prod quick all is down"),
    SUE: SECURITY,
    PAT: ("mine",),
    GUS: ("mine", "payments-prod read-only 1h INC-42 errors"),
}


@dataclass
class Walk:
    faults: list[str] = field(default_factory=list)
    codes: set[Code] = field(default_factory=set)
    stages: set[Stage] = field(default_factory=set)
    events: set[Event] = field(default_factory=set)
    spoke: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    said: set[str] = field(default_factory=set)
    # Messages that were drawn for Teams, too.
    in_teams: set[str] = field(default_factory=set)


def opener(request: Request) -> PersonId | None:
    """Who opened a gate for its pipeline, in an emergency."""
    emergency = request.gate.emergency if request.gate is not None else None
    return emergency.by if emergency is not None else None


@dataclass
class Look:
    """One step of one scene: all that is known to be so."""

    t: Listener
    where: str
    ids: Sequence[str]
    walk: Walk
    last: bool
    # What was pressed in this message at this step, by its identity: nothing changes meanwhile.
    pressed: dict[int, tuple[Said, list[Said]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.t.world
        self.requests = [world.request(id_) for id_ in self.ids if id_.startswith("PA-")]
        self.grants = [grant for request in self.requests if (grant := _grant(world, request.id))]
        self.entries = list(world.ledger.entries(limit=100_000))
        states = (GrantState.ACTIVATING, GrantState.REVOKING)
        self.passing = any(grant.state in states and not grant.error for grant in self.grants)
        self.proofs = {entry.facts.get("proof") for entry in self.entries}
        self.has_access = [world.has_access(grant.id) for grant in self.grants]
        self.times = self.t.times()
        records = {who: account_on_record(world, who) for who in self.t.cast}
        held = {who for who, record in records.items() if record is not None and record.suspended is not None}
        self.party_on_hold = any(held & {request.requester, request.holder} for request in self.requests)
        self.can_approve = {request.id: self.t.may("approve", request.id) for request in self.requests}
        # Who decides it, where nobody can approve it just now: a freeze has begun.
        shut = [
            request
            for request in self.requests
            if (not self.can_approve[request.id] and request.decision is None) or opener(request) is not None
        ]
        # Nobody decides anything, by rules that are not in force.
        self.suspended = not_in_force(self.t.world)
        self.could = frozenset().union(*(self.t.may("deny", f"{request.id} not now") for request in shut))

    def may_send(self, action: str, value: str) -> frozenset[PersonId]:
        """Who may give less than was asked for; of other forms their sending tells."""
        if action == CERTIFY:
            return self.t.certifiers(value)
        found = cards.read_more(value) if action == cards.MORE else None
        if found is None:
            return frozenset()
        return self.can_approve.get(found[1]) or self.t.may("deny", f"{found[1]} not now")

    def fault(self, said: Said, why: str, line: str = "") -> None:
        self.walk.faults.append(f"{self.where} · {said.what}: {why}: {line or said.text}")

    # ------------------------------------------------------------ who

    def parties(self) -> frozenset[PersonId]:
        """Everybody who has to do with these requests, by the record and by the rules."""
        found: set[PersonId] = set()
        for request in self.requests:
            found |= {*request.parties, *(vote.by for vote in request.votes)}
            found |= {who} if (who := opener(request)) is not None else set()
            found |= {who for vote in request.votes for who in vote.for_}
            found |= {request.closing.by} if request.closing and request.closing.by else set()
            found |= self.can_approve[request.id] | self.could
            review = self.t.world.ledger.read(keys.review(request.id)).get(keys.review(request.id), Review)
            found |= {review.by} if review and review.by else set()
        for grant in self.grants:
            found |= {grant.end.by} if grant.end and grant.end.by else set()
        found |= {PersonId(one.private["actor"]) for one in self.entries if one.event is Event.REQUEST_REFUSED}
        # Whose the user in AWS is, or was.
        closed = [request.closing.params for request in self.requests if request.closing]
        moved = [entry.private for entry in self.entries if entry.event is Event.TARGET_USER_MOVED]
        named = [one.get(name, "") for one in (*closed, *moved) for name in ("name", "person_name", "before_name")]
        found |= names_in(" ".join(named))
        return frozenset(found)


def not_in_force(world: World) -> bool:
    active = world.ledger.read(keys.ACTIVE_POLICY).get(keys.ACTIVE_POLICY, ActivePolicy)
    return active is None or active.hash != world.policy.policy.hash


def _grant(world: World, id_: str) -> Grant | None:
    return world.ledger.read(keys.grant(id_)).get(keys.grant(id_), Grant)


@dataclass(frozen=True, slots=True)
class You:
    """Somebody reads a sentence with "you" in it."""

    look: Look
    reader: PersonId
    sentence: str
    said: Said

    def is_(self, *parties: str) -> bool:
        """That party of one of the requests."""
        return any(self.reader == getattr(request, name) for request in self.look.requests for name in parties)

    def is_holder(self) -> bool:
        return self.is_("holder")

    def is_requester(self) -> bool:
        return self.is_("requester")

    def asked_for_another(self) -> bool:
        return any(self.reader == request.requester != request.holder for request in self.look.requests)

    def holds_for_another(self) -> bool:
        return any(self.reader == request.holder != request.requester for request in self.look.requests)

    def has_asked_nothing(self) -> bool:
        every = (
            self.look.t.world.request(name.partition(":")[2]) for name in self.look.t.world.ledger.records("request")
        )
        return not any(
            self.reader == request.requester == request.holder and not request.break_glass for request in every
        )

    def has_nothing(self) -> bool:
        """Nothing that is open, nothing that waits for them."""
        live = any(grant.holder == self.reader and grant.closed_at is None for grant in self.look.grants)
        asks = any(self.is_("requester", "holder") and r.state is RequestState.PENDING for r in self.look.requests)
        waits = any(request.state is RequestState.PENDING for request in self.look.requests)
        decides = waits and self.may_deny() and not self.has_agreed()
        return not live and not asks and not decides and not self.may_review()

    def is_no_requester(self) -> bool:
        """Of no role there is, as the policy's own lists have it."""
        policy = self.look.t.world.policy.policy
        roles = [role for place in policy.environments.values() for role in place.roles.values()]
        return not any(
            self.reader in GROUPS.get(name, ()) for role in roles for name in groups_named(role, role.requesters)
        )

    def handed_over(self) -> bool:
        return self.reader == OLU

    def is_none_of(self) -> bool:
        """Of the groups, or of the people, that the sentence names."""
        groups = {"platform": {OLU, PAT}, "developers": {DANA, NIA}, "security": {SUE, PAT}, "oncall": {NIA}}
        named = {who for name, members in groups.items() if re.search(rf"\b{name}\b", self.sentence) for who in members}
        if names := names_in(self.sentence):
            return self.reader not in names
        return self.reader not in named or any(self.reader in (r.requester, r.holder) for r in self.look.requests)

    def did_it(self) -> bool:
        """It answers their own act."""
        return self.said.what.startswith(f"{self.reader} types") and self.said.refused is None

    def has_agreed(self) -> bool:
        return any(vote.by == self.reader for request in self.look.requests for vote in request.votes)

    def opened(self) -> bool:
        """The gate at which a pipeline waited, in an emergency."""
        return any(self.reader == opener(request) for request in self.look.requests)

    def may_review(self) -> bool:
        return any(self.reader in self.look.t.may("acknowledge", request.id) for request in self.look.requests)

    def may_decide(self) -> bool:
        return any(self.reader in able for able in self.look.can_approve.values())

    def may_deny(self) -> bool:
        return any(self.reader in self.look.t.may("deny", f"{request.id} not now") for request in self.look.requests)

    def is_on_hold(self) -> bool:
        record = account_on_record(self.look.t.world, self.reader)
        return record is not None and record.suspended is not None

    def is_claimed(self) -> bool:
        """An account in another chat is theirs, or says that it is."""
        world = self.look.t.world
        found = [world.ledger.read(name).get(name, AccountRecord) for name in list(world.ledger.records("account"))]
        others = [one for one in found if one is not None and one.slack.surface != account(self.reader).surface]
        return any(self.reader in (one.person, one.suspended and one.suspended.claims) for one in others)

    def said_yes(self) -> bool:
        return self._has_said(Event.PERSON_CONFIRMED)

    def said_no(self) -> bool:
        return self._has_said(Event.PERSON_DISOWNED)

    def _has_said(self, answer: Event) -> bool:
        """To the question about an account in another chat."""
        said = [entry for entry in self.look.entries if entry.event is answer]
        return any(self.reader in (one.private.get("actor"), one.private.get("person")) for one in said)

    def may_nothing(self) -> bool:
        return self.look.t.world.chat.people[account(self.reader)].standing_problem is not None

    def said_whose(self) -> bool:
        """What waits for a second one was said by them."""
        asked = [entry for entry in self.look.entries if entry.event is Event.PERSON_CONFIRM_ASKED]
        return bool(asked) and asked[-1].private["actor"] == self.reader

    def did_or_tried(self) -> bool:
        """It answers what they did, which was refused or only looked at."""
        return self.said.what.startswith(f"{self.reader} types")

    def is_asked_about(self) -> bool:
        """In a certification."""
        names = list(self.look.t.world.ledger.records("certification-part"))
        parts = [self.look.t.world.ledger.read(name).get(name, CertificationPart) for name in names]
        return any(item.person == self.reader for part in parts if part is not None for item in part.items)

    def owns_or_decides(self) -> bool:
        return self.reader in (OLU, PAT, SUE)

    def stands_in(self) -> bool:
        return self.reader == NIA

    def may_ask_for_nothing(self) -> bool:
        said = self.look.t.types(self.reader, "payments-prod read-only 1h INC-42 errors")
        return said is not None and said.refused is not None

    def anybody(self) -> bool:
        """Advice, or what is so of whoever reads it."""
        return True


# Sentences with "you", the most telling first, and of whom they are true. One that is not here has nobody whom it means.
YOU: tuple[tuple[str, Callable[[You], bool]], ...] = (
    (r"one made for you; asks for more|gives back your access; revokes", You.anybody),
    (
        r"Did you mean|`30m`, or as long as you need|You decide for yourself as long as",
        You.anybody,
    ),
    (
        r"the two of you count as one person|You asked for \d+ at once|The role has changed since you saw",
        You.did_or_tried,
    ),
    (r"Nobody could approve .* for you: |You used break-glass in .* within 24 hours", You.did_or_tried),
    (r"so I cannot tell that it is yours|[Yy]our AWS user|AWS user that I find for you", You.is_holder),
    (r"AWS's administrators have to give you", You.is_holder),
    (r"You said Yes: |^✅ You said in \w+ that the account|^If that was not you, tell security", You.said_yes),
    (r"You said No: ", You.said_no),
    (
        r"Is this you in|with your address|Until you answer|from then on it is yours|since you were asked",
        You.is_claimed,
    ),
    (r"The account in \w+ is yours|Your other accounts hear|Your account in this chat", You.is_claimed),
    (r"[Uu]ntil .* you can do nothing here|If you cannot answer there|You are asked this no more", You.is_claimed),
    (r"^You are in at once|In an emergency you are in at once", lambda you: you.reader == NIA),
    (r"You can ask for nothing here yet|to have you added", You.may_ask_for_nothing),
    (r"(?i)^in your environments now$", lambda you: you.reader in (OLU, PAT, SUE)),
    (r"^You decide in the place of", You.stands_in),
    (r"You get |You may still have ", You.is_holder),
    (r"again and again in what you own or decide", You.owns_or_decides),
    (r"I cannot tell just now what you may see|has access now, what is yours", You.anybody),
    (r"Your account is on hold|You can look, deny, take back requests|confirm @you", You.is_on_hold),
    (r"You have said that already|You said that the account is", lambda you: you.said_whose() or you.did_it()),
    (r"You belong to another organisation|Your profile here|record of your account", You.may_nothing),
    (r"asked for (.* )?for you\b", You.holds_for_another),
    (r"Say why you need it|; you asked for \d|lists yours|opens .* \(your ", You.anybody),
    (r"what you would approve|you can ask for it again|Ask its owners to add you", You.anybody),
    (
        r"^You cannot (lift this for yourself|confirm an account of)",
        You.anybody,
    ),
    (r"^Please tell .* yourself|what kept you from|You can ask again from", You.is_requester),
    (r"(?i)^asked for you$", You.holds_for_another),
    (r"You have asked for nothing yet", You.has_asked_nothing),
    (r"^You can ask for nothing here yet", You.is_no_requester),
    (r"^Ask an owner to add you", You.anybody),
    (r"until one of you lifts that", lambda you: you.reader in (SUE, PAT)),
    (r"Never on what you or they asked for", lambda you: you.handed_over() or you.stands_in()),
    (r"You asked for .* for (Nia|Gus)\b", You.asked_for_another),
    (r"You opened this gate yourself|You opened PA-\d+ in an emergency", You.opened),
    (r"You open this gate alone", lambda you: you.reader == NIA),
    (r"You began this run yourself", lambda you: any(you.reader in one.parties for one in you.look.requests)),
    (r"You asked for this yourself|PA-\d+ was yours", lambda you: you.is_("requester", "holder")),
    (r"^YOU ASKED FOR$", You.anybody),
    (r"You asked for|your request for|You took back your request", You.is_requester),
    (r"you are not (one of|among) them", You.is_none_of),
    (r"You have agreed to", You.has_agreed),
    (r"You (approved|agreed to|denied|took back|revoked|gave back PA|declined)|You used break-glass ", You.did_it),
    (r"You (acknowledged|flagged|lifted)", You.did_it),
    (r"[Yy]ou (already )?have (\*|this|\d|read|quick|admin|office)", You.is_holder),
    (r"You will have|You do not get|You gave back your", You.is_holder),
    (
        r"your (read-only|admin|quick|office|state-write|\d|break-glass)",
        lambda you: you.is_holder() or you.opened(),
    ),
    (r"Your (time is up|read-only|admin|quick|access goes on)", You.is_holder),
    (r"please close yours|is not there any more|ends it on the record; then you can", You.is_holder),
    (r"Somebody else answers for you|Number.* about you", You.is_asked_about),
    (r"You said that this (stays|goes)|You had said so already", You.did_it),
    (r"Some of this access is yours, so somebody else", lambda you: you.reader == PAT and you.did_or_tried()),
    (
        r"You cannot use break-glass|You are told when you have it|If you do not want it",
        lambda you: you.is_holder() or you.opened(),
    ),
    (r"requests? of you\b", lambda you: you.reader == DANA),
    (r"(?i)^needs your review$", You.may_review),
    (r"Waiting for you$", lambda you: you.may_deny() or you.may_review()),
    (r"you decide in their place|decided in the place|you do it in their place", You.stands_in),
    (r"you agreed to in their place|on yours or theirs", You.stands_in),
    (r"^You have$|(?i:^your access$)|^YOU CAN ASK FOR$|^WAITING FOR YOU$|^Yours$", You.anybody),
    (r"You have no access just now, and nothing waits for you", You.has_nothing),
    (r"in your place|You may (still decide|ask|break|approve)", You.anybody),
)

# "have to agree", "can approve it": whoever is named there can.
_ABOUT_DECIDING = re.compile(r"Waits for|\bcan\b|have to agree|Needs approval")
_ABLE = re.compile(
    "|".join(
        (
            r"Waits for (.*?) since",
            r"([^.]*?) can approve",
            r"([^.]*?) have to agree",
            r"([^.]*?) can\.$",
            r"Needs approval from ([^·]*)",
            r"Only (.*?) can decide",
        )
    )
)


def read(look: Look, said: Said) -> None:
    """Hold one message against the record."""
    for line in said.lines:
        look.walk.said.add(line)
        _you(look, said, line)
        _able(look, said, line)
        _claims(look, said, line)
    _people(look, said)
    _times(look, said)
    _jargon(look, said)
    _in_teams(look, said)


def _in_teams(look: Look, said: Said) -> None:
    """Each message once: the same words as in Slack, and nobody's words work there."""
    message = said.message
    if isinstance(message, Message) and said.spelled not in look.walk.in_teams:
        look.walk.in_teams.add(said.spelled)
        for fault in teams_text.faults(message, said.text, _NAMES_OF_IDS):
            look.fault(said, fault, said.text)


_NAMES_OF_IDS = {account(who).user: name for name, who in NAMES.items()}


def _you(look: Look, said: Said, line: str) -> None:
    for sentence in re.split(r"(?<=[.!?:]) (?=[A-Z✅⛔↩🚨⏳])|\n| · ", line):
        if not re.search(r"\b(you|your|yours|yourself)\b", sentence, re.IGNORECASE):
            continue
        command = next((holds for pattern, holds in YOU if re.search(pattern, sentence)), None)
        if command is None:
            look.fault(said, "nobody has said whom it means", sentence)
        elif said.reader is None and command is not You.anybody:
            look.fault(said, "everybody reads it, and it says you", sentence)
        elif said.reader is not None and not command(You(look, said.reader, sentence, said)):
            look.fault(said, f"{said.reader} is not whom it means", sentence)


def _able(look: Look, said: Said, line: str) -> None:
    if not _ABOUT_DECIDING.search(line) or "nobody can" in line or look.suspended:
        return
    for found in _ABLE.finditer(line):
        named = names_in(
            re.sub(r"\w+ for (\w+)", lambda part: part[0].split(" ")[0], next(filter(None, found.groups())))
        )
        able = frozenset().union(*look.can_approve.values())
        # While nobody can approve it, it waits for nobody.
        able |= look.could if not found[0].startswith("Waits for") else frozenset()
        if look.can_approve and named and not named <= able and not said.what.startswith(_OF_OTHERS):
            look.fault(said, f"{sorted(named - able)} cannot approve", line)


# Answers about what is not on the record yet.
_OF_OTHERS = tuple(f"{who} types explain" for who in CAST)


def _claims(look: Look, said: Said, line: str) -> None:
    # Only where it says of what.
    for pattern, true in _claimed(look, line) if "PA-" in line else ():
        if not true and re.search(pattern, line):
            look.fault(said, f"{pattern} is not so", line)
    if said.stays and re.search(r"\b(left|ago)\b", line) and "was left out" not in line and "days ago" not in line:
        look.fault(said, "it stays, and time goes on", line)


def _claimed(look: Look, line: str) -> Sequence[tuple[str, bool]]:
    """What a line may claim, and whether it is so by the record."""
    closed = [grant for grant in look.grants if grant.closed_at is not None]
    over = [request for request in look.requests if request.closing is not None]
    proofs, has = look.proofs, look.has_access
    return (
        (r"\bverified\b", "absence_read_back" in proofs),
        (r"🏁|(?<!when it )\bhas ended\b|\bended:", bool(closed) or any(map(went_on, look.requests))),
        (r"✅ Active|✅ You have", any(has) or any(grant.activated_at for grant in look.grants)),
        (r"Nothing is open", not all(has) or not has),
        ("⛔ Denied|⛔ .* denied your", any(request.state is RequestState.DENIED for request in over)),
        ("↩︎ Withdrawn|↩︎ You took back your", any(request.state is RequestState.WITHDRAWN for request in over)),
        (r"[Nn]obody (has )?answered", not any(one.votes for one in look.requests if one.id in line)),
        (r"tried 0 times", False),
        (r"is not open yet", not all(has) or not has),
        (r"may still be open", any(has) or any("REMOVAL" in entry.event.name for entry in look.entries)),
        (r"Nobody has been asked to approve it yet", any(one.resource is None for one in look.requests)),
        (r"The later end does not hold yet", any(grant.extended_to for grant in look.grants)),
        (r"account is on hold: cannot be approved", look.party_on_hold),
        ("⌛", any(request.state is RequestState.EXPIRED for request in over)),
    )


def went_on(request: Request) -> bool:
    """Of a pipeline: whether its run took the approval, and a forge that held it back has that."""
    gate = request.gate
    return gate is not None and gate.redeemed_at is not None and not gate.is_being_told and not gate.not_taken


_BY = (
    (r"approved by ([\w ,]+?)(?: at|$| ·|:|\))", lambda look: _deciders(look)),
    (
        r"(?:Denied by|denied by|not given by) (\w+)",
        lambda look: {request.closing.by for request in look.requests if request.closing},
    ),
    (r"Withdrawn by (\w+)", lambda look: {request.requester for request in look.requests}),
    (r"Declined by (\w+)", lambda look: {request.holder for request in look.requests}),
    (r"(?:revoked by|Revoked .*? by) (\w+)", lambda look: {grant.end.by for grant in look.grants if grant.end}),
    (r"^✂️ (\w+) revoked your", lambda look: {grant.end.by for grant in look.grants if grant.end}),
    (r"was withdrawn by (\w+)", lambda look: {request.requester for request in look.requests}),
    (r"was declined by (\w+)", lambda look: {request.holder for request in look.requests}),
    (r"given back by (\w+)", lambda look: {grant.holder for grant in look.grants}),
    (r"^(\w+) asks for|^(\w+) asked for", lambda look: {request.requester for request in look.requests}),
    (r"^(\w+) (?:has|had|gets|got|will have) ", lambda look: {request.holder for request in look.requests}),
)


def _deciders(look: Look) -> set[PersonId]:
    found = {who for request in look.requests if request.decision for who in request.decision.by}
    return found | {who for request in look.requests for vote in request.votes for who in (vote.by, *vote.for_)}


def _people(look: Look, said: Said) -> None:
    for line in said.lines if look.requests else ():
        for pattern, who in _BY:
            for found in re.finditer(pattern, line):
                named = names_in(" ".join(filter(None, found.groups())))
                if not named <= who(look):
                    look.fault(said, f"{sorted(named)} did not", line)
    if said.what.startswith("certify-"):
        _certified(look, said)
    elif said.what.startswith(("hold-", "leavers-")):
        _accounts(look, said)
    elif (
        said.stays
        and look.requests
        and not look.suspended
        and not names_in(said.text) <= look.parties() | _told_about(look, said)
    ):
        look.fault(said, f"{sorted(names_in(said.text) - look.parties())} has no part in it")


def _certified(look: Look, said: Said) -> None:
    """Who said what of whom, and how much is to answer, as the record has it."""
    names = list(look.t.world.ledger.records("certification-part"))
    parts = [part for name in names if (part := look.t.world.ledger.read(name).get(name, CertificationPart))]
    answers = [(item.name, item.answer) for part in parts for item in part.items if item.answer is not None]
    for found in re.finditer(r"(\S+)(?: \([^()]*\))? (stays|goes), says (\w+)", said.text):
        name, word, by = found.groups()
        verdict = Verdict.KEEP if word == "stays" else Verdict.REMOVE
        if not any(name == one and (answer.verdict, answer.by_name) == (verdict, by) for one, answer in answers):
            look.fault(said, "nobody has said so last", found[0])
    counts = {sum(len(part.open) for part in some) for some in (parts, *([part] for part in parts))}
    counts |= {sum(len(part.open) for part in parts if part.environment == one.environment) for one in parts}
    for found in re.finditer(r"(\d+) of \d+ (?:to answer|are not answered yet)", said.text):
        if int(found[1]) not in counts and "chase" not in said.what:
            look.fault(said, f"by the record it is one of {sorted(counts)}", found[0])


# Who did what to whose account, by the last entry of its kind.
_OF_ACCOUNTS = (
    (r"(\w+)'s account is on hold: ", Event.PERSON_BINDING_CHANGED, ("actor_name",)),
    (r"(\w+)'s account has its own address again", Event.PERSON_RESUMED, ("actor_name",)),
    (r"(\w+) says that (\w+)'s account", Event.PERSON_CONFIRM_ASKED, ("actor_name", "account_name")),
    (r"✅ (\w+) said whose (\w+)'s account", Event.PERSON_CONFIRMED, ("actor_name", "account_name")),
    (r"✅ (\w+) and (\w+) said whose (\w+)'s", Event.PERSON_CONFIRMED, ("second_name", "actor_name", "account_name")),
    (r"(\w+) acts in \w+ for the first time", Event.PERSON_BINDING_CHANGED, ("actor_name",)),
    (r"It was about (\w+) \(", Event.PERSON_BINDING_CHANGED, ("actor_name",)),
    (r"🚨 (\w+) says that the account (\w+) in", Event.PERSON_DISOWNED, ("actor_name", "account_name")),
    (r"✅ (\w+) said in \w+ that (\w+)'s account", Event.PERSON_CONFIRMED, ("actor_name", "account_name")),
    (r"⚠️ (\w+) is gone: ", Event.PERSON_LEFT, ("actor_name",)),
    (r"⚠️ An account of (\w+) is gone", Event.PERSON_LEFT, ("actor_name",)),
    (r"⚠️ (\w+) is no longer in ", Event.PERSON_MOVED, ("actor_name",)),
    (r"✅ You said Yes: |✅ You said in \w+ that the account in \w+ with your", Event.PERSON_CONFIRMED, ()),
    (r"⛔ You said No: ", Event.PERSON_DISOWNED, ()),
    (r"[✂✅]\S* (\w+) said that (?:these \d+ people|this person)", Event.LEAVERS_DECIDED, ("actor_name",)),
    (r"🚨 The chat says that (?:\d+ of \d+ people|\d+ more p)", Event.LEAVERS_HELD, ()),
    (r"↩️ The (?:\d+ people who were|person who was) gone", Event.LEAVERS_DECIDED, ()),
)


def _accounts(look: Look, said: Said) -> None:
    found = [(re.search(pattern, said.text), kind, names) for pattern, kind, names in _OF_ACCOUNTS]
    told = [(match, kind, names) for match, kind, names in found if match]
    if not told:
        look.fault(said, "nobody has said what it claims")
    for match, kind, names in told:
        true = [tuple(entry.private.get(name) for name in names) for entry in look.entries if entry.event is kind]
        if match.groups() not in true:
            look.fault(said, f"by the record it is {true}")


def _told_about(look: Look, said: Said) -> frozenset[PersonId]:
    """Who was called, or decides in somebody's place."""
    called = {OLU, PAT, SUE} if "called" in said.text or "escalat" in said.text.lower() else set()
    return frozenset(called | ({NIA, OLU} if "place" in said.text or "decides for" in said.text else set()))


def _times(look: Look, said: Said) -> None:
    for at in told_times(said):
        if at not in look.times:
            look.fault(said, f"{at} is no time of the record")


_CODES = re.compile(rf"\b({'|'.join(code.value for code in Code if '_' in code.value)})\b")


def _jargon(look: Look, said: Said) -> None:
    if found := _CODES.search(said.text):
        look.fault(said, f"{found[0]} is no word for people")


def pressed(look: Look, said: Said) -> list[Said]:
    """What can be pressed is taken from the one who reads it, or from one of those who do. What is answered."""
    if id(said) not in look.pressed:
        look.pressed[id(said)] = said, _pressed(look, said)
    return look.pressed[id(said)][1]


def _pressed(look: Look, said: Said) -> list[Said]:
    answers_ = []
    if said.unlabelled() and not said.what.startswith("home"):
        look.fault(said, f"{said.unlabelled()} say nothing to a screen reader")
    for action, value in said.buttons():
        readers = (said.reader,) if said.reader else look.t.cast
        # Anybody may have it explained.
        readers = readers[:2] if action == cards.MORE else readers
        replies = [(who, look.t.presses(who, action, value)) for who in readers]
        known = [(who, reply) for who, reply in replies if reply is not None]
        refused = [reply.refused for _, reply in known if reply.refused is not None]
        if refused and len(refused) == len(known) and not _of_their_account(action, refused):
            look.fault(said, f"{action} is refused to all who read it ({refused[0].code})")
        # The form opens to whoever may send it.
        may = look.may_send(action, value) or frozenset(
            who for who, reply in replies if reply is None or reply.refused is None
        )
        able = next((who for who in (said.reader, *look.t.cast) if who in may), readers[0])
        opened = [form for form in [look.t.opens(able, action, value)] if form is not None]
        answers_ += opened
        refused += [form.refused for form in opened if form.refused]
        if (
            opened
            and not look.suspended
            and not _of_their_account(action, refused)
            and all(" types " in form.what for form in opened)
        ):
            look.fault(said, f"{action} opens nothing for all who read it", opened[0].text)
        for who, reply in known:
            if reply.message is not None:
                answers_.append(Said(f"{who} types {action} {value}", who, reply.message, refused=reply.refused))
    return answers_


# Only who has the access, or asked for it, can do these. Where their own account is on hold they know it.
_OF_PARTIES = frozenset({"extend", "end", "withdraw", "decline", "again", "ask"})
_NOT_TO_BE_SEEN = frozenset(
    {
        Code.POLICY_NOT_IN_FORCE,
        # The press shows the new card, and says what else there is to do.
        Code.TERMS_CHANGED,
        Code.LEDGER_NOT_DURABLE,
        Code.CLOCK_IN_DOUBT,
        Code.OLDER_VERSION_RUNS,
        Code.LEDGER_IN_DOUBT,
    }
)
_ASKS = frozenset({ASK, notices.ASK_THEN, cards.AGAIN})
_NO_ACCOUNT = frozenset({Code.PERSON_SUSPENDED, Code.PERSON_DEACTIVATED})


def _of_their_account(action: str, refused: Sequence[Refused]) -> bool:
    """Or of what lasts for a moment, or cannot be seen on a card that several read; the answer says what to do."""
    if any(one.code in _NOT_TO_BE_SEEN for one in refused):
        return True
    if action in _ASKS and any(one.code is Code.PERSON_BLOCKED for one in refused):
        # In place of a form it is told until when, and who can lift it.
        return True
    return action in _OF_PARTIES and any(one.code in _NO_ACCOUNT for one in refused)


def account_on_record(world: World, who: PersonId) -> AccountRecord | None:
    item = keys.account(world.chat.people[account(who)].account)
    return world.ledger.read(item).get(item, AccountRecord)


def also(look: Look) -> Iterator[Said]:
    """What is posted only now and then: the digest, the summary in place of many, a pointer in place of a stray copy."""
    t, policy = look.t, look.t.world.policy.policy
    views = t.dry.queries.reader.some([id_ for id_ in look.ids if id_.startswith("PA-")], policy)
    yield Said("digest", None, digest.digest(t.dry.queries.reader.digest(policy, None)), stays=True)
    yield Said("summary", None, receipts.summary(views), stays=True)
    yield Said("stray copy", None, notices.unknown_copy("PA-1"), stays=True)
    yield Said("cannot write", None, form_sent.cannot_write_to_you(), stays=True)
    for looking in (True, False):
        yield Said(f"form sent, {looking=}", DANA, form_sent.sent(looking=looking), stays=True)
    for view in views:
        if view.stage is Stage.WAITING and view.requester_id:
            said = notices.unreached(view, t.dry.queries.people.deciders(t.dry.queries.seen(view.id)))  # type: ignore[arg-type]
            yield Said("unreached", view.requester_id, said, stays=True)
        yield Said("moved card", None, several.moved(view.id), stays=True)
        outside = for_outsiders(view)
        yield Said("card elsewhere", None, cards.approval_card(outside), stays=True)
        yield Said("cards elsewhere", None, several.card([outside], ""), stays=True)


def look_round(walk: Walk, name: str, t: Listener, ids: Sequence[str], *, last: bool) -> tuple[Look, list[Said]]:
    """This step, and what stands in chat at it."""
    t.time_passed()
    posted = t.posted(*ids)
    look = Look(t, name, ids, walk, last)
    return look, [*posted, *also(look)]


def look_at(look: Look, stands: Sequence[Said]) -> None:
    """Read all that stands in chat at this step, and all that anybody is answered; and press all that can be pressed."""
    t, walk, ids = look.t, look.walk, look.ids
    walk.stages |= {seen.view.stage for id_ in ids if (seen := t.dry.queries.seen(id_))}
    walk.events |= {entry.event for entry in look.entries}
    closed = [request.closing for request in look.requests] + [grant.end for grant in look.grants]
    walk.codes |= {Code(one.code) for one in closed if one and one.code}
    heard: set[tuple[PersonId | None, str]] = set()
    for said in (*stands, *(said for who in t.cast for said in answers(look, who))):
        # What passes in a second is not shown before it has.
        pressing = () if look.passing and not said.what.startswith(f"{said.reader} types") else pressed(look, said)
        for one in (said, *pressing):
            walk.codes |= {no.code for no in (one.refused, *one.refused.also)} if one.refused else set()
            if (one.reader, one.raw) not in heard:
                heard.add((one.reader, one.raw))
                read(look, one)


def answers(look: Look, who: PersonId) -> Iterator[Said]:
    """What this person reads who opens their page and tries everything that they have something to do with."""
    yield from (said for by, text in look.t.tries if by == who and (said := look.t.types(who, text)))
    for by, action, value in look.t.presses_at:
        reply = look.t.presses(who, action, value) if by == who else None
        if reply is not None and reply.message is not None:
            yield Said(f"{who} types {action} {value}", who, reply.message, refused=reply.refused)
    if look.t.brief:
        return
    concerned = {who for request in look.requests for who in (request.requester, request.holder)} | {OLU, SUE}
    home = look.t.home(who) if who in concerned or look.last else None
    if home:
        yield home
    # All that there is to try is tried at the end of each scene; before it, what matters most.
    acts = ACTS[: (10 if who in concerned else 5) if look.last else (5 if who in concerned else 2)]
    for id_ in look.ids:
        for act in acts if id_.startswith("PA-") else ():
            said = look.t.types(who, f"{act} {id_}{AFTER.get(act, '')}")
            if said:
                yield said
    for text in _OWN[who] if look.last else _OWN[who][:3]:
        said = look.t.types(who, text)
        if said:
            yield said
