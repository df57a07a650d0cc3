"""One audit entry as one line of a receipt, without its time and number: `approved by Olu Owner`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.chat.wording.activity import Deeds, deeds_words
from bot.chat.wording.labels import Words, moment_of
from bot.chat.wording.signed_votes import vote_not_proved
from workflows.core.audit import AuditEntry, Event
from workflows.core.durations import format_duration
from workflows.core.people import PersonId
from workflows.core.provider import NAME, spoken

_REASON_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class _Told:
    """What a line is made of. `hidden`: the readers may not know who and why."""

    entry: AuditEntry
    actor: str
    deadline: datetime | None
    hidden: bool
    provider: str

    def fact(self, name: str, otherwise: str = "") -> str:
        return self.entry.facts.get(name) or otherwise

    def moment(self, name: str) -> datetime | None:
        return datetime.fromisoformat(found) if (found := self.fact(name)) else None

    def who(self) -> str:
        return self.actor if self.actor and not self.hidden else "somebody"

    def by(self) -> str:
        """` by Nia for Olu`, where it was another's right."""
        right = self.entry.private.get("for_name", "")
        return f" by {self.actor}{f' for {right}' if right else ''}" if self.actor and not self.hidden else ""

    def from_where(self) -> str:
        """Of what was done without a chat."""
        if not self.fact("from"):
            return ""
        return " while chat was down" if self.fact("chat") else " from a terminal"

    def why(self, name: str = "reason") -> str:
        """Private words: the reason, or the target's error."""
        text = "" if self.hidden else " ".join(self.entry.private.get(name, "").split())
        return f": {text if len(text) <= _REASON_LENGTH_MAX else text[: _REASON_LENGTH_MAX - 1] + '…'}" if text else ""


def event_words(
    entry: AuditEntry,
    names: Mapping[PersonId, str],
    *,
    deadline: datetime | None = None,
    hidden: bool = False,
    provider: str = "",
) -> Words:
    """What happened. `names`: address -> name, for entries that do not carry one; `deadline`: the grant's.

    `provider`: of the target that it is about, where that is known.
    """
    who = entry.private.get("actor", "")
    actor = entry.private.get("actor_name") or names.get(PersonId(who)) or who
    where = provider or spoken(NAME, entry.facts.get("user", ""))
    return _LINES[entry.event](_Told(entry, actor, deadline, hidden, where))


def _made(told: _Told) -> Words:
    text = told.fact("duration_s")
    duration = f" for {format_duration(timedelta(seconds=int(text)))}" if text.isascii() and text.isdigit() else ""
    more = f" more on {told.fact('extends')}" if told.fact("extends") else ""
    holder = "" if told.hidden else told.entry.private.get("holder_name", "")
    whom = f" on behalf of {holder}" if holder else ""
    asked = f"asked{told.by()}{told.from_where()}{whom}{duration}{more}"
    return (asked, *_later(told), told.why())


def _later(told: _Told) -> Words:
    """When it is to begin, where that is not at once."""
    start = told.moment("start_at")
    return (" to begin ", start) if start else ()


def _approved(told: _Told) -> Words:
    return (f"approved{told.by()}{told.from_where()}", *_later(told))


def _active(told: _Told) -> Words:
    """With the end that was arranged then: it may have been put off since."""
    until = told.moment("until") or told.deadline
    seen = f", seen in {told.provider}"
    return ("active until ", moment_of(until, told.entry.at), seen) if until else (f"active{seen}",)


_DRIFT = {
    "unknown": "access with our mark that was never given",
    "ended": "access that was ended is there again",
    "standing": "standing access",
    "missing": "active access is not there",
    "foreign": "access that is named like ours",
}
_DRIFT_DECIDED = {
    "remove": "what the record does not know is to go, said",
    "leave": "what the record does not know is to stay, said",
    "over": "nothing of what waited is left",
}
_WHOSE = {"same": "the same person's", "another": "another person's"}
_CAUSES = {
    "time": "time was up",
    "returned": "given back early",
    "revoked": "revoked",
    "failed": "it could not be set up",
    "standing": "the person has it permanently already",
}
_PROOFS = {
    "absence_read_back": "removal verified",
    "covered": "access goes on under another grant",
    "nothing_given": "nothing had been given",
}


def _extended(told: _Told) -> Words:
    by = f" by {told.fact('extension')}" if told.fact("extension") else ""
    seen = f", seen in {told.provider}" if told.fact("proof") == "later_end_read_back" else ""
    later = told.moment("until")
    until: Words = (" until ", later) if later else ()
    return ("extended", *until, f"{by}{seen}")


