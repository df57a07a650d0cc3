"""Listens to the bot in the in-memory world: what it posts, and what it answers to everybody who tries everything.

Nothing that is tried has an effect: a decision that would be committed counts as one that is not refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.chat import interaction as act_kinds
from bot.chat.actions.dispatcher import Dispatcher
from bot.chat.actions.handlers import handler
from bot.chat.actions.open_form import FormOpener
from bot.chat.actions.reply import FactsStale, Reply
from bot.chat.chats import Chats
from bot.chat.form import Filled
from bot.chat.forms.request import Where
from bot.chat.interaction import COMMAND, PRESS, Interaction
from bot.chat.message import Message, read_value
from bot.chat.messages.approval_card import LESS, MORE, read_more
from bot.chat.messages.certification import ANSWER
from bot.chat.messages.home import home
from bot.chat.outbox.outages import Outages
from bot.chat.outbox.outbox import Outbox
from bot.chat.outbox.plans.planning import PlannedMessage
from bot.chat.outbox.postings import PostingSession
from bot.chat.outbox.reconciler import Reconciler
from bot.slack.render import blocks_of, text_of
from bot.slack.surface import Slack as SlackSurface
from tests.support import build
from tests.support.slack_text import blocks_as_text, from_mrkdwn
from tests.support.world import World, account
from workflows.core.audit import AuditEntry, Event
from workflows.core.clockwork import LedgerClock
from workflows.core.destination import is_person, read_destination
from workflows.core.identity import AccountRecord
from workflows.core.ledger_doubt import LedgerDoubt
from workflows.core.people import Account, PersonFacts, PersonId, person_id
from workflows.core.policy import Policy
from workflows.core.records.certification import Certification, CertificationPart
from workflows.core.records.chat import Posting
from workflows.core.records.grant import Grant
from workflows.core.records.oversight import Review, Trouble
from workflows.core.records.person import PersonRecord
from workflows.core.records.request import Request
from workflows.core.refusal import Refused
from workflows.core.rules.account_confirmation import PROPOSAL_STANDS_FOR
from workflows.ports import Change, Committed, Lost

T = TypeVar("T", Request, Grant)

CAST = (build.DANA, build.OLU, build.PAT, build.NIA, build.SUE, build.GUS)
# Somebody who comes later.
OLGA = person_id("olga@example.com")
NAMES: Mapping[str, PersonId] = {build.facts(who).name: who for who in (*CAST, OLGA)}
_ANY_NAME = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")


class Drawn(NamedTuple):
    text: str
    blocks: list[dict[str, Any]]


@dataclass(frozen=True)
class Said:
    """One message. `reader`: whose alone it is, None where a channel reads it. `stays`: nobody asked for it just now."""

    what: str
    reader: PersonId | None
    message: Message | Drawn
    stays: bool = False
    refused: Refused | None = None

    @cached_property
    def drawn(self) -> Drawn:
        """What Slack is given."""
        return (
            self.message if isinstance(self.message, Drawn) else Drawn(text_of(self.message), blocks_of(self.message))
        )

    @cached_property
    def text(self) -> str:
        return blocks_as_text(self.drawn.blocks) if self.drawn.blocks else from_mrkdwn(self.drawn.text)

    @cached_property
    def raw(self) -> str:
        """With the tokens of its times."""
        return f"{self.drawn.text}\n{self.drawn.blocks}"

    @cached_property
    def spelled(self) -> str:
        """All that it consists of. The same for two that say the same, in whatever chat they are drawn."""
        return repr(self.message)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Line by line; what somebody wrote is theirs, and no claim of ours."""
        found = (*self.text.splitlines(), *from_mrkdwn(self.drawn.text).splitlines())
        return tuple(dict.fromkeys(line for line in found if line.strip() and not line.lstrip().startswith("|")))

    def unlabelled(self) -> list[str]:
        """Buttons of which a screen reader says no more than they show."""
        blocks = self.drawn.blocks
        found = [item for block in blocks for item in (*block.get("elements", ()), block.get("accessory", {}))]
        return [
            item["text"]["text"]
            for item in found
            if item.get("type") == "button" and not item.get("accessibility_label")
        ]

    def buttons(self) -> Iterator[tuple[str, str]]:
        """(action, value) of what can be pressed in it."""
        for block in self.drawn.blocks:
            elements = [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]
            for element in elements:
                if element.get("type") == "button" and not element.get("url"):
                    yield element["action_id"], element.get("value", "")
                if element.get("type") in ("overflow", "static_select"):
                    yield from ((element["action_id"], option["value"]) for option in element["options"])


