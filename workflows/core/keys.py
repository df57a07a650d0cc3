"""Names of records, due items and indexes, so that nobody spells one by hand."""

from __future__ import annotations

from workflows.core.canonical_json import digest
from workflows.core.destination import Destination, Kind
from workflows.core.identity import SLACK, Account, AccountId, Address, PersonId, account_named

ACTIVE_POLICY = "policy:active"
ADOPTION = "adoption:accounts"
ADOPTED_USERS = "adoption:target-users"
POLICY_SUMMARY = "summary:policy"
POLICY_FILES = "policy-files:active"
# Policies that were in force lately, from which something of production went.
POLICY_FORMER = "policy-former:production"
# A policy that waits for people to agree, and its files.
POLICY_WAITING = "policy-waiting:folder"
POLICY_WAITING_FILES = "policy-files:waiting"
# The look at those who hold access, as a due item; and what is remembered from one to the next.
LEAVERS = "leavers:holders"
# What is on record of the ledger's own clock.
CLOCK = "clock:ledger"
# The name of this installation, and of its audit log.
INSTALLATION = "installation:ledger"
# How far the audit log is sealed; due while there are entries that are not.
SEAL = "seal:ledger"
# What has left the ledger for the archive; due while the policy says after how long something shall.
RETAINED = "retained:ledger"
# When the next certification begins by itself, where the policy has a schedule; no certification has this number.
CERTIFY_NEXT = "certification:next"
# Stands while the ledger is perhaps an older copy of itself; see `core.ledger_doubt`.
LEDGER_DOUBT = "doubt:ledger"
# Processes of an older version that were heard of lately.
OLDER = "older:processes"
# Who was erased, by digests.
ERASED = "erased:people"
# How far the comparison of targets with the ledger has come.
DRIFT_PROGRESS = "drift-pass:ledger"
# Where an earlier version kept all of its looks.
DRIFT_PLAN = "drift-plan:ledger"
# The due item that carries the comparison on.
DRIFT_DUE = "drift:pass"
# Indexes; scores are seconds since the epoch.
SIGNED = "signed-votes"  # requests of which signed presses are kept, by when to look whether they may go
PENDING = "pending"  # requests, by expiry
LIVE = "live"  # grants that are not closed, by deadline
RUNS = "runs"  # of those, what pipelines' own roles have by a gate, by deadline; and approvals that a forge is still to be told
CLOSED = "closed"  # grants that are over, by when
RECENT = "recent"  # all requests ever made, by time
SCHEDULED = "scheduled"  # requests that were approved and begin later, by when
REVIEWS = "reviews"  # reviews that are owed, by when they are due
DELEGATIONS = "delegations"  # people who named a delegate, by until when
TROUBLES = "troubles"  # what fails again and again, by since when
UNREADABLE = "unreadable"  # what stands in the ledger and cannot be read, by when it was last met
ON_HOLD = "on-hold"  # accounts that wait for somebody to say whose they are, by since when
SHUT = "shut-accounts"  # accounts of people who were closed, by since when; they wait for nobody
BARRED = "barred"  # people whom security keeps from breaking the glass or from asking, by since when
LISTED = "listed"  # indexes of which an earlier version knew nothing, and which were made for its records
DRIFT = "drift"  # what targets hold and the ledger does not know, or the other way round, by since when
CERTIFICATIONS = "certifications"  # every certification there was, by when it was begun
UNANNOUNCED = "unannounced"  # break-glass of which no channel was told in time, by when that was found

TERMINAL = "terminal-acts"  # what is asked from terminals, by when it may go
TERMINAL_WAITING = "terminal-waiting"  # those that wait for a worker, by since when
TOKENS = "tokens-once"  # tokens of pipelines that were taken, by when they run out

# The subjects of chat that are somebody's own page.
HOME = "home-"
BOARD = "board-"

CLOSED_PLACES = "places-closed"  # channels and people that chat takes no messages for, by since when
# Chats' words for messages that they did not take, by when each was last seen: Slack's as they are, `SURFACE:WORD` of others.
CHAT_WORDS = "slack-words"


def drift(id_: str) -> str:
    """What is open of one holding; the due item of the same name sees to its removal."""
    return f"drift:{id_}"


def drift_plan(part: int) -> str:
    """A part of the looks of the comparison that runs."""
    return f"drift-plan:{part}"


def drift_of(scope: str) -> str:
    """Index: what is open of one look."""
    return f"{DRIFT}:scope:{scope}"


def request(id_: str) -> str:
    return f"request:{id_}"


def activity(id_: str) -> str:
    """What was seen of what was done with a grant; the due item of the same name has a worker look."""
    return f"activity:{id_}"


def grant(id_: str) -> str:
    return f"grant:{id_}"


def holding(id_: str) -> str:
    return f"holding:{id_}"


def person(id_: PersonId) -> str:
    return f"person:{id_}"


def words_key(name: str) -> str:
    """The key of the words that name somebody; see `core.named_words`."""
    return f"words-key:{name}"


def witness(id_: str) -> str:
    """What one host knows of the ledger's clock."""
    return f"witness:{id_}"


def account(id_: AccountId) -> str:
    """Whose one chat account is."""
    return f"account:{id_}"


def identity(id_: PersonId) -> str:
    """The accounts and addresses of one person."""
    return f"person-id:{id_}"


def address(name: Address) -> str:
    """Whose an address is, where it is not whoever was first known by it."""
    return f"address:{name}"


def target_user(id_: str) -> str:
    """Whose a user in a target is; `id_` as in `Resource.user`."""
    return f"target-user:{id_}"


