"""A worker sees to a deployment that a forge holds back: asks in its name, and once that is decided has an answer for the forge.

What nobody can tell is neither yes nor no: then nothing is answered, it is tried again, and people hear of it.
"""

from __future__ import annotations

from datetime import timedelta

from workflows.core import keys
from workflows.core.audit import Event
from workflows.core.gates.ask import pipeline_person
from workflows.core.identity import Address
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.judge import NotAllowed
from workflows.core.policy import Policy
from workflows.core.records.forge import ForgeAnswer, ForgeWait
from workflows.core.records.request import Request, RequestState
from workflows.core.refusal import Code, Refused
from workflows.core.rules.forge_run import RunSeen, forge_of, rule_of, run_now, run_of_rule
from workflows.ports import LEASE_S, Fence, Forge, ForgeSilent, LeaseOver
from workflows.usecases.gates import state as stands
from workflows.usecases.gates.ask import Asked, Words, ask
from workflows.usecases.gates.forge_tell import tell
from workflows.usecases.gates.forge_turn import Comments, Turn, answered, dropped, held_up, put_off, with_request
from workflows.usecases.gates.forge_wait import WAITS_MAX
from workflows.usecases.gates.redeem import Redeemed, redeem
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.oversight.refusals import record_refusal
from workflows.usecases.shared.context import WorkerContext
from workflows.usecases.shared.due_items import take_off
from workflows.usecases.shared.troubles import Failure, note

# While people are asked: how often to look whether the run still waits. What they decide wakes a worker at once.
LOOK_EVERY = timedelta(minutes=5)
# What is another answer in a moment.
AGAIN = timedelta(seconds=2)
_PASSING = frozenset(
    {
        Code.POLICY_NOT_IN_FORCE,
        Code.LEDGER_NOT_DURABLE,
        Code.LEDGER_UNREACHABLE,
        Code.LEDGER_IN_DOUBT,
        Code.CLOCK_IN_DOUBT,
        Code.OLDER_VERSION_RUNS,
        Code.FACTS_STALE,
        Code.GATE_LOOKED_AT_AGAIN,
        Code.GATE_TOO_MANY,
    }
)
_CHANGE_LENGTH_MAX = 500


def see_to(ctx: WorkerContext, forge: Forge, comments: Comments, id_: str) -> None:
    """The job. May run any number of times; two at once it is not."""
    item = keys.forge(id_)
    lease = ctx.ledger.acquire(item)
    if lease is None:
        ctx.ledger.remind(item, LEASE_S / 2)
        return
    try:
        with ctx.lease_renewer.keep(lease) as current:
            _carry_on(Turn(ctx, forge, comments, current, Fence(lease.name, lease.number)), id_)
    except LeaseOver:
        # Whoever has the lease now carries it on.
        return
    finally:
        ctx.ledger.release(lease)


def _carry_on(turn: Turn, id_: str) -> None:
    ctx, item = turn.ctx, keys.forge(id_)
    wait = ctx.ledger.read(item).get(item, ForgeWait)
    if wait is None:
        take_off(ctx, item, item)
        return
    if ctx.ledger.now() >= wait.since + WAITS_MAX:
        # However silent it was: it waits for nobody any more.
        _gone(turn, wait)
        return
    try:
        if wait.answer is None:
            wait = _decided(turn, wait)
        if wait is not None and wait.answer is not None:
            tell(turn, wait)
    except ForgeSilent as silent:
        _silent(turn, id_, silent)


def _silent(turn: Turn, id_: str, silent: ForgeSilent) -> None:
    ctx, item = turn.ctx, keys.forge(id_)
    wait = ctx.ledger.read(item).get(item, ForgeWait)
    about = wait.request or f"run {wait.run} of {wait.repository}" if wait is not None else ""
    if wait is not None:
        held_up(turn, wait, str(silent))
    if not silent.after_s:
        note(ctx, item, Failure(str(silent), about=about))
        return
    again_at = ctx.ledger.now() + timedelta(seconds=silent.after_s)
    note(ctx, item, Failure(str(silent), again_at=again_at, about=about))
    if wait is not None:
        put_off(turn, wait, again_at)


# ---------------------------------------------------------------- what it is to be told


def _decided(turn: Turn, wait: ForgeWait) -> ForgeWait | None:
    """With an answer, or as it was where there is none yet; None where there is nothing to answer any more."""
    policy = turn.ctx.policy.current()
    rule = rule_of(policy.pipelines, wait)
    if rule is None:
        return _turned_away(turn, wait, turn.comments.no_rule(wait))
    seen = turn.forge.run(wait)
    if seen is None or seen.over:
        _gone(turn, wait)
        return None
    if wait.request is None:
        return _asked(turn, policy, rule, wait, seen)
    return _as_it_stands(turn, rule, wait, seen)