def _not_extended(told: _Told) -> Words:
    return (f"the extension {told.fact('extension')} was not put in place{told.why()}; the old end stands",)


def _end_started(told: _Told) -> Words:
    cause = _CAUSES.get(told.fact("cause"), "its end has come")
    return (f"removal started{told.by()}: {cause}{told.why()}",)


def _over(word: str) -> Callable[[_Told], Words]:
    def line(told: _Told) -> Words:
        # The word is the cause already where access was revoked.
        cause = "" if told.fact("cause") == word else _CAUSES.get(told.fact("cause"), "")
        proof = _PROOFS.get(told.fact("proof"), "")
        over = ": ".join(part for part in (word, ", ".join(filter(None, (cause, proof)))) if part)
        return (over, *_sessions(told))

    return line


def _sessions(told: _Told) -> Words:
    """What became of sessions that were open, where the role says that a revocation ends them."""
    before = told.moment("denied_before")
    if before:
        return ("; sessions begun before ", moment_of(before, told.entry.at), " are denied")
    return ("; ⚠️ sessions begun before may go on",) if told.fact("not_denied") else ()


def _failed(told: _Told) -> Words:
    if told.fact("cause") == "standing":
        return ("not given: the person has it permanently already; nothing was given, and nothing will be removed",)
    proof = _PROOFS.get(told.fact("proof"), "nothing is open")
    return (f"not given{told.why()} ({proof})",)


def _removal_failing(told: _Told) -> Words:
    # Nothing has failed where it is the target that takes its time.
    tried = "" if told.fact("failures") == "0" else f", tried {told.fact('failures', 'several')} times"
    word = "is not removed yet" if not tried else "could not be removed"
    return (f"⚠️ {word}{tried}{told.why('error').rstrip('.')}; I keep trying",)


def _vote_unproved(told: _Told) -> Words:
    more = told.fact("id") not in ("", told.entry.subject)
    return (f"⚠️ not {'extended' if more else 'given'}: {vote_not_proved(told.fact('why'), 'whoever approved it')}",)


def _auto(told: _Told) -> Words:
    rule = told.fact("rule") or told.entry.private.get("rule", "")
    return (
        f"approved automatically by the rule '{rule}'" if rule else "approved automatically by a rule of the policy",
    )


def _escalated(told: _Told) -> Words:
    """A group's name is the policy's, and no secret where the environment is one's own."""
    groups = "" if told.hidden else told.fact("groups").replace(",", " and ")
    may = ", who may approve from now on" if told.fact("may_approve") == "true" else ""
    return (f"not decided yet: {groups or 'the next group'} called{may}",)


def _delegated(told: _Told) -> Words:
    to = "" if told.hidden else told.entry.private.get("to_name", "")
    return (f"decisions handed over{told.by()}{f' to {to}' if to else ''}",)


def _lessened(told: _Told) -> Words:
    line = f"approved for less{told.by()}"
    if told.hidden:
        return (line,)
    return (f"{line}: {_given(told, '')} instead of {_given(told, 'asked_')}",)


def _given(told: _Told, which: str) -> str:
    seconds = told.fact(f"{which}duration_s")
    time = f" for {format_duration(timedelta(seconds=int(seconds)))}" if seconds.isascii() and seconds.isdigit() else ""
    return f"{told.fact(f'{which}role', 'the role')}{time}"


def _refused(told: _Told) -> Words:
    """Nobody refuses but the rules: who is named is who tried."""
    return (f"{told.who()} was refused: {told.fact('code', 'not allowed').replace('_', ' ')}",)


def _gate_asked(told: _Told) -> Words:
    commit = told.fact("commit")[:7]
    what = f" with {commit}" if commit and not told.hidden else ""
    return (f"a pipeline asked to pass the gate {told.fact('gate', 'of this environment')}{what}{told.why()}",)


def _gate_expired(told: _Told) -> Words:
    if told.fact("approved"):
        return ("expired: the run did not go on in time",)
    return ("expired: not decided in time",)


def _gate_redeemed(told: _Told) -> Words:
    again = f", attempt {told.fact('attempt')}" if told.fact("attempt", "1") != "1" else ""
    run = "" if told.hidden else f" {told.fact('run')}{again}"
    if told.fact("duration_s"):
        # What the gate gives comes first.
        return (f"the run{run} took this approval, which is used up; what it gives is being set up".replace("  ", " "),)
    done = f"may go on, which {_forge(told)} is told" if told.fact("rule") else "went on"
    return (f"the run{run} {done}; this approval is used up".replace("  ", " "),)