def target_ids(who: PersonId) -> str:
    """The users of one person in targets."""
    return f"target-ids:{who}"


def hold_subject(account_id: AccountId) -> str:
    """The subject of what is told about one account that is on hold."""
    return f"hold-{digest(account_id)[:20]}"


def delegation_subject(told: Account, away: PersonId) -> str:
    """The subject of what one account is told of deciding in somebody's place. Ids of other chats hold dashes."""
    if told.surface == SLACK:
        return f"delegation-{told.user}-{away}"
    return f"delegation-{Destination(told.surface, Kind.PERSON, told.user)}|{away}"


def delegation_named(subject: str) -> tuple[str, PersonId]:
    """Where it is told, as a destination's text, and in whose place they decide."""
    rest = subject.removeprefix("delegation-")
    place, _, away = rest.partition("|" if ":" in rest.partition("-")[0] else "-")
    return place, PersonId(away)


def whois(who: Account) -> str:
    """The due item that asks the chat about an account of which there is news."""
    return f"whois:{who.short}"


def home(who: Account) -> str:
    """The subject of chat that is somebody's own page."""
    return f"{HOME}{who.tenant}-{who.user}" if who.surface == SLACK else f"{HOME}{who.id}"


def whose_home(subject: str) -> Account:
    """Whose page `home` names. Raises ValueError for any other subject."""
    name = subject.removeprefix(HOME)
    return account_named(name if ":" in name else name.replace("-", ":", 1))


def slot(id_: str) -> str:
    return f"slot:{id_}"


def refusals(id_: PersonId) -> str:
    return f"refusals:{id_}"


def chat(subject: str) -> str:
    return f"chat:{subject}"


def waiting(channel: str) -> str:
    """Index: requests whose receipts wait for their turn in this channel, by since when."""
    return f"waiting:{channel}"


def cards_waiting(channel: str) -> str:
    """Index: requests whose cards wait for their turn in this channel, by since when."""
    return f"cards-waiting:{channel}"


def board(channel: str) -> str:
    """The subject of chat that names what waits for its card in this channel."""
    return f"{BOARD}{channel}"


def owed(place: str) -> str:
    """Index: subjects of chat with messages for a place that takes none just now, by since when."""
    return f"owed:{place}"


def certification(id_: str) -> str:
    """One round of it; the due item of the same name asks, reminds and closes."""
    return f"certification:{id_}"


def certification_part(id_: str) -> str:
    """What one of its cards asks."""
    return f"certification-part:{id_}"


def review(id_: str) -> str:
    return f"review:{id_}"


def uses(id_: str) -> str:
    return f"uses:{id_}"


def rule_uses(environment: str, role: str, rule: str, holder: PersonId) -> str:
    """When a rule that may approve so many times a day did, for one person."""
    return uses(f"rule-{digest([environment, role, rule, holder])[:20]}")


def break_glass_uses(environment: str, holder: PersonId) -> str:
    """When one person broke the glass in an environment."""
    return uses(f"glass-{digest([environment, holder])[:20]}")


def questions(holder: PersonId) -> str:
    """When somebody was asked whether an account in another chat is theirs."""
    return uses(f"chat-{digest([holder])[:20]}")


def ticket_uses(ticket: str) -> str:
    """When a ticket that so many requests may carry was last given for one."""
    return uses(f"ticket-{digest(ticket.casefold())[:20]}")


def of_ticket(ticket: str) -> str:
    """Index: all requests ever made with this ticket, by when."""
    return f"ticket:{digest(ticket.casefold())[:20]}"


def bulk_revocation(id_: str) -> str:
    return f"sweepout:{id_}"


def token_once(issuer: str, jti: str) -> str:
    """What is remembered of one token of a pipeline."""
    return f"jti:{digest(issuer)[:20]}:{digest(jti)[:40]}"


def forge(id_: str) -> str:
    """A deployment that waits at a forge; the due item of the same name has a worker see to it."""
    return f"forge:{id_}"


def terminal(id_: str) -> str:
    """What is asked from a terminal; the due item of the same name has a worker decide it."""
    return f"terminal:{id_}"


def vouched(who: PersonId) -> str:
    """Who vouched for a person while chat was down."""
    return f"vouched:{who}"


def signed(request_id: str) -> str:
    """What a chat signed of the votes on a request in production."""
    return f"signed:{request_id}"


def press(id_: str) -> str:
    return f"press:{id_}"


def end_due(grant_id: str) -> str:
    """The due item that holds a grant's deadline; it stands until the grant is closed."""
    return f"end:{grant_id}"


def announced_due(grant_id: str) -> str:
    """The due item that looks whether a break-glass was announced; it stands until a channel was told."""
    return f"announced:{grant_id}"


def warn_due(grant_id: str) -> str:
    return f"warn:{grant_id}"


def chase_due(request_id: str) -> str:
    """The due item that reminds whoever can decide a request, and then calls the next group."""
    return f"chase:{request_id}"


def trouble(item: str) -> str:
    """What is known of a due item, or a part of a process, that fails."""
    return f"trouble:{item}"


def last_of(slot_id: str) -> str:
    """Index: grants of one person and entitlement that are over, by when."""
    return f"last:{slot_id}"


def places(index: str, *, environment: str, person_id: PersonId) -> tuple[str, ...]:
    """The index itself, and its parts by environment and by person."""
    return index, f"{index}:env:{environment}", f"{index}:person:{person_id}"


def of_environment(index: str, environment: str) -> str:
    return f"{index}:env:{environment}"


def of_person(index: str, person_id: PersonId) -> str:
    return f"{index}:person:{person_id}"