class _Dry:
    """The ledger, without effect: what would be committed is taken."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def commit(self, change: Change) -> Committed | Lost:
        refused: Lost | None = self._ledger._refusal(change)
        return refused if refused and refused.why in _IN_NO_CASE else Committed((), change.answer or "")


# Of the ledger itself: whatever is tried now, it does not take it.
_IN_NO_CASE = ("durability", "clock", "older", "restored")


class _NobodyIsAway:
    def among(self, _people: object) -> frozenset[PersonId]:
        return frozenset()


class _Refresher:
    """What the sender asks the chat for."""

    away = _NobodyIsAway()

    def __init__(self, world: World) -> None:
        self._world = world

    def refresh_person(self, who: Account, policy: Policy) -> PersonFacts:
        return self._world.chat.refresh_person(who, policy)

    def find(self, who: PersonId, _policy: Policy) -> PersonFacts | None:
        return self._world.chat.people.get(account(who))


class Slack(WebClient):
    """What is called without the delivery: whether a place is open again, and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: dict[str, str] = {}
        self.posted: list[tuple[str, str]] = []
        self.views: list[dict[str, Any]] = []
        # Slack's word for a form that it does not open.
        self.refuses = ""

    def chat_postMessage(self, **said: Any) -> Any:
        if said["channel"] in self.closed:
            raise SlackApiError("no", refused(self.closed[said["channel"]]))
        self.posted.append((said["channel"], said["text"]))
        return {"ok": True, "channel": said["channel"], "ts": "1.0"}

    def views_open(self, **opened: Any) -> Any:
        if self.refuses:
            raise SlackApiError("no", refused(self.refuses))
        self.views.append(opened["view"])
        return {"ok": True, "view": {"id": "V1"}}

    views_push = views_publish = views_open


def refused(word: str) -> SlackResponse:
    body = {"ok": False, "error": word}
    return SlackResponse(client=None, http_verb="POST", api_url="", req_args={}, data=body, headers={}, status_code=200)


@dataclass
class _Posts:
    """Takes every message that is wanted, as Slack would, and keeps the newest of each. Not for a place that is closed."""

    now: Any
    slack: Slack
    outages: Outages
    current: dict[str, PlannedMessage] = field(default_factory=dict)

    def send(self, page: PostingSession, wanted: PlannedMessage) -> None:
        posting = page.record.postings.get(wanted.slot)
        if posting is None and wanted.channel in self.slack.closed:
            self.outages.give_up(page, wanted.slot, Posting(wanted.channel), self.slack.closed[wanted.channel])
        elif posting is None:
            if wanted.under and wanted.under not in page.record.postings:
                return
            ts = f"{self.now().timestamp():.6f}"
            told = {wanted.under: wanted.told} if wanted.under else None
            done = Posting(wanted.channel, ts=ts, shown=wanted.shows, posted_channel=wanted.channel)
            page.put(wanted.slot, done, f"posted:{wanted.slot}", told, (wanted.entry,) if wanted.entry else ())
        elif posting.error is not None or wanted.shows in ("once", posting.shown):
            return
        else:
            page.put(wanted.slot, replace(posting, shown=wanted.shows), f"edited:{wanted.slot}:{wanted.shows}")
        self.current[f"{page.record.subject} {wanted.slot}"] = wanted


