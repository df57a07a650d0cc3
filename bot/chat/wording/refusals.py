"""Refusals in words: one table, a sentence or two for each code, saying what is wrong and what to do next.

The text is plain: values from people stand in it as they are and are escaped where it is shown. Back-ticks in them are
replaced, because the sentences set names and commands in back-ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.places import chat_name
from bot.chat.wording.hours import in_words, opens_words
from bot.chat.wording.signed_votes import vote_not_proved
from bot.chat.wording.tickets import like
from workflows.core.dates import zone_of
from workflows.core.durations import format_duration
from workflows.core.identity import DISOWNED, SECOND_CHAT
from workflows.core.policy import GATE
from workflows.core.provider import NAME, PIECE, PIECES, USER, spoken
from workflows.core.refusal import Code, Refused

_PARAM_LENGTH_MAX = 160
_WORDS_LENGTH_MAX = 600


@dataclass(frozen=True, slots=True)
class _Case:
    """One refusal's parameters, each ready for a sentence."""

    params: Mapping[str, str]
    command: str
    time_zone: str

    def __call__(self, name: str, otherwise: str = "", length_max: int = _PARAM_LENGTH_MAX) -> str:
        text = " ".join(self.params.get(name, "").replace("`", "'").split())
        return (text if len(text) <= length_max else text[: length_max - 1] + "…") or otherwise

    def spoken(self, word: str, otherwise: str = "target") -> str:
        """The provider's word for something."""
        return self(word) or spoken(word, self.params.get("user", ""), otherwise)

    @property
    def provider(self) -> str:
        return self.spoken(NAME)

    @property
    def who(self) -> str:
        """Whom it is about; empty where that is the reader."""
        return self("who", length_max=80)

    def you(self, you: str, they: str) -> str:
        """The reader's sentence, or the one about somebody else: `{}` is their name."""
        return they.format(self.who) if self.who else you

    def typed(self, words: str) -> str:
        return f"`{self.command} {words}`"

    def duration(self, name: str) -> str:
        text = self.params.get(name, "")
        return format_duration(timedelta(seconds=int(text))) if text.isascii() and text.isdigit() else "that long"

    def time(self, name: str) -> str:
        try:
            moment = datetime.fromisoformat(self.params.get(name, ""))
        except ValueError:
            return self(name, "later")
        if moment.tzinfo is None:
            return f"{moment:%d %b %Y %H:%M}"
        return f"{moment.astimezone(zone_of(self.time_zone)):%d %b %Y %H:%M} ({self.time_zone})"

    def either(self, name: str) -> str:
        """`a, b, c` as `a, b or c`."""
        head, _, last = self(name).rpartition(", ")
        return f"{head} or {last}" if head else last

    def and_problem(self) -> str:
        """Where a group could not be learnt, that may be the whole reason."""
        problem = self("problem", length_max=_WORDS_LENGTH_MAX)
        return f" Not all of its members are known just now: {_sentence(problem)}" if problem else ""


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?…" else f"{text}."


def refusal(refused: Refused, *, command: str = "/prodaccess", time_zone: str = "UTC") -> str:
    """What is wrong, and what to do next. `time_zone` is the reader's, by its IANA name."""
    said = [sentence_of(one, command=command, time_zone=time_zone) for one in (refused, *refused.also)]
    # One of several that were asked for in one go: all of them or none.
    return " ".join([*dict.fromkeys(said), *(["Nothing of it was asked for."] if "part" in refused.params else [])])


def sentence_of(refused: Refused, *, command: str = "/prodaccess", time_zone: str = "UTC") -> str:
    """The same of this one slip alone."""
    case = _Case(refused.params, command, time_zone)
    void = refused.params.get("what") == "void"
    sentence = _no_longer_stands(refused.code, case) if void else _SENTENCES[refused.code](case)
    return f"{case('part')}: {sentence}" if case("part") else sentence


def about(refused: Refused, who: str) -> Refused:
    """The same for readers who are not whom it is about. A refusal that names somebody is about them already."""
    return refused if "who" in refused.params else replace(refused, params={**refused.params, "who": who})


# ---------------------------------------------------------------- an approval that stands no more


def _no_longer_stands(code: Code, c: _Case) -> str:
    """Of a decision that was looked at again before anything was given: nobody who reads it is meant."""
    why = _WHY_VOID.get(code, _not_so_any_more)(c)
    return f"{why[:1].upper()}{why[1:]}, so the approval no longer stands."


def _not_so_any_more(_: _Case) -> str:
    return "what it rested on is not so any more"


def _may_not_approve(c: _Case) -> str:
    if c("rule"):
        return f"the rule '{c('rule')}' does not allow it any more"
    return f"{c.who} may not approve it any more" if c.who else "too few of those who agreed may still approve it"


_WHY_VOID: dict[Code, Callable[[_Case], str]] = {
    Code.PERSON_UNKNOWN: lambda c: f"nobody knows {c.who or 'somebody whom it rested on'} any more",
    Code.PERSON_DEACTIVATED: lambda c: f"{c.who or 'a'}'s account is deactivated",
    Code.PERSON_GUEST: lambda c: f"{c.who or 'somebody'} is a guest by now",
    Code.PERSON_BOT: lambda c: f"{c.who or 'somebody'} is a bot",
    Code.PERSON_FOREIGN: lambda c: f"{c.who or 'somebody'} belongs to another organisation by now",
    Code.PERSON_NO_ADDRESS: lambda c: f"{c.who or 'somebody'} has no address of this company any more",
    Code.PERSON_ODD: lambda c: f"the chat's record of {c.who or 'somebody'} cannot be read",
    Code.PERSON_SUSPENDED: lambda c: f"the rights of {c.who or 'somebody'} are on hold",
    Code.NOT_AN_APPROVER: _may_not_approve,
    Code.OWN_REQUEST: lambda c: f"it is {c.who or 'an approver'}'s own",
    Code.VOTE_NOT_PROVED: lambda c: vote_not_proved(c("why"), c.who or "somebody"),
    Code.TERMS_CHANGED: lambda _: "the role has changed since it was approved",
    Code.NO_LONGER_A_REQUESTER: lambda c: f"{c('name', 'somebody')} is in none of {c.either('groups')} any more",
    Code.LONGER_THAN_ALLOWED: lambda c: f"by now the policy gives it for {c.duration('max_s')} at most",
    Code.ROLE_UNKNOWN: lambda _: "the policy no longer has this role",
    Code.GATE_UNKNOWN: lambda _: "the policy no longer has this gate",
    Code.TICKET_CLOSED: lambda c: f"{c('ticket', 'its ticket')} is closed by now",
    Code.TICKET_ABSENT: lambda c: f"there is no ticket {c('ticket', 'of that number')} any more",
    Code.TARGET_USER_BOUND: lambda c: f"the {c.provider} user is {c('name', 'another person')}'s by now",
    Code.BREAK_GLASS_NOT_ALLOWED: lambda c: f"{c.who or 'the person'} may not use break-glass for it any more",
}


