"""Writes docs/lifecycle.md, so that the page and the code cannot part: `python -m tests.support.lifecycle_doc`."""

from __future__ import annotations

from pathlib import Path

from workflows.core.audit import Event
from workflows.core.convergence.actions import IN_DOUBT_FOR
from workflows.core.convergence.outcomes import LATER_LOOKS
from workflows.core.records.lifecycle import diagram

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lifecycle.md"

# Every event in one sentence. A new one without a sentence here fails the test of the page.
MEANING: dict[Event, str] = {
    Event.REQUEST_MADE: "Somebody asked, with role, duration and reason.",
    Event.REQUEST_RESOLVED: "Names were looked up and became immutable ids; from now on it can be approved.",
    Event.REQUEST_REFUSED: "An ask or a press was refused. Only the first of a person in a minute is an entry of its own.",
    Event.REQUEST_AGREED: "One person agreed, and at least one more must.",
    Event.REQUEST_APPROVED: "The last person who had to agree did. The grant and its deadline are in the same commit.",
    Event.REQUEST_AUTO_APPROVED: "A rule of the policy approved; the entry names it. Grant and deadline as above.",
    Event.REQUEST_LESSENED: "An approver agrees to less: a shorter time, or a role of less risk. The entry has both.",
    Event.REQUEST_STARTED: "What was agreed to before has reached its start. The grant and its deadline are in the same commit.",
    Event.REQUEST_DENIED: "Somebody who may approve said no, or the bot found that it cannot be given; the entry says which.",
    Event.REQUEST_WITHDRAWN: "The requester took the request back.",
    Event.REQUEST_DECLINED: "Somebody else had asked for them, and they do not want it.",
    Event.REQUEST_EXPIRED: "It was not decided in time.",
    Event.REQUEST_REMINDED: "Nobody had answered: those who can decide were reminded.",
    Event.REQUEST_ESCALATED: "Nobody had answered: the groups of the policy's `escalate` were called.",
    Event.VOTE_UNPROVED: "A vote in production is not what Slack has signed: an alarm. Nothing is given for it.",
    Event.REQUEST_TERMS_CHANGED: "The role means something else by now: all votes are void and names are looked up again.",
    Event.GATE_ASKED: "A pipeline asked for a gate, by proved claims: repository, commit, run, attempt, job, who began it.",
    Event.GATE_AGREED: "One person agreed to let it on, and at least one more must.",
    Event.GATE_APPROVED: "The last person who had to agree did. Nothing is given by it: its run may take it, once.",
    Event.GATE_BROKEN: "Somebody opened it alone in an emergency, as the policy allows. The review is owed by the same commit.",
    Event.GATE_DENIED: "Somebody who may approve said no, or the bot found that it cannot be let on; the entry says which.",
    Event.GATE_EXPIRED: "It was not decided in time, or the run did not take the approval before the ask's end.",
    Event.GATE_WITHDRAWN: "The pipeline does not wait any more.",
    Event.GATE_LET_ON: "GitHub, which held the run back, was told of the approval and has taken it.",
    Event.GATE_NOT_TAKEN: "It was approved, and GitHub waits for no answer any more: the run is over, or was run again.",
    Event.GATE_REDEEMED: "The run took the approval and goes on. It is used up.",
    Event.GATE_REFUSED: "An ask was refused, or a run that may not take an approval. Once a minute for each pipeline.",
    Event.GATE_TERMS_CHANGED: "The gate asks for other people by now, or it became known who began the run: all votes are void.",
    Event.BREAK_GLASS_USED: "Somebody let themselves in, as the policy allows. Grant, deadline and review are in one commit.",
    Event.BREAK_GLASS_UNANNOUNCED: "After two minutes no channel had been told: an alarm, and direct messages to all concerned.",
    Event.REVIEW_CHASED: "The owners were reminded of a review that is open.",
    Event.REVIEW_ACKNOWLEDGED: "An owner, or the panic group, found the break-glass in order.",
    Event.REVIEW_FLAGGED: "An owner, or the panic group, found something wrong with it, and wrote down what.",
    Event.GRANT_ACTIVE: "Access was given for this grant, and read back.",
    Event.GRANT_EXTENDED: "More time was approved, and the later end holds: at the target, too, where it enforces one.",
    Event.GRANT_EXTENSION_FAILED: "More time was approved, but not in place before the old end, which stands.",
    Event.GRANT_END_STARTED: "The end has begun; the entry has its cause.",
    Event.GRANT_ENDED: "Time ran out or the holder gave it back, and the proof named in the entry was had.",
    Event.GRANT_REVOKED: "A person took it back, and the proof named in the entry was had.",
    Event.GRANT_ACTIVATION_FAILED: "It could not be given, and nothing of it is left.",
    Event.GRANT_REMOVAL_FAILING: "Taking away has failed repeatedly: an alarm. It goes on being tried.",
    Event.GRANT_REAPPEARED: "Access was seen after its end: an alarm. It is taken away again.",
    Event.GRANT_ACTIVITY_SEEN: "A worker asked the target's own log what was done with it: how much, and what is not known.",
    Event.BULK_REVOCATION_STARTED: "Somebody pressed the panic switch for a person or an environment; the entry has its reach.",
    Event.BULK_REVOCATION_FINISHED: "A look found nothing left of it: every removal is verified.",
    Event.PERSON_BOUND: "A chat account was bound to a person for the first time.",
    Event.PERSON_BINDING_CHANGED: "An account has another address than before, or one of somebody else's: it is on hold.",
    Event.PERSON_RESUMED: "An account that was on hold has its own address again.",
    Event.PERSON_ADDRESS: "A person has another address, by a renamed domain or another one of their own: nothing is on hold.",
    Event.PERSON_CONFIRM_ASKED: "The first of two people said whose an account is that is on hold.",
    Event.PERSON_CONFIRMED: "It was said whose an account is that was on hold: the same person's, or another's. It names both.",
    Event.PERSON_DISOWNED: "Somebody said that an account in another chat, which has their address, is not theirs.",
    Event.PERSON_LEFT: "A chat says that an account is gone whose person has access: what ended by it, or that nothing did.",
    Event.PERSON_MOVED: "Somebody may ask no longer for access that they have: what ended by it, or that nothing did.",
    Event.LEAVERS_HELD: "So many seem to have left at once that nothing ends before the panic group has said so. It names them.",
    Event.LEAVERS_DECIDED: "The panic group said whether they have left, or nothing was left to say.",
    Event.TARGET_USER_CHANGED: "Somebody's user in AWS is a new one, because AWS says that the old one is gone; both ids.",
    Event.TARGET_USER_MOVED: "A user in AWS is another person's: whoever had it is closed, or an operator says so.",
    Event.BINDINGS_ADOPTED: "The bindings that an earlier version kept were taken over, once.",
    Event.DELEGATION_SET: "Somebody who is away named who decides in their place, and until when.",
    Event.DELEGATION_ENDED: "Somebody decides for themselves again before the day they had named.",
    Event.PERSON_BARRED: "No break-glass for this person from now on: one was flagged, revoked or not reviewed in time.",
    Event.PERSON_LIFTED: "The panic group let this person use break-glass and ask again.",
    Event.PERSON_ERASED: "An operator had names and words of a person erased; `numbers` lists the entries that had them.",
    Event.REFUSALS_COUNTED: "How many more refusals a person had within a minute of the first.",
    Event.POLICY_ACTIVATED: "Another policy is in force; the entry has both hashes and the difference.",
    Event.POLICY_WAITS: "A folder that loosens production waits for people to agree: for whom, and what is looser.",
    Event.POLICY_AGREED: "One of them agreed; the entry says who is still missing.",
    Event.POLICY_REFUSED: "One of them said no: the policy in force stays until the folder changes again.",
    Event.POLICY_REPLACED: "The folder changed again before they had decided, or after they had said no.",
    Event.LEDGER_ROLLED_BACK: "The record is perhaps an older copy of itself: entries that it had are gone. Nothing is given.",
    Event.LEDGER_ACCEPTED: "An operator said that the record is right as it is; access is given again.",
    Event.LEDGER_REBUILT: "Entries that the record lacked were put back from the archive. Access that it did not know of ends.",
    Event.CLOCK_JUMPED: "Redis's own clock was set by more than five seconds. Nothing is given; what is open ends no later.",
    Event.CLOCK_STEADY: "Redis's clock has gone as it should for ten minutes since; access is given again.",
    Event.CLOCK_ACCEPTED: "An operator said that Redis's clock is right; access is given again.",
    Event.LEDGER_UNREADABLE: "Something stands in the ledger that cannot be read: an alarm. It harms itself alone.",
    Event.LEDGER_DURABILITY_DECLARED: "The operator vouches for a Redis whose settings cannot be read.",
    Event.AUDIT_SEALING_STARTED: "From now on the head of the audit log is signed; the entry has the key's fingerprint.",
    Event.AUDIT_KEY_CHANGED: "Another key signs from now on; the one before it has signed that.",
    Event.AUDIT_RETAINED: "What is over has left Redis for the archive: the entries whose words went, or the first that stays.",
    Event.AUDIT_ENTRY_MISSING: "A number had no entry any more when it was to be sealed: an alarm. The seal says so, too.",
    Event.DIGEST_POSTED: "A scheduled summary was posted.",
    Event.DRIFT_FOUND: "A target and the ledger disagree: access that the ledger does not know, or active access that is gone.",
    Event.DRIFT_GONE: "They agree again; the entry says how that is known.",
    Event.DRIFT_HELD: "What would be taken away waits until the panic group has looked; the entry says why, and what it is.",
    Event.DRIFT_DECIDED: "One of the panic group said that it goes, or stays; or nothing of it is left.",
    Event.DRIFT_REMOVAL_STARTED: "Access that carries our mark, or that was ended, is being taken away.",
    Event.DRIFT_REMOVED: "It was taken away, and absence was read back.",
    Event.CERTIFICATION_STARTED: "A certification was begun: by whom, why, of which environments, until when.",
    Event.CERTIFICATION_ASKED: "A card with some of its questions was made.",
    Event.CERTIFICATION_ANSWERED: "Somebody said of one role or person that it stays, or goes; what was said before is named.",
    Event.CERTIFICATION_CHASED: "Whoever has not answered was reminded; after its time the panic group is called, too.",
    Event.CERTIFICATION_CLOSED: "It is over, by itself or by hand; the entry counts what stays, what goes, what nobody answered.",
}