class Listener:
    """One world, everybody who is in it, and all that is said there."""

    def __init__(self, world: World, command: str = "/prodaccess") -> None:
        self.world = world
        self.slack = Slack()
        nothing = cast(Any, None)
        refresher = cast(Any, _Refresher(world))
        outbox = Outbox.of(world.ctx, Chats(SlackSurface(self.slack)), nothing, refresher, command)
        self.posts = _Posts(world.clock.now, self.slack, outbox.outages)
        outbox.delivery = cast(Any, self.posts)
        self.sender = Reconciler(outbox)
        # Who is there; what is typed at this step beside the usual; whether that is all.
        self.cast: tuple[PersonId, ...] = CAST
        self.tries: list[tuple[PersonId, str]] = []
        self.brief = False
        # Who presses what at this step that stands nowhere any more.
        self.presses_at: list[tuple[PersonId, str, str]] = []
        # What is said at this step that no command and no subject of chat brings about.
        self.beside: list[Said] = []
        self._heard: dict[tuple[PersonId, str], Said | None] = {}
        self._pressed: dict[tuple[PersonId, str, str], Reply | None] = {}
        self._opened: dict[tuple[PersonId, str, str], Said | None] = {}
        self._homes: dict[PersonId, Said | None] = {}
        dry = replace(world.ctx, ledger=_Dry(world.ledger))
        self.dry = Dispatcher(dry, command)
        # What is done with it has its effect.
        self.real = Dispatcher(world.ctx, command)
        self.forms = FormOpener(self.dry, SlackSurface(self.slack), cast(Any, world.chat))

    # ------------------------------------------------------------ what is posted

    def posted(self, *subjects: str) -> list[Said]:
        """All messages as they stand, after chat was brought up to date."""
        for subject in (*subjects, *self._news()):
            self.sender.show(subject)
        said = [Said(f"back in {channel}", None, Drawn(text, []), stays=True) for channel, text in self.slack.posted]
        said += [
            Said(name, _reader(wanted.channel), wanted.message, stays=True)
            for name, wanted in self.posts.current.items()
        ]
        return said + self.beside

    def _news(self) -> list[str]:
        """What is due to be told of the installation and of accounts."""
        due = [item.removeprefix("chat:") for item in self.world.ledger.due if item.startswith("chat:")]
        return sorted(subject for subject in due if subject.startswith(_NEWS))

    def home(self, who: PersonId) -> Said | None:
        if who not in self._homes:
            self._homes[who] = self._home(who)
        return self._homes[who]

    def _home(self, who: PersonId) -> Said | None:
        shown = self.dry.queries.home(account(who))
        if isinstance(shown, Refused):
            return None
        return Said(f"home of {who}", who, Message((), home(shown)))

    # ------------------------------------------------------------ what is answered

    def types(self, who: PersonId, text: str) -> Said | None:
        """The answer to a typed command, which has no effect."""
        if (who, text) not in self._heard:
            self._heard[who, text] = self._types(who, text)
        return self._heard[who, text]

    def time_passed(self) -> None:
        """What was heard is not so any more."""
        for known in (self._heard, self._pressed, self._opened, self._homes):
            known.clear()
        self.world.knows(*self.cast)

    def _types(self, who: PersonId, text: str) -> Said | None:
        reply = self._acts(who, COMMAND, text=text)
        return Said(f"{who} types {text}", who, reply.message, refused=reply.refused) if reply.message else None

    def presses(self, who: PersonId, action: str, value: str) -> Reply | None:
        """The answer to a press, and to the form that it opens; None where it opens one that asks for nothing yet."""
        if (who, action, value) not in self._pressed:
            self._pressed[who, action, value] = self._presses(who, action, value)
        return self._pressed[who, action, value]

    def _presses(self, who: PersonId, action: str, value: str) -> Reply | None:
        found = read_value(value)
        id_ = found[0] if found else ""
        if action in _FORMS:
            kind, fields = _FORMS[action]
            return self._acts(who, kind, fields={"id": id_, **fields})
        opens = action in _OPENS or (action == MORE and _lessens(value))
        return None if opens else self._acts(who, PRESS, action=action, value=value)

    def opens(self, who: PersonId, action: str, value: str) -> Said | None:
        """The form that a press opens, or what is said in its place."""
        if (who, action, value) not in self._opened:
            self._opened[who, action, value] = self._opens(who, action, value)
        return self._opened[who, action, value]

    def _opens(self, who: PersonId, action: str, value: str) -> Said | None:
        act = Interaction(self.world.press_id(), PRESS, account(who), action=action, value=value)
        found = handler(act)
        form = found.opens(self.forms, act) if found else None
        if form is None:
            return None
        told: list[Message] = []
        self.forms.tell = lambda _act, message: told.append(message)  # type: ignore[method-assign]  # nobody is at the other end
        no: list[Refused] = []
        self.forms.refuse = lambda act, refused, subject: (
            no.append(refused) or _refuse(self.forms, act, refused, subject)
        )  # type: ignore[method-assign,func-returns-value]
        self.slack.views.clear()
        form(self.forms, act, "t", Filled("", Where().packed(), ()))
        if told:
            return Said(f"{who} types {action} {value}", who, told[-1], refused=no[-1] if no else None)
        (view,) = self.slack.views
        return Said(f"{who} opens {action} {value}", who, self.as_message(view))

    @staticmethod
    def as_message(view: dict[str, Any]) -> Drawn:
        named = ": ".join(view[name]["text"] for name in ("title", "submit") if name in view)
        return Drawn(named, view["blocks"])

    def may(self, what: str, id_: str) -> frozenset[PersonId]:
        """Who could do that now: `approve PA-1`."""
        return frozenset(
            who for who in self.cast if (said := self.types(who, f"{what} {id_}")) and said.refused is None
        )

    def certifiers(self, part: str) -> frozenset[PersonId]:
        """Who has something to answer on that card: the form opens to them."""
        return frozenset(who for who in self.cast if (said := self.opens(who, ANSWER, part)) and " opens " in said.what)

    def really(self, who: PersonId, text: str) -> None:
        slack = account(who)
        self.real.carry_out(Interaction(self.world.press_id(), COMMAND, slack, text=text, looked=True))

    def _acts(self, who: PersonId, kind: str, **what: Any) -> Reply:
        slack = account(who)
        act = Interaction(self.world.press_id(), kind, slack, looked=True, **what)
        try:
            return self.dry.carry_out(act)
        except FactsStale:
            raise AssertionError(f"{who} is not known: {act}") from None

    # ------------------------------------------------------------ the record

    def times(self) -> frozenset[int]:
        """Every time that stands on the record or in the rules, in whole seconds."""
        found: set[int] = set()
        for entry in self.world.ledger.entries(limit=100_000):
            found |= _times_in(entry)
        for kind, record in RECORDS.items():
            for name in list(self.world.ledger.records(kind)):
                found |= _times_in(self.world.ledger.read(name).readable(name, record))
        for grant in self._all(Grant):
            if grant.closed_at and grant.resource.session_s:
                # Until then a session may work that was opened at the last moment.
                found.add(int((grant.closed_at + timedelta(seconds=grant.resource.session_s)).timestamp()))
        for request in self._all(Request):
            grant = next((one for one in self._all(Grant) if one.id == request.extends), None)
            if grant is not None:
                found.add(int((grant.deadline + request.terms.duration).timestamp()))
        # What the first of two has said of an account stands so long.
        asked = (
            entry for entry in self.world.ledger.entries(limit=100_000) if entry.event is Event.PERSON_CONFIRM_ASKED
        )
        found |= {int((entry.at + PROPOSAL_STANDS_FOR).timestamp()) for entry in asked}
        return frozenset(found | _times_in(list(self.world.policy.policy.environments.values())))

    def _all(self, kind: type[T]) -> list[T]:
        names = list(self.world.ledger.records(kind.__name__.lower()))
        return [one for name in names if (one := self.world.ledger.read(name).readable(name, kind)) is not None]