# ---------------------------------------------------------------- sentences that need a thought


def _on_hold(c: _Case) -> str:
    if c("why") in (SECOND_CHAT, DISOWNED):
        return _new_in_this_chat(c)
    why = {
        "address_changed": f"its address was changed{_to(c)}, which makes it look like somebody else's",
        "new_account": f"it has an address{_to(c)} that belongs to another account",
        "closed": f"its address{_to(c)} is somebody else's by now",
    }.get(c("why"), "nobody is sure whose it is")
    if c.who:
        return f"The account of {c.who} is on hold: {why}. Security says whose it is: {c.typed('person confirm WHO REASON')}."
    if c("why") == "new_account":
        # It is nobody's yet, so there is nothing that it could look at or give back.
        return (
            f"Your account is on hold: {why}. It can do nothing here until security has said whose it is: ask them to type"
            f" {c.typed('person confirm @you REASON')}."
        )
    return (
        f"Your account is on hold: {why}. You can look, deny, take back requests and give back access, and nothing else, until"
        f" security has said that it is yours: ask them to type {c.typed('person confirm @you REASON')}."
    )


def _new_in_this_chat(c: _Case) -> str:
    """The account is nobody's yet. Whoever it claims to be has another one in another chat, and does there what they did."""
    security = f"security can say whose it is: {c.typed('person confirm WHO REASON')}"
    chats = " or ".join(map(chat_name, c("asked_in").split())) or "another chat"
    if c.who and c("why") == SECOND_CHAT:
        return (
            f"{c.who} has not acted in this chat yet, or has not said in {chats} that this account is theirs. Until then name"
            f" them by their address, or {security}."
        )
    if c.who:
        theirs = "whoever has its address says that it is not theirs"
        return f"The account of {c.who} in this chat is on hold: {theirs}. Only {security}."
    if c("why") == SECOND_CHAT:
        return (
            f"Your account in this chat is on hold: its address{_to(c)} belongs to an account in {chats}, which was asked whether"
            f" this is you. Open my messages in {chats}, and press Yes. Until then you can do nothing here, and everything there"
            " as before: look, ask, deny, take back requests, give back and revoke access. If you cannot answer there,"
            f" {security}."
        )
    return (
        f"Your account in this chat is on hold: whoever has its address{_to(c)} says that it is not theirs. Until"
        f" security has said whose it is you can do nothing here: ask them to type {c.typed('person confirm @you REASON')}."
    )


def _nothing_to_confirm(c: _Case) -> str:
    if c("asked") == "over":
        return "You are asked this no more: security says now whose that account is."
    if c("asked"):
        return "That account is on hold no more, so there is nothing left to answer."
    return f"No account of {c('name', 'theirs')} is on hold, so there is nothing to confirm."


def _hold_changed(c: _Case) -> str:
    if c("asked"):
        return "Something about that account has changed since you were asked, so your answer was not taken."
    return f"Something about this account has changed since that was shown. Look again: {c.typed('person confirm WHO REASON')}."


def _to(c: _Case) -> str:
    return f" ({c('address')})" if c("address") else ""


def _near(c: _Case, what: str, where: str, then: str) -> str:
    guess = f" Did you mean {c.either('near')}?" if c("near") else (f" I know {c('known')}." if c("known") else "")
    return f"There is no {what} `{c('name')}`{where}.{guess}{then}"


def _environment_unknown(c: _Case) -> str:
    return _near(c, "environment", "", f" {c.typed('envs')} lists all.")


def _role_unknown(c: _Case) -> str:
    where = f" in {c('environment')}" if c("environment") else ""
    then = "" if c("near") or c("known") else f" {c.typed('envs')} lists what there is."
    return _near(c, "role", where, then)


def _duration_too_long(c: _Case) -> str:
    how = " in a break-glass" if c("what") == "break-glass" else ""
    if c("what") == "certify":
        return f"Owners get {c.duration('max_s')} at most to answer; {c.duration('asked_s')} is too long."
    return (
        f"{c('role', 'This role')} in {c('environment', 'this environment')} is given for {c.duration('max_s')} at most{how}; "
        f"you asked for {c.duration('asked_s')}."
    )


def _reason_missing(c: _Case) -> str:
    if c("gate") and c("what") != "gate":
        return "Say what changes, so that its owners know what they decide on: `--change TEXT`."
    if c("what") == "flag":
        return (
            f"Say what was not right, so that it can be followed up: {c.typed('flag ' + c('id', 'PA-1042') + ' NOTE')}."
        )
    if c("what") == "lift":
        return f"Say why it may be lifted: {c.typed('lift WHO REASON')}."
    if c("what") in ("break-glass", "gate"):
        access = f"{c('environment')} {c('role')} {c.duration('asked_s') if c('asked_s') else ''}"
        given = f"break-glass {c('id', 'PA-1042') if c('gate') else access}"
        return f"Say what the emergency is: {c.typed(f'{given.strip()} REASON')}."
    if c("what") == "deny":
        return f"Say why you deny it, so that the person knows what to do: {c.typed('deny ' + c('id', 'PA-1042') + ' REASON')}."
    if c("what") == "certify" and c("numbers"):
        why = "goes" if c("said") == "remove" else "stays, because something speaks against it"
        return f"Say why it {why}: {_numbers(c)}."
    if c("environment"):
        given = f"{c('environment')} {c('role')} {c.duration('asked_s') if c('asked_s') else ''}"
        typed = c.typed(f"{given.strip()} REASON")
        return f"Say why you need it: {typed}."
    return "Say why, in a few words."