PROSE = """\
# Life cycles

This page is written by `python -m tests.support.lifecycle_doc` from `workflows/core/records/lifecycle.py` and
`workflows/core/audit.py`; a test compares it with them.

```mermaid
{diagram}
```

## Requests

A request begins as *pending*. A worker first turns its names into ids that cannot change their meaning, and looks
whether the person has the access anyway; nobody can approve before that. Then people answer, or a rule of the policy
does, or the ask expires. Every way out of *pending* is final.

What is approved are the request's **terms**: exactly what would be given to whom, where, for how long. If the role
means something else when somebody presses Approve, the votes are void and the new terms are shown instead.

A request may name a later start. Approved before that, it is *scheduled*: nothing is given, and requester and owners
can still cancel it.

At its start everything is looked at again: the policy, the hour, whoever agreed, and whoever
would hold it. Then the grant follows, with its time counted from there, or the bot denies it and says why.

## Gates

A pipeline that waits at a gate is a request, too: the same votes, the same card, the same ways to deny it and to call it
off. Nobody gets access by it. It is *pending* until people have answered, and *scheduled* once they agreed.

Then a worker derives the decision again, as it does before access is given, and the run can take the approval: it becomes
*approved*, and is used up. It is for one commit, run, attempt and job; a second use is refused. An approval that was looked
at more than a minute ago is looked at again first.

What is not taken by the ask's end has *expired*. Who started the run, ran it again or pushed the commit has no say in it.

## Grants

An approval writes four things in one step: the decision, the grant, its deadline, and the note that the holding must
be looked at. So removal is arranged before anything has been given. The deadline counts from that step. A slow
activation does not move it, and nothing is given at or after it.

A grant is *activating* until its own operation at the target has succeeded and was read back; only then is it
*active*. Right before the operation the decision is derived again: whoever agreed must still be there and still have
a say, and the holder must still be somebody.

More time is a request of its own on an active grant, under the same rules. Where the target enforces an end, the
approval only notes the later one: the target is told first, the end is read back, and then the deadline moves.

Elsewhere the deadline moves in the step that decides. If the old deadline comes first, the end begins then, as always.

All ends go through *revoking*, the failed activation too, because a call without an answer proves nothing. What a
grant becomes then follows from the recorded cause:

| cause | who or what | becomes |
| --- | --- | --- |
| `time` | the deadline was reached | ended |
| `returned` | the holder gave it back | ended |
| `revoked` | an owner, or the panic group, ended it | revoked |
| `failed` | it could not be given, in time or at all | activation_failed |
| `standing` | the person had this access already | activation_failed |

The closing entry names its proof: `absence_read_back` (taken away, and seen to be gone), `covered` (another grant
still needs the same access), `nothing_given` (no call to give was ever made).

## Reviews

A break-glass has no approval, so it needs a **review**. It is written in the commit that lets the person in, and outlives
the grant. It is *owed* until an owner who is not the holder, or somebody of the panic group, acknowledges or flags it.

Until then the owners are reminded at a quarter, at half and at the end of `review_within`, then daily. A flagged or
overdue review, and a break-glass that was revoked, keep the holder from using break-glass again until the panic
group lifts that.

## Holdings

A holding is one person's access to one resource: what its live grants add up to. Two roles can mean the same
permission set, so two grants can stand on one holding. While one of them still runs, the end of the other takes
nothing away.

Before the first call on a holding its *baseline* is recorded: was the access there already? Standing access is
neither given nor taken, and the baseline is not looked at again, so that a retry cannot take its own half-done work
for standing access.

One worker at a time works on a holding, under a lease. Before each call that changes something an *intent* is
committed, and each attempt on the wire is held back once the lease is over.

## When things go wrong

- **Giving fails.** A refusal ends the activation; a call without an answer is tried three times. Then it is taken
  away like any other access, whatever has become of it.
- **Taking away fails.** The grant stays in *revoking* and is tried for ever, at most 30 seconds apart. From the third
  failure on there are alarms.
- **No answer.** An operation that nobody saw the end of is in doubt for {doubt} seconds. The holding is not forgotten
  before that.
- **The worker dies.** Its intent stays on the record, so whoever comes next treats the call as in doubt and goes on.
- **Everything is down.** What is due stands in the ledger. Whatever is overdue ends as soon as somebody is back.

## Later looks

After an end the holding is looked at again, {looks} seconds later and once more when nothing in doubt can come any
more. Access that is seen then is taken away again and raises an alarm.

## Audit events

Each is on the audit log once, in the commit that makes the change.

| event | what it says |
| --- | --- |
{events}
"""


def render() -> str:
    """The page as it must be."""
    events = "\n".join(f"| `{event.value}` | {MEANING[event]} |" for event in Event)
    looks = " and ".join(str(int(look.total_seconds())) for look in LATER_LOOKS)
    return PROSE.format(diagram=diagram(), events=events, looks=looks, doubt=int(IN_DOUBT_FOR.total_seconds()))


def write() -> None:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    write()