RECORDS: Mapping[str, type[Any]] = {
    "request": Request,
    "grant": Grant,
    "review": Review,
    "person": PersonRecord,
    "account": AccountRecord,
    "trouble": Trouble,
    "clock": LedgerClock,
    "doubt": LedgerDoubt,
    "certification": Certification,
    "certification-part": CertificationPart,
}
# Chat subjects of the installation and of accounts.
_NEWS = (
    "hold-",
    "target-user-",
    "trouble",
    "place-",
    "clock-",
    "ledger-",
    "unreadable",
    "policy-",
    "change-",
    "leavers-",
    "drift-",
    "certify-",
    "audit-",
    "erased-",
)
_refuse = FormOpener.refuse


def _lessens(value: str) -> bool:
    return (read_more(value) or ("", ""))[0] == LESS


_FORMS: Mapping[str, tuple[str, dict[str, str]]] = {
    "deny": (act_kinds.DENY, {"reason": "not now"}),
    "deny_all": (act_kinds.DENY_ALL, {"reason": "not now"}),
    "extend": (act_kinds.EXTEND, {"duration_s": "1800", "reason": "INC-42 goes on", "ticket": "INC-42"}),
    "gate_glass": (act_kinds.GATE_GLASS, {"reason": "checkout is down"}),
    "flag": (act_kinds.FLAG, {"reason": "not needed"}),
    "end": (act_kinds.END, {"reason": "wrong account"}),
    "acknowledge": (act_kinds.ACKNOWLEDGE, {"reason": "well done"}),
}
# They open a form that is sent later, or only look.
_OPENS = frozenset({"again", "ask", "ask_then", "break_glass", "lift", "confirm", "certify"})


def _times_in(record: object) -> set[int]:
    """Every moment in a record, however deep, also where it is written as text."""
    if isinstance(record, datetime):
        return {int(record.timestamp())}
    if isinstance(record, str):
        try:
            return {int(datetime.fromisoformat(record).timestamp())} if "T" in record and ":" in record else set()
        except ValueError:
            return set()
    if isinstance(record, Mapping):
        return set().union(*map(_times_in, record.values()))
    if isinstance(record, list | tuple | frozenset):
        return set().union(*map(_times_in, record))
    if is_dataclass(record):
        return set().union(*(_times_in(getattr(record, each.name)) for each in fields(record)))
    return set()


def _reader(channel: str) -> PersonId | None:
    """In another chat an account's id has the name of whoever uses it."""
    words = read_destination(channel).id.split("-") if is_person(channel) else ()
    return next((who for who in CAST if account(who).user == channel or who.partition("@")[0] in words), None)


DATE = re.compile(r"<!date\^([0-9]+)\^[^|<>]*\|[^<>]*>")


def told_times(said: Said) -> Iterator[int]:
    for found in DATE.finditer(said.raw):
        yield int(found[1])


def names_in(text: str) -> frozenset[PersonId]:
    return frozenset(NAMES[name] for name in _ANY_NAME.findall(text))


def entries_with(entries: Sequence[AuditEntry], proof: str) -> bool:
    return any(entry.facts.get("proof") == proof for entry in entries)