def _ticket_missing(c: _Case) -> str:
    shown = f"like `{like(c('pattern'), c('example'))}`"
    if c("gate"):
        given = f"`{c('given', length_max=60)}` is no ticket here. " if c("given") else ""
        return f"{given}The gate {c('gate')} wants a ticket {shown}. Put it into the words of the change."
    if c("given"):
        return f"`{c('given', length_max=60)}` is no ticket here. One is needed {shown}."
    return f"A ticket is needed, {shown}. Put it into the reason, or into its own field."


def _command_unreadable(c: _Case) -> str:
    if c("usage"):
        return f"It goes like this: {c.typed(c('usage'))}. {c.typed('help')} shows what I understand."
    guess = f" Did you mean {c.either('near')}?" if c("near") else ""
    what = f"I do not know `{c('word')}`." if c("word") else "I could not read that."
    return f"{what}{guess} {c.typed('help')} shows what I understand."


def _after(why: str) -> str:
    return f": {why.rstrip('.')}" if why else ""


def _nobody_can_approve(c: _Case) -> str:
    whom, besides = (c("for"), f"you and {c('for')}") if c("for") else (c.you("you", "{}"), c.you("yourself", "{}"))
    return (
        f"Nobody could approve {c('role', 'this role')} in {c('environment', 'this environment')} for {whom}: there "
        f"are not enough people in "
        f"{c.either('groups') or 'its owners'} besides {besides}.{c.and_problem()} Whoever maintains the policy can add somebody."
        f"{_in_an_emergency(c)}"
    )


def _own_request(c: _Case) -> str:
    can = f" {c('can', length_max=_WORDS_LENGTH_MAX)}" if c("can") else ""
    if c("asker"):
        return f"{c('asker')} asked for this for you, so somebody else has to approve it.{can}"
    if c("opened"):
        return f"You opened this gate yourself, so it is for its owners to call that off.{can}"
    if c("began"):
        return f"You began this run yourself (started it, ran it again, or pushed), so somebody else has to decide on it.{can}"
    return f"You asked for this yourself, so somebody else has to approve it.{can}"


def _own_review(c: _Case) -> str:
    whose = {"opened": "You opened this gate yourself", "began": "You began this run yourself"}
    said = next((words for name, words in whose.items() if c(name)), f"{c('id', 'This')} was yours")
    return f"{said}, so somebody else has to review it: an owner, or security."


_NOW_WHAT = {
    "": "I will look again automatically, and answer here.",
    "gave_up": "I tried for some minutes and could not find out, so nothing was done. Please try again.",
    "no_form": "Nothing was done. Please try again in a minute.",
    "not_here": "A worker will find out when somebody asks for access in chat.",
}


def _not_known_yet(c: _Case) -> str:
    what = f"who is in {_and(c('groups'))}" if c("groups") else c("what", "who may do this")
    why = c("why", length_max=_WORDS_LENGTH_MAX)
    return f"I do not know yet {what}{_after(why)}. {_NOW_WHAT.get(c('then'), _NOW_WHAT[''])}"


def _and(names: str) -> str:
    head, _, last = names.rpartition(", ")
    return f"{head} and {last}" if head else last


def _not_a_requester(c: _Case) -> str:
    return (
        f"{c('role', 'This role')} in {c('environment', 'this environment')} can be asked for by members of "
        f"{c.either('groups') or 'no group yet'}, and {c.you('you are', '{} is')} not one of them.{c.and_problem()} "
        f"{c.you('Ask its owners to add you', 'Its owners can add {}')}."
    )


def _not_an_approver(c: _Case) -> str:
    who = c("others", length_max=_WORDS_LENGTH_MAX)
    who = who or (f"members of {c.either('groups')}" if c("groups") else "its owners")
    return f"Only {who} can decide this, and you are not among them.{c.and_problem()}"


def _break_glass_not_allowed(c: _Case) -> str:
    if c("gate") and not c("groups"):
        return (
            f"The policy does not let anybody open the gate {c('gate')} of {c('environment', 'this environment')} alone, in an "
            "emergency either. Its card says who can approve it."
        )
    place, role = c("environment", "this environment"), c("role", "this role")
    asks = f"Ask for it as usual: {c.typed(f'{place} {role} REASON')}." if c("environment") else "Ask for it as usual."
    asks = "" if c.who or c("gate") else f" {asks}"
    if not c("groups"):
        return f"The policy allows nobody to use break-glass (emergency access) in {place}.{asks}"
    return (
        f"In {place} only members of {c.either('groups')} can use break-glass (emergency access), and "
        f"{c.you('you are', '{} is')} not one of them.{c.and_problem()}{asks}"
    )


def _break_glass_barred(c: _Case) -> str:
    who = f"Somebody of {c('groups')}" if c("groups") else "Security"
    what = "ask as usual, or call" if c("asks") else "call"
    then = "" if c.who else f" Until then, {what} one of the owners."
    return (
        f"{c.you('You', '{}')} cannot use break-glass at the moment: "
        f"{_sentence(c('why', 'security looks into an earlier one'))} "
        f"{who} can lift that: {c.typed('lift WHO REASON')}.{then}"
    )


def _not_a_reviewer(c: _Case) -> str:
    who = f"members of {c.either('groups')}" if c("groups") else "its owners"
    return f"Only {who} can review {c('id', 'this')}, and you are not among them.{c.and_problem()}"


def _reviewed(c: _Case) -> str:
    by = f" by {c('by')}" if c("by") else ""
    return f"The review of {c('id', 'it')} is done: it was {c('state', 'reviewed')}{by}. Nothing was changed."


def _not_security(c: _Case) -> str:
    who = f"members of {c.either('groups')}" if c("groups") else "the panic group, which the policy does not name"
    return f"Only {who} can do that. Ask one of them."


def _not_yours(c: _Case) -> str:
    if c("what") == "extend":
        return "Only the person who has it, or who asked for it, can ask for more time. Ask them."
    if c("gate"):
        return "Only its pipeline takes this back, when the run is over. Whoever may approve it can deny it."
    if not c("groups"):
        return "Only the person who asked for it can take it back. Ask them."
    return f"Only the person who has it or somebody of {c.either('groups')} can do that. Ask one of them."


_STATES = {
    "pending": "has not been approved yet",
    "approved": "was approved",
    "let_on": "was approved",
    "went_on": "was approved, and its run went on",
    "broken": "was a break-glass, which nobody approves",
    "opened": "was opened in an emergency",
    "opened_and_went_on": "was opened in an emergency, and its run went on",
    "active": "is active",
    "denied": "was denied",
    "not_given": "was not given",
    "withdrawn": "was withdrawn",
    "declined": "was declined",
    "expired": "has expired: it was not decided in time. The person can ask again",
    "ended": "has ended",
    "revoked": "was revoked",
    "activation_failed": "was not given",
    "revoking": "is being removed already",
    "scheduled": "was approved already",
    "activating": "is still being set up",
}