def _asked(turn: Turn, policy: Policy, rule: Pipeline, wait: ForgeWait, seen: RunSeen) -> ForgeWait | None:
    known = _listed(policy, forge_of(wait).value)
    authors = frozenset[int]() if seen.event == "push" else turn.forge.authors(wait, seen)
    run = run_of_rule(rule, wait, seen, turn.forge.branch(wait, seen), authors, known)
    if isinstance(run, NotAllowed):
        refused = Refused(Code.PIPELINE_NOT_ALLOWED, {"why": run.sentence}, rules=("pipelines",))
        who, subject = pipeline_person(run_now(rule, wait, seen)), f"gate:{wait.id[:12]}"
        record_refusal(turn.ctx, who, subject, refused, f"forge:{wait.id}", wait.repository, kind=Event.GATE_REFUSED)
        return _turned_away(turn, wait, run.sentence)
    change = seen.title[:_CHANGE_LENGTH_MAX] or f"run {seen.run}"
    words = Words((rule.environments or ("",))[0], rule.rule, change)
    found = ask(turn.ctx, run, words, wait.ticket, {}, f"forge-ask:{wait.id}:{run.key[:20]}", rule=wait.id)
    if isinstance(found, Asked):
        return with_request(turn, wait, found.id, turn.ctx.ledger.now() + LOOK_EVERY)
    if found.code in _PASSING:
        return put_off(turn, wait, turn.ctx.ledger.now() + AGAIN)
    return _turned_away(turn, wait, turn.comments.refused(found))


def _listed(policy: Policy, forge: str) -> frozenset[int]:
    def numbers(address: Address) -> int | None:
        return policy.forge_ids[address].get(forge)

    return frozenset(number for number in map(numbers, policy.forge_ids) if number is not None)


def _as_it_stands(turn: Turn, rule: Pipeline, wait: ForgeWait, seen: RunSeen) -> ForgeWait | None:
    ctx, id_ = turn.ctx, wait.request or ""
    request = ctx.ledger.read(keys.request(id_)).get(keys.request(id_), Request)
    key = run_now(rule, wait, seen).key
    if request is None or request.gate is None or request.gate.run.key != key:
        # It was run again since: that attempt has a message of its own, and no answer of this one is for it.
        _gone(turn, wait)
        return None
    if request.state is RequestState.PENDING:
        return put_off(turn, wait, ctx.ledger.now() + LOOK_EVERY, request)
    if request.state in (RequestState.SCHEDULED, RequestState.APPROVED) and not _taken(turn, wait, request):
        return put_off(turn, wait, ctx.ledger.now() + AGAIN, request)
    found = stands.standing(ctx, id_)
    if found is None or request.gate is None:
        _gone(turn, wait)
        return None
    mine = isinstance(found.state, stands.Used) and found.wait_ticket == wait.ticket
    comment = turn.comments.of_state(id_, found.state)
    now = ctx.ledger.now()
    until = request.expires_at if mine else now + WAITS_MAX
    return answered(turn, wait, ForgeAnswer(mine, comment, key, now, until))


_SETTLED = frozenset({Code.GATE_USED, Code.GATE_OVER})


def _taken(turn: Turn, wait: ForgeWait, request: Request) -> bool:
    """Whether its approval is ours, for good: also where that is on disk only since this worker came; or where what the gate
    gives could not be given, or is over by now: then it is not let on.
    """
    gate = request.gate
    found = redeem(turn.ctx, request.id, gate.run if gate is not None else None, f"forge-redeem:{wait.id}")
    used = request.state is RequestState.APPROVED and isinstance(found, Refused) and found.code in _SETTLED
    return isinstance(found, Redeemed) or used


def _turned_away(turn: Turn, wait: ForgeWait, comment: str) -> ForgeWait | None:
    """It cannot be let on. What was asked in its name is taken back."""
    _taken_back(turn, wait)
    now = turn.ctx.ledger.now()
    return answered(turn, wait, ForgeAnswer(False, comment, "", now, now + WAITS_MAX))


def _gone(turn: Turn, wait: ForgeWait) -> None:
    """Nobody waits any more."""
    _taken_back(turn, wait)
    dropped(turn, wait)


def _taken_back(turn: Turn, wait: ForgeWait) -> None:
    if wait.request is not None:
        withdraw(turn.ctx, wait.request, f"forge-withdraw:{wait.id}")