def _gate_let_on(told: _Told) -> Words:
    """GitLab starts no job because it was approved."""
    goes_on = "and lets the run on" if _forge(told) == "GitHub" else "and lets the job be run"
    return (f"{_forge(told)} was told, {goes_on}",)


def _forge(told: _Told) -> str:
    return "GitLab" if told.fact("forge") == "gitlab" else "GitHub"


def _gate_refused(told: _Told) -> Words:
    return (f"a pipeline was refused: {told.fact('code', 'not allowed').replace('_', ' ')}",)


def _refused_again(told: _Told) -> Words:
    more = told.fact("more", "several")
    times = "once more" if more == "1" else f"{more} more times"
    return (f"{told.who()} was refused {times} within a minute",)


def _chased(told: _Told) -> Words:
    late = " and is overdue" if told.fact("overdue") == "true" else ""
    return (f"needs a review{late}: the owners were reminded",)


_BARRED = {
    "flagged": "it was flagged",
    "revoked": "it was revoked",
    "overdue": "its review is overdue",
}


def _barred(told: _Told) -> Words:
    why = _BARRED.get(told.fact("cause"), "of what happened")
    return (f"no break-glass for the holder until security lifts it, because {why}",)


def _activity(told: _Told) -> Words:
    """How much somebody did is nothing for readers who may not know who it was."""
    if told.hidden:
        return ("what was done with it was looked up",)
    places, unknown, stopped = (told.fact(name).splitlines() for name in ("places", "not_known", "stopped"))
    deeds, changing, refused, unsaid = (
        int(told.fact(name, "0")) for name in ("deeds", "changing", "refused", "unsaid")
    )
    things, lacks, why = told.fact("things", "events"), told.fact("lacks"), told.why("why").removeprefix(": ")
    found = Deeds(deeds, changing, refused, unsaid, things, lacks, places, unknown, stopped, why)
    words = f"what was done with it: {deeds_words(found)}"
    later = told.moment("open_until")
    return (f"{words}; a session that was open may go on until ", later) if later else (words,)


def _user_moved(told: _Told) -> Words:
    user = told.fact("user").rpartition(":")[2]
    whose, before = ("", "") if told.hidden else map(told.entry.private.get, ("person_name", "before_name"))
    is_now = f"{whose}'s" if whose else "another person's"
    was = f", it was that of {before}" if before else ""
    return (f"the {told.provider} user {user} is {is_now} now{was}{told.by()}{told.why()}",)


def _says(text: str, *, why: bool = False, by: bool = False) -> Callable[[_Told], Words]:
    return lambda told: (f"{text}{told.by() if by else ''}{told.why() if why else ''}",)


_LEFT = {
    "ended": "⚠️ account gone from the chat: all that they have ends",
    "told": "⚠️ one account gone from its chat, and another one is not: nothing was ended",
}
_MOVED = {
    "ended": "⚠️ may ask no longer for what they have: it ends",
    "told": "⚠️ may ask no longer for what they have: it stays until its end",
}
_DECIDED = {
    "end": "those who are gone from the chat are gone: what they have ends",
    "here": "those who are gone from the chat are still here: nothing ends",
}


def _certified(told: _Told) -> Words:
    item = "" if told.hidden else told.entry.private.get("item", "")
    what = (
        {"role": f"role {item}", "standing": f"access of {item} for good"}.get(told.fact("kind"), item)
        if item
        else "one"
    )
    said = {"keep": "stays", "remove": "goes"}.get(told.fact("said"), "answered")
    changed = " after all" if told.fact("before") not in ("", told.fact("said")) else ""
    return (f"{what} {said}{changed}, says {told.who()}{told.why()}",)