def _decided(c: _Case) -> str:
    by = f" by {c('by')}" if c("by") else ""
    state = _STATES.get(c("state"), "was decided")
    later = " It begins at its own time." if c("state") == "scheduled" else ""
    return f"{c('id', 'It')} {state}{by}.{later} Nothing was changed."


def _person_unknown(c: _Case) -> str:
    if c("mentioned"):
        return f"{c('name')} has never used me, so I do not know what they may do. I know it as soon as they have."
    if c.who:
        return f"I do not know the account of {c.who}."
    if c("name"):
        return f"I know nobody called {c('name')}. Mention the person with @, or give their whole address."
    return "I do not know this account. Sign in with your work account, or ask an administrator."


def _grant_over(c: _Case) -> str:
    if c("what") == "extend":
        return f"{c('id', 'It')} {_STATES.get(c('state'), 'is over')}. There is nothing to extend{_again(c)}."
    return f"{c('id', 'It')} {_STATES.get(c('state'), 'is over')}. There is nothing to end."


def _again(c: _Case) -> str:
    return "" if c("state") in ("pending", "approved", "activating") else "; you can ask for it again"


def _role_changed(c: _Case) -> str:
    role = c("role", "The role")
    if c("what") == "start":
        again = c.you(" Ask again, so that somebody looks at it.", "")
        return f"{role} now gives something else than what was agreed to.{again}"
    what = f"{role} now gives something else than {c('id', 'that access')} does, so {c('id', 'it')} cannot be extended."
    return f"{what}{c.you(' Ask for the role again when it has ended.', '')}"


def _total_too_long(c: _Case) -> str:
    left = (
        f"{c.duration('left_s')} more can be asked for" if c("left_s", "0") != "0" else "so there is no more to ask for"
    )
    return (
        f"{c('role', 'This role')} in {c('environment', 'this environment')} is given for {c.duration('max_s')} at most with all "
        f"extensions, and {c('id', 'this')} would last {c.duration('asked_s')}: {left}."
    )


def _freeze(c: _Case) -> str:
    why = _sentence(c("reason", "changes are frozen"))
    if c("gate"):
        return f"The gate {c('gate')} is shut until {c.time('until')}: {why}"
    if c("id"):
        stays = "It waits. It can still be denied or taken back."
        return f"{c('id')} cannot be approved before {c.time('until')}: {why} {stays}{_in_an_emergency(c)}"
    return f"No access is given here until {c.time('until')}: {why}{_in_an_emergency(c)}"


def _id_unknown(c: _Case) -> str:
    if "before" not in c.params:
        return f"There is no {c('id', 'such id')}. {c.typed('mine')} lists yours."
    older = (
        f"What was closed and is older than {c('before', 'that')} is in the archive: an operator reads it with"
        " `prodaccess show`."
    )
    return f"There is no {c('id', 'such id')} in the record. {older}"


def _gate_unknown(c: _Case) -> str:
    known = f" There is {c.either('known')}." if c("known") else " Its owners can add one to `gates` in its file."
    return f"There is no gate `{c('name', 'of this name', length_max=60)}` in {c('environment', 'this environment')}.{known}"


def _outside_hours(c: _Case) -> str:
    if c("gate") or c("role").startswith(GATE):
        gate = c("gate") or c("role").removeprefix(GATE).partition("+")[0]
        later = f" Approve {c('id')} then; it can still be denied." if c("id") else ""
        return f"The gate {gate} is open {window_of(c.params)} only{_opens(c)}.{later}"
    given = f"{c('role', 'This role')} is given {window_of(c.params)} only{_opens(c)}."
    if c("id"):
        return f"{given} Approve {c('id')} then; it can still be denied or taken back.{_in_an_emergency(c)}"
    return f"{given}{c.you(' Ask again then, or for then.', '')}{_in_an_emergency(c)}"


def window_of(params: Mapping[str, str]) -> str:
    """`Mon to Fri 08:00 to 18:00 (Europe/Berlin)`; as of an older version, which said no days, where that is all there is."""
    days = [int(day) for day in params.get("days", "").split(",") if day.isascii() and day.isdigit() and int(day) < 7]
    if not days:
        return f"from {params.get('window') or 'some hours to others'}"
    return in_words(days, params.get("from", ""), params.get("to", ""), params.get("zone", "UTC"))


def _opens(c: _Case) -> str:
    try:
        opens, now = (datetime.fromisoformat(c.params[name]) for name in ("opens", "now"))
    except (KeyError, ValueError):
        return ""
    return f"; it opens {opens_words(opens, c('zone', 'UTC'), c.time_zone, now)}"


def _in_an_emergency(c: _Case) -> str:
    # Another one's way out is no use to the reader.
    way = c("break_glass") if not c.who else ""
    return f" In an emergency: {c.typed('break-glass ' + way + ' REASON')}." if way else ""


def _ticket_used(c: _Case) -> str:
    if not c("ids"):
        return f"{c('ticket', 'This ticket')} would stand behind all of them, and {_requests(c)} for one ticket."
    return (
        f"{c('ticket', 'This ticket')} stands behind {_and(c('ids'))} already, and {_requests(c)} "
        "for one ticket. Use another ticket, or take back one of these that still waits."
    )


def _ticket_not_verified(c: _Case) -> str:
    why = c("why", "nobody could tell whether it is open", _WORDS_LENGTH_MAX)
    return (
        f"I could not verify `{c('ticket', 'the ticket')}`: {_sentence(why)} Here a ticket has to be open, so nothing was asked "
        "for. Please ask again in a minute."
    )


def _too_many_pending(c: _Case) -> str:
    count = len(c("ids").split(", ")) if c("ids") else 0
    if c("more"):
        return (
            f"{c('more')} more would be {count + int(c('more'))} requests waiting, and {c('max', '10')} is the maximum. "
            "Ask for fewer, or take back what you no longer need."
        )
    return f"You have {c('max', 'too many')} requests waiting. Take one back first: {c.typed('withdraw ' + _first(c('ids')))}."


def _requests(c: _Case) -> str:
    return "one is the maximum" if c("max") == "1" else f"{c('max', 'so many')} is the maximum"


def _not_reduced(c: _Case) -> str:
    if c("why") == "risk":
        return (
            f"{c('role', 'That role')} is not less than {c('asked', 'what was asked')}. A role of less risk in the same "
            "environment is, or the same role for a shorter time."
        )
    if c("why") == "least":
        return f"{c('id', 'This')} asks for the least there is here. Approve it, or deny it and say what you would approve."
    if c("why") == "requester":
        return f"{c('holder', 'The person')} may not ask for {c('role', 'that role')}, so it cannot be given instead."
    return f"{c('id', 'This')} asks for {c.duration('asked_s')}. Say a shorter time, or a role of less risk."


def _already(c: _Case, what: str) -> str:
    return f"{what}: {c('id', 'PA-1042')}. {c.typed('show ' + c('id', 'PA-1042'))} shows it."


def _no_user(c: _Case) -> str:
    address, where = c("address", "of this person"), c("where", c.provider)
    if c("setting"):
        return (
            f"In {where} {address} is a user name and nobody's e-mail address, which alone counts. Ask its administrators to "
            f"add it as an e-mail address, or whoever maintains the policy to set `{c('setting')}` on the connection "
            f"{c('connection')}."
        )
    if c("disabled"):
        return (
            f"{c.you('Your user', 'The user of {}')} in {where} ({c('disabled')}) is disabled. Its administrators can enable it, "
            "or, where there is another one by now, delete it."
        )
    return f"There is no user with the address {address} in {where}. Ask its administrators to add one."


def _no_room(c: _Case) -> str:
    sizes = f" ({c('needed')} characters are needed, {c('left')} are left)" if c("needed") and c("left") else ""
    user, piece, pieces = c.spoken(USER, "user"), c.spoken(PIECE, "right"), c.spoken(PIECES, "rights")
    return f"The {user} has no room for another {piece}{sizes}. An administrator has to remove one of its {pieces}."


_UNFIT = {
    "person_guest": "guests decide nothing",
    "person_bot": "bots decide nothing",
    "person_deactivated": "the account is deactivated",
    "person_foreign": "they belong to another organisation",
    "person_odd": "the chat's record of their account cannot be read",
    "person_no_address": "their profile has no address of this company",
}