_LINES: dict[Event, Callable[[_Told], Words]] = {
    Event.REQUEST_MADE: _made,
    Event.REQUEST_RESOLVED: lambda told: (f"names looked up in {told.provider}",),
    Event.REQUEST_REFUSED: _refused,
    Event.REQUEST_AGREED: lambda told: (f"agreed to{told.by()}{told.from_where()}",),
    Event.REQUEST_APPROVED: _approved,
    Event.REQUEST_AUTO_APPROVED: _auto,
    Event.REQUEST_LESSENED: _lessened,
    Event.VOTE_UNPROVED: _vote_unproved,
    Event.REQUEST_STARTED: _says("its time has come"),
    Event.REQUEST_DENIED: _says("denied", by=True, why=True),
    Event.REQUEST_WITHDRAWN: _says("withdrawn", by=True),
    Event.REQUEST_DECLINED: _says("declined", by=True),
    Event.REQUEST_EXPIRED: _says("expired: not decided in time"),
    Event.REQUEST_REMINDED: _says("not decided yet: those who can were reminded"),
    Event.REQUEST_ESCALATED: _escalated,
    Event.REQUEST_TERMS_CHANGED: _says("the role has changed: earlier approvals no longer count"),
    Event.GATE_ASKED: _gate_asked,
    Event.GATE_AGREED: _says("agreed to", by=True),
    Event.GATE_APPROVED: _says("approved", by=True),
    Event.GATE_BROKEN: lambda told: (
        f"🚨 break-glass: opened in an emergency{told.by()}, without approval; an owner has to review it{told.why()}",
    ),
    Event.GATE_DENIED: _says("denied", by=True, why=True),
    Event.GATE_EXPIRED: _gate_expired,
    Event.GATE_WITHDRAWN: _says("taken back: the run is over"),
    Event.GATE_REDEEMED: _gate_redeemed,
    Event.GATE_LET_ON: _gate_let_on,
    Event.GATE_NOT_TAKEN: lambda told: (f"{_forge(told)} did not take the approval{told.why()}",),
    Event.GATE_REFUSED: _gate_refused,
    Event.GATE_TERMS_CHANGED: _says("the gate has changed, or who began the run: earlier approvals no longer count"),
    Event.BREAK_GLASS_USED: lambda told: (
        f"🚨 break-glass (emergency access){told.by()}{told.from_where()}: access at once, without approval; an owner has to "
        "review it",
    ),
    Event.BREAK_GLASS_UNANNOUNCED: _says("⚠️ no channel could be told for two minutes"),
    Event.REVIEW_CHASED: _chased,
    Event.REVIEW_ACKNOWLEDGED: _says("review: acknowledged", by=True, why=True),
    Event.REVIEW_FLAGGED: _says("⚠️ review: flagged", by=True, why=True),
    Event.GRANT_ACTIVE: _active,
    Event.GRANT_EXTENDED: _extended,
    Event.GRANT_EXTENSION_FAILED: _not_extended,
    Event.GRANT_END_STARTED: _end_started,
    Event.GRANT_ENDED: _over("ended"),
    Event.GRANT_REVOKED: _over("revoked"),
    Event.GRANT_ACTIVATION_FAILED: _failed,
    Event.GRANT_REMOVAL_FAILING: _removal_failing,
    Event.GRANT_REAPPEARED: _says("⚠️ access was there again after its end; it is being removed"),
    Event.GRANT_ACTIVITY_SEEN: _activity,
    Event.BULK_REVOCATION_STARTED: _says("everything revoked", by=True, why=True),
    Event.BULK_REVOCATION_FINISHED: lambda told: (f"all removed and verified: {told.fact('taken', '0')} revoked",),
    Event.PERSON_BOUND: _says("chat account bound to the address", by=True),
    Event.PERSON_BINDING_CHANGED: _says("⚠️ chat account put on hold", by=True),
    Event.PERSON_RESUMED: _says("chat account has its own address again, and is no longer on hold", by=True),
    Event.PERSON_ADDRESS: _says("another address of the same person", by=True),
    Event.PERSON_CONFIRM_ASKED: lambda told: (
        f"said to be {_WHOSE.get(told.fact('said'), '')}{told.by()}; a second person has to agree{told.why()}",
    ),
    Event.PERSON_CONFIRMED: lambda told: (
        f"chat account confirmed as {_WHOSE.get(told.fact('said'), 'theirs')}{told.by()}{told.why()}",
    ),
    Event.PERSON_DISOWNED: _says("⚠️ chat account said not to be theirs: it stays on hold", by=True),
    Event.PERSON_LEFT: lambda told: (
        _LEFT.get(told.fact("became"), "⚠️ deactivated in the chat, with access that is open"),
    ),
    Event.PERSON_MOVED: lambda told: (_MOVED.get(told.fact("became"), "⚠️ may ask no longer for what they have"),),
    Event.LEAVERS_HELD: lambda told: (
        f"🚨 {told.fact('people')} more with access gone from the chat, after {told.fact('lately')} within "
        f"{told.fact('within')}: nothing more was ended"
        if told.fact("lately")
        else f"🚨 {told.fact('people', 'many')} people with access are gone from the chat at once: nothing was ended",
    ),
    Event.LEAVERS_DECIDED: lambda told: (
        f"{_DECIDED.get(told.fact('said'), 'those who were gone are there again, or hold nothing')}{told.by()}",
    ),
    Event.TARGET_USER_CHANGED: lambda told: (
        f"the {told.provider} user is another one: {told.fact('after', 'a new one')} in place of "
        f"{told.fact('before', 'the old one')}, which {told.provider} does not find there any more",
    ),
    Event.TARGET_USER_MOVED: _user_moved,
    Event.BINDINGS_ADOPTED: lambda told: (
        f"the bindings of {told.fact('accounts', '0')} chat accounts were taken over",
    ),
    Event.DELEGATION_SET: _delegated,
    Event.DELEGATION_ENDED: _says("delegation ended", by=True),
    Event.PERSON_BARRED: _barred,
    Event.PERSON_LIFTED: _says("may ask and use break-glass again: lifted", by=True, why=True),
    Event.PERSON_ERASED: _says("names and words of a person were erased", by=True, why=True),
    Event.REFUSALS_COUNTED: _refused_again,
    Event.POLICY_ACTIVATED: _says("policy activated", by=True),
    Event.POLICY_WAITS: _says("a change of the policy waits for people to agree"),
    Event.POLICY_AGREED: _says("change of the policy agreed to", by=True),
    Event.POLICY_REFUSED: _says("change of the policy denied", by=True),
    Event.POLICY_REPLACED: _says("the folder changed again: the change of the policy waits no more"),
    Event.LEDGER_UNREADABLE: _says("⚠️ something in the records cannot be read"),
    Event.LEDGER_DURABILITY_DECLARED: _says("the ledger's durability is declared, not verified"),
    Event.LEDGER_ROLLED_BACK: _says("⚠️ the record is perhaps an older copy of itself; nothing is given"),
    Event.LEDGER_ACCEPTED: _says("the record accepted as it is", by=True, why=True),
    Event.LEDGER_REBUILT: _says("the record was made again from the archive", by=True),
    Event.CLOCK_JUMPED: _says("⚠️ the ledger's clock was set; nothing is given"),
    Event.CLOCK_STEADY: _says("the ledger's clock has been steady for ten minutes"),
    Event.CLOCK_ACCEPTED: _says("the ledger's clock accepted as right", by=True, why=True),
    Event.AUDIT_SEALING_STARTED: lambda told: (
        f"the audit log is sealed from now on, by the key {told.fact('key', '')[:12]}",
    ),
    Event.AUDIT_KEY_CHANGED: _says("another key seals the audit log", by=True, why=True),
    Event.AUDIT_RETAINED: _says("what is over was let go of: the archive has it"),
    Event.AUDIT_ENTRY_MISSING: lambda told: (
        f"⚠️ audit entry #{told.fact('first', '0')} was missing when it was to be sealed",
    ),
    Event.DIGEST_POSTED: _says("digest posted"),
    Event.DRIFT_FOUND: lambda told: (
        f"⚠️ {told.provider} and the record do not agree: {_DRIFT.get(told.fact('kind'), 'access')}",
    ),
    Event.DRIFT_GONE: lambda told: (f"{told.provider} and the record agree again",),
    Event.DRIFT_HELD: _says("access that the record does not know is not taken away before somebody has looked"),
    Event.DRIFT_DECIDED: lambda told: (f"{_DRIFT_DECIDED.get(told.fact('decision'), 'decided')}{told.by()}",),
    Event.DRIFT_REMOVAL_STARTED: _says("access that the record does not know is being taken away"),
    Event.DRIFT_REMOVED: _says("access that the record did not know was taken away, removal verified"),
    Event.CERTIFICATION_STARTED: lambda told: (
        f"certification {told.fact('run', '0')} begun{told.by()}: owners say who and what stays{told.why()}",
    ),
    Event.CERTIFICATION_ASKED: lambda told: (
        f"asked in certification {told.fact('run', '0')}: {told.fact('roles', '0')} roles, {told.fact('people', '0')} people, "
        f"{told.fact('standing', '0')} with access for good",
    ),
    Event.CERTIFICATION_ANSWERED: _certified,
    Event.CERTIFICATION_CHASED: lambda told: (
        f"certification {told.fact('run', '0')}: {told.fact('open', '0')} not answered yet, "
        f"{'the panic group was called' if told.fact('escalated') == 'true' else 'those who can were reminded'}",
    ),
    Event.CERTIFICATION_CLOSED: lambda told: (
        f"certification {told.fact('run', '0')} closed{told.by()}: {told.fact('kept', '0')} stay, "
        f"{told.fact('removed', '0')} go, {told.fact('open', '0')} not answered{told.why()}",
    ),
}