_SENTENCES: dict[Code, Callable[[_Case], str]] = {
    Code.PERSON_UNKNOWN: _person_unknown,
    Code.PERSON_DEACTIVATED: lambda c: c.you(
        "This account is deactivated, so it can do nothing here.",
        "The account of {} is deactivated, so it can do nothing here.",
    ),
    Code.PERSON_DISABLED: lambda c: f"{c('name', 'Somebody')}'s account is gone from the chat.",
    Code.PERSON_GUEST: lambda c: c.you(
        "Guests cannot ask for access or decide about it. Ask a full member of the workspace to do it.",
        "{} is a guest, and guests cannot ask for access.",
    ),
    Code.PERSON_ODD: lambda c: c.you(
        "Something in the chat's record of your account cannot be read, so I cannot tell what you may do. "
        "Ask an administrator to look at it.",
        "Something in the chat's record of the account of {} cannot be read, so I cannot tell what they may do.",
    ),
    Code.PERSON_BOT: lambda c: c.you(
        "Bots and workflows cannot ask for access or decide about it. A person has to.",
        "{} is a bot, and bots cannot ask for access.",
    ),
    Code.PERSON_FOREIGN: lambda c: c.you(
        "You belong to another organisation, so you can do nothing here. Ask somebody of this one.",
        "{} belongs to another organisation, and can do nothing here.",
    ),
    Code.PERSON_NO_ADDRESS: lambda c: c.you(
        "Your profile here has no address of this company, so I cannot tell who you are. Ask an administrator to set it.",
        "The profile of {} here has no address of this company, so I cannot tell who that is.",
    ),
    Code.PERSON_SUSPENDED: _on_hold,
    Code.PARTY_ON_HOLD: lambda c: (
        f"{c('name', 'Somebody')}'s account is on hold, so {c('id', 'this')} waits: nobody can approve it until security has"
        f" said whose the account is ({c.typed('person confirm WHO REASON')}). It can still be denied."
    ),
    Code.VOTE_NOT_PROVED: lambda c: (
        f"{c('id', 'It')} was not given: {vote_not_proved(c('why'), c.who or 'somebody')}. Ask again."
    ),
    Code.COUNTS_AS_VOTER: lambda c: (
        f"{c('name', 'Somebody')} agreed already, and the two of you count as one person until security has said whose an account"
        f" is that is on hold ({c.typed('person confirm WHO REASON')}). Somebody else has to agree, too."
    ),
    Code.PERSON_BLOCKED: lambda c: (
        f"{_sentence(c('why', 'All access was revoked'))} {c.you('You', '{}')} can ask again from {c.time('until')}, or "
        f"earlier when {c('groups', 'the panic group')} lifts it."
    ),
    Code.NOTHING_TO_REVOKE: lambda c: (
        f"{c('name', 'That')} has no open access and no waiting request, so there is nothing to revoke."
    ),
    Code.NOTHING_TO_REPEAT: lambda c: (
        f"You have asked for nothing yet that could be asked for again. {c.typed('envs')} lists what there is."
    ),
    Code.FACTS_STALE: lambda _: (
        "I could not check who may do this just now, so nothing was done. Try again in a minute."
    ),
    Code.NOT_KNOWN_YET: _not_known_yet,
    Code.ENVIRONMENT_UNKNOWN: _environment_unknown,
    Code.ROLE_UNKNOWN: _role_unknown,
    Code.DURATION_UNREADABLE: lambda c: (
        f"I cannot read `{c('text', 'that')}` as a duration. I understand `45s`, `90m`, `1 h 30 min` and `2d`. "
        "If it is part of the reason, begin the reason with another word."
    ),
    Code.DURATION_ZERO: lambda _: "A duration of zero gives no access. Ask for `30m`, or as long as you need.",
    Code.DURATION_TOO_LONG: _duration_too_long,
    Code.REASON_MISSING: _reason_missing,
    Code.REASON_TOO_LONG: lambda c: (
        f"The reason has {c('length', 'too many')} characters, and {c('max', '500')} is the maximum. Please shorten it."
    ),
    Code.TICKET_MISSING: _ticket_missing,
    Code.ID_UNREADABLE: lambda c: (
        f"I cannot read `{c('text', 'that')}` as an id. Ids look like `PA-1042`; {c.typed('pending')} lists what waits."
    ),
    Code.ID_UNKNOWN: _id_unknown,
    Code.COMMAND_UNREADABLE: _command_unreadable,
    Code.TICKET_USED: _ticket_used,
    Code.PIPELINE_NOT_ALLOWED: lambda c: c("why", "The policy does not let this pipeline ask.", length_max=500),
    Code.TERMINAL_NOT_ALLOWED: lambda c: (
        "Chat can be reached, so I open nothing from a terminal: break the glass there, where people see it."
        if c("why") == "chat"
        else f"From a terminal nobody lets themselves into {c('role', 'this role')} of {c('environment', 'this environment')}: "
        "`when_chat_is_down` of the policy does not name it."
    ),
    Code.TOKEN_USED: lambda _: "This token was used before, and is taken once. Take a new one, and ask again.",
    Code.GATE_UNKNOWN: _gate_unknown,
    Code.GATE_TOO_MANY: lambda c: (
        f"This pipeline has asked {c('max')} times within {c('minutes')} minutes, and that is the maximum. Try again later."
        if c("minutes")
        else f"This pipeline has {c('max', '10')} asks that wait already, and that is the maximum. Let them end first."
    ),
    Code.GATE_STARTER_UNKNOWN: lambda c: (
        f"Nobody knows who {c.either('parts') or 'started'} this run. The gate {c('gate', 'of this environment')} is for runs of"
        " people whose ids stand in the policy's `people`. Add them there, or start the run by hand."
    ),
    Code.GATE_NOBODY: lambda c: (
        f"Nobody can let this run on: in {c.either('groups') or 'the groups of the gate'} there are too few people who did not"
        " begin it. Owners can add somebody, or somebody else can start the run."
    ),
    Code.GATE_CHANGED: lambda _: (
        "The gate asks for other people by now, or somebody turned out to have begun the run. Ask again."
    ),
    Code.GATE_NOT_DECIDED: lambda c: f"{c('id', 'This')} is not decided yet.",
    Code.GATE_LOOKED_AT_AGAIN: lambda _: "The approval is looked at once more before it is given out. That takes seconds.",
    Code.GATE_OTHER_RUN: lambda c: (
        f"{c('id', 'This approval')} is for another commit, run, attempt or job than this one. Ask for this one."
    ),
    Code.GATE_USED: lambda c: f"{c('id', 'This approval')} was used already. It is for one run, once: ask again for another one.",
    Code.GATE_OVER: lambda c: f"{c('id', 'This')} is over, and nothing of it can be used any more. Ask again.",
    Code.NOT_A_GATE: lambda c: (
        f"{c('id', 'This')} is no pipeline that waits. Access in an emergency is asked for by its name: "
        f"{c.typed('break-glass ' + c('environment', 'ENV') + ' ' + c('role', 'ROLE') + ' REASON')}."
    ),
    Code.GATE_NOT_LESS: lambda c: f"{c('id', 'This')} lets a pipeline on or does not: there is nothing less to approve.",
    Code.TICKET_CLOSED: lambda c: f"The ticket `{c('ticket', 'of this ask')}` is closed. Ask with one that is open.",
    Code.TICKET_ABSENT: lambda c: f"There is no ticket `{c('ticket', 'of this number')}`. Look at its number, and ask again.",
    Code.TICKET_NOT_VERIFIED: _ticket_not_verified,
    Code.FREEZE: _freeze,
    Code.OUTSIDE_HOURS: _outside_hours,
    Code.NOT_A_REQUESTER: _not_a_requester,
    Code.HOLDER_UNFIT: lambda c: (
        f"{c('name', 'This account')} cannot have access: it is not the account of a full member of this workspace."
    ),
    Code.HOLDER_BLOCKED: lambda c: (
        f"{c('name', 'This person')} may not ask for anything just now, and nobody else can for them. Security can tell why."
    ),
    Code.NOT_THE_HOLDER: lambda c: (
        f"Only the person for whom somebody else asked can decline {c('id', 'it')}."
        f" Whoever asked takes it back: {c.typed('withdraw ' + c('id', 'PA-1042'))}."
    ),
    Code.NO_LONGER_A_REQUESTER: lambda c: (
        f"{c('name', 'The person')} is in none of {c.either('groups') or 'the groups that may ask'} any more, so "
        f"{c('id', 'this')} cannot be approved. It waits, and can be denied."
    ),
    Code.LONGER_THAN_ALLOWED: lambda c: (
        f"{c('id', 'This')} asks for {c.duration('asked_s')}, and by now the policy gives it for {c.duration('max_s')} at most. "
        f"Approve it for less: {c.typed('less ' + c('id', 'ID') + ' DURATION')}."
    ),
    Code.NOT_AN_APPROVER: _not_an_approver,
    Code.OWN_REQUEST: _own_request,
    Code.NOT_YOURS: _not_yours,
    Code.NOBODY_CAN_APPROVE: _nobody_can_approve,
    Code.BREAK_GLASS_NOT_ALLOWED: _break_glass_not_allowed,
    Code.BREAK_GLASS_OTHER_ROLE: lambda c: (
        f"In {c('environment', 'this environment')} break-glass is for {c.either('roles') or 'some roles'} only."
        f"{c.you(' Take one of these.', '')}"
    ),
    Code.BREAK_GLASS_TOO_OFTEN: lambda c: (
        f"{c.you('You', '{}')} used break-glass in {c('environment', 'this environment')} {_times(c)} within 24 hours, which "
        f"is the maximum. It is possible again from {c.time('until')}."
        f"{c.you(' Until then, ask as usual, or call one of the owners.', '')}"
    ),
    Code.BREAK_GLASS_BARRED: _break_glass_barred,
    Code.NO_REVIEW: lambda c: (
        f"{c('id', 'That')} needs no review: it was not a break-glass. {c.typed('show ' + c('id', 'PA-1042'))} shows what it was."
    ),
    Code.OWN_REVIEW: _own_review,
    Code.NOT_A_REVIEWER: _not_a_reviewer,
    Code.REVIEWED: _reviewed,
    Code.NOT_SECURITY: _not_security,
    Code.LEAVERS_OVER: lambda _: "Nothing waits for an answer there any more: look at its card.",
    Code.LEAVERS_CHANGED: lambda _: "The list of people has changed since: look at its card again, and then press.",
    Code.POLICY_CHANGE_OVER: lambda _: "This change of the policy waits no more: look at its card.",
    Code.POLICY_CHANGE_SAID: lambda c: f"Agreed already: it waits for {c('missing', 'others')}.",
    Code.DRIFT_OVER: lambda _: "Nobody has to decide this any more: look at its card.",
    Code.DRIFT_NOT_NOW: lambda _: (
        "Nothing is taken away while the record itself or its clock is in doubt. Press again once that is settled."
    ),
    Code.OWN_DRIFT: lambda _: "Some of this access is yours, so somebody else of security has to say that it stays.",
    Code.CERTIFICATION_OVER: lambda _: "This is not asked any more: the certification is closed, or there is no such card.",
    Code.CERTIFICATION_OPEN: lambda c: (
        f"{'Certification ' + c('number') if c('number') else 'A certification'} is still open"
        f"{' for ' + c('environments') if c('environments') else ''}. "
        "Let it come to its end, or close it: prodaccess certify close."
    ),
    Code.CERTIFICATION_ITEMS: lambda _: "Say which ones: the numbers that stand on the card.",
    Code.NOT_A_CERTIFIER: lambda c: (
        f"Only {'members of ' + c.either('groups') if c('groups') else 'its owners'} can answer for "
        f"{c('environment', 'this environment')}. Ask one of them."
    ),
    Code.OWN_CERTIFICATION: lambda c: (
        f"{_numbers(c).capitalize()} {'are' if ',' in c('numbers') else 'is'} about you, so somebody else has to answer there: "
        "another owner, or security. Leave that out, and send the others."
    ),
    Code.OWN_BAR: lambda _: "You cannot lift this for yourself. Ask somebody else of security.",
    Code.OWN_ACCOUNT: lambda _: "You cannot confirm an account of your own. Ask somebody else of security.",
    Code.NOT_ASKED: lambda c: (
        f"Only {c('name', 'whoever has that address')} can answer this, by the account that was theirs before. Security can"
        f" say it, too: {c.typed('person confirm WHO REASON')}."
    ),
    Code.NOTHING_TO_CONFIRM: _nothing_to_confirm,
    Code.CONFIRMED_ALREADY: lambda c: (
        f"{'You have' if c('own') else c('by', 'Somebody') + ' has'} said that already. A second person has to say the same: for"
        " this account one person is not enough."
    ),
    Code.HOLD_CHANGED: _hold_changed,
    Code.HELD_UNFIT: lambda c: (
        f"{c('name', 'This account')} can do nothing here now: {_UNFIT.get(c('why'), 'the account may do nothing here')}. So"
        " there is nothing to confirm. Should that change, the account is still on hold: say it then."
    ),
    Code.ADDRESS_GIVEN_AWAY: lambda c: (
        f"{c('address', 'The address')} is somebody else's by now, so this account cannot be the same person with it."
        " Once the account has an address of its own, say it again."
    ),
    Code.NOTHING_TO_LIFT: lambda c: f"Nothing is blocked for {c('name', 'this person')}, so there is nothing to lift.",
    Code.TOO_MANY_PENDING: _too_many_pending,
    Code.SEVERAL_BOTH: lambda _: (
        "Ask for several roles in one environment, or for one role in several environments, but not both at once."
    ),
    Code.SEVERAL_TOO_MANY: lambda c: (
        f"You asked for {c('count', 'too many')} at once, and {c('max', '10')} is the maximum. Ask for some of them first."
    ),
    Code.ALREADY_ASKED: lambda c: _already(c, "This is asked for already"),
    Code.ALREADY_VOTED: lambda c: (
        f"You have agreed to {c('id', 'this')} already. Somebody else has to agree, too."
    ),
    Code.DELEGATE_NOT_AN_OWNER: lambda _: (
        "You approve nothing, so there is nothing that somebody could decide in your place."
    ),
    Code.DELEGATE_YOURSELF: lambda c: (
        f"Name somebody else: {c.typed('delegate @NAME until fri')}. You decide for yourself as long as you name nobody."
    ),
    Code.DELEGATE_UNFIT: lambda c: (
        f"{c('name', 'This account')} cannot decide in your place: {_UNFIT.get(c('code'), 'the account may do nothing here')}. "
        "Name a full member of the workspace."
    ),
    Code.DELEGATE_UNTIL_UNREADABLE: lambda c: (
        f"Until when? {'I cannot read ' + chr(96) + c('text') + chr(96) + ' as a day. ' if c('text') else ''}"
        f"Say it like {c.typed('delegate @NAME until fri')}; I also read `tomorrow`, `3d`, `24.12.` and `2026-12-24`."
    ),
    Code.DELEGATE_PAST: lambda c: (
        f"{c('text', 'That day')} is in the past. Name a later day: {c.typed('delegate @NAME until fri')}."
    ),
    Code.DELEGATE_TOO_LONG: lambda c: (
        f"Somebody can decide in your place for {c('days', '30')} days at most. Name an earlier day, and do it again then. "
        "Whoever is away for longer should leave the group for that time."
    ),
    Code.DELEGATE_NONE: lambda c: (
        f"Nobody decides in your place. {c.typed('delegate @NAME until fri')} names somebody."
    ),
    Code.NOT_LESS: _not_reduced,
    Code.LESS_TAKEN: lambda c: (
        f"{c('holder', 'The person')} has asked for {c('role', 'that role')} already, or has it: {c('id')}. Decide that one, or "
        "deny this one."
    ),
    Code.DECIDED: _decided,
    Code.NOT_RESOLVED_YET: lambda c: (
        f"Names are still being looked up in {c.provider} for {c('id', 'this request')}. Try again in a few seconds."
    ),
    Code.TERMS_CHANGED: lambda c: (
        f"{'The gate' if c('gate') else 'The role'} has changed since you saw {c('id', 'this request')}."
        " Look at the new card, then press again."
    ),
    Code.GRANT_OVER: _grant_over,
    Code.START_UNREADABLE: lambda c: (
        f"I cannot read `{c('text', 'that')}` as a time. I understand `at 22:00`, `tomorrow 07:00` and `at 2026-12-01 22:00`, "
        "and how long stands before it: `1h at 22:00`. If it is part of the reason, begin the reason with another word."
    ),
    Code.START_PAST: lambda c: (
        f"It cannot begin at {c.time('start')}: that is in the past. Leave the time out, and it begins with the approval."
    ),
    Code.START_TOO_FAR: lambda c: (
        f"It cannot begin at {c.time('start')}: that is more than {c('days', '7')} days away. Ask again when it is closer."
    ),
    Code.START_MISSED: lambda c: (
        f"I could not give it at its time, and that time is over.{c.you(' Ask again if it is still needed.', '')}"
    ),
    Code.TOTAL_TOO_LONG: _total_too_long,
    Code.ROLE_CHANGED: _role_changed,
    Code.STANDING_ACCESS: lambda c: (
        f"{c.you('You have', '{} has')} this permanently already, from outside of this bot. "
        "Nothing was given, and nothing will be removed."
    ),
    Code.TARGET_PERSON_MISSING: _no_user,
    Code.TARGET_PERSON_AMBIGUOUS: lambda c: (
        f"Several users have the address {c('address', 'of this person')} in {c('where', c.provider)}, so I cannot tell which "
        "one is meant. Ask its administrators to leave it to one of them."
    ),
    Code.TARGET_PERSON_ELSES: lambda c: (
        f"The {c.provider} user that I find for {c.you('you', '{}')} still has access that was given to "
        f"{c('name', 'somebody else')}, who had the address before. Once that is over "
        f"({c('ids', 'see')}: an owner can `end` it), ask again."
    ),
    Code.TARGET_USER_BOUND: lambda c: (
        f"The {c.provider} user that I find for {c.you('you', '{}')} ({c('user', 'by its id')}) is "
        f"{c('name', 'somebody else')}'s on my record. Where that is right, {c.provider}'s administrators have to give "
        f"{c.you('you', '{}')} another one. Where it is not, whoever "
        f"runs me types: prodaccess person user {c('user', 'ID')} {c('address', 'ADDRESS')} --by NAME --reason TEXT."
    ),
    Code.TARGET_USER_CARRIES: lambda c: (
        f"{c.you(f'Your {c.provider} user', f'The {c.provider} user of {{}}')} ({c('user', 'by its id')}) has the address "
        f"{c('address', 'of somebody else')}, which is {c('name', 'somebody else')}'s, so I cannot tell who would use it. "
        f"Once {c.provider}'s administrators have corrected the address there, or the address here is confirmed, ask again."
    ),
    Code.TARGET_USER_UNKNOWN: lambda c: (
        f"No {c.provider} user {c('user', 'of that id')} is bound to anybody. The id stands in the refusal, and in the audit log."
    ),
    Code.TARGET_USER_IN_USE: lambda c: (
        f"With this {c.provider} user {c('name', 'somebody')} still has access: {c('ids', 'see the list')}. "
        f"End that first ({c.typed('end ID')}), then do this again."
    ),
    Code.TARGET_PERSON_NOT_TAGGED: lambda c: (
        f"The {c.spoken(USER, 'user')} {c('user', 'of this role')} does not carry the tag `{c('tag', 'prodaccess:person')}` with "
        f"{c('address', 'the address of the person')}, so I cannot tell that it is {c.you('yours', 'that of {}')}. "
        "An administrator has to set it."
    ),
    Code.TARGET_THING_MISSING: lambda c: (
        f"There is no {c('thing', 'such thing')} in {c('where', c.provider)}. "
        "Whoever maintains the policy has to correct the role."
    ),
    Code.TARGET_NO_ROOM: _no_room,
    Code.TARGET_REFUSED: lambda c: (
        _sentence(c("words", c("why", f"{c.provider} refused it", _WORDS_LENGTH_MAX), _WORDS_LENGTH_MAX)) + " Nothing was given."
    ),
    Code.TEMPLATE_REFUSED: lambda c: (
        "The role's policy template cannot be used: "
        f"{_sentence(c('why') or c('problems', 'it is not valid', 300))} Tell whoever maintains the policy."
    ),
    Code.POLICY_NOT_IN_FORCE: lambda c: (
        f"I decide nothing at the moment: {_sentence(c('why', 'no policy is active', 300))} Try again in a minute; "
        "if it stays, tell the platform team."
    ),
    Code.LEDGER_NOT_DURABLE: lambda c: (
        "I give nothing at the moment, because what I write down could be lost"
        f"{_after(c('why', length_max=300))}. Removing goes on. Tell the platform team."
    ),
    Code.CLOCK_IN_DOUBT: lambda c: (
        f"I give no access at the moment: the clock of my records {_clock_did(c('off_s'))}, so it could end at the wrong time. "
        "Removing goes on. Giving begins again after ten steady minutes, or when whoever runs me types prodaccess clock accept."
    ),
    Code.OLDER_VERSION_RUNS: lambda _: (
        "I give no access at the moment: a process of an older version of me is still running, and it does not know which "
        "accounts are on hold. Nothing was decided. Removing goes on. Try again in a minute; if it stays, tell the platform team."
    ),
    Code.LEDGER_IN_DOUBT: lambda _: (
        "I give no access at the moment: my records are perhaps an older copy, which does not know what was given last. "
        "Removing goes on. Whoever runs me has been told: giving begins again when they type prodaccess ledger accept."
    ),
    Code.LEDGER_UNREACHABLE: lambda _: (
        "My memory (Redis) did not answer, so nothing was done. Try again in a minute; if it stays, tell the platform team."
    ),
    Code.RECORD_UNREADABLE: lambda c: (
        f"Nothing was done, because a record that it rests on cannot be read{_of(c)}. The receipts channel has been told. "
        "Tell the platform team; open access still ends automatically."
    ),
}  # fmt: skip


def _clock_did(off_s: str) -> str:
    if not off_s:
        return "seems to have jumped"
    jump = timedelta(seconds=int(off_s))
    return f"was set {'back' if jump < timedelta(0) else 'forward'} by {format_duration(abs(jump))}"


def _of(c: _Case) -> str:
    return f" (the {c('what')})" if c("what") else ""


def _times(c: _Case) -> str:
    return {"1": "once", "2": "twice"}.get(c("max"), f"{c('max', 'several')} times")


def _numbers(c: _Case) -> str:
    return f"number{'s' if ',' in c('numbers') else ''} {c('numbers')}" if c("numbers") else "one of them"


def _first(ids: str) -> str:
    return ids.split(", ", maxsplit=1)[0] or "PA-1042"
