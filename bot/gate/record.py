"""Asks of pipelines on the record, by the use cases, with their refusals as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.chat.wording.refusals import refusal
from bot.gate.asks import Asked, Given, No, NotNow, Standing, State
from bot.gate.codes import Problem
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.identity import PipelineRun
from workflows.core.refusal import Code, Refused
from workflows.ports import PolicyUnavailable
from workflows.usecases.gates import ask as asking
from workflows.usecases.gates import state as stands
from workflows.usecases.gates.redeem import redeem
from workflows.usecases.gates.withdraw import withdraw
from workflows.usecases.shared.context import Context

# What is another answer in a moment: whoever asks comes again.
_PASSING = frozenset(
    {
        Code.POLICY_NOT_IN_FORCE,
        Code.LEDGER_NOT_DURABLE,
        Code.LEDGER_UNREACHABLE,
        Code.LEDGER_IN_DOUBT,
        Code.CLOCK_IN_DOUBT,
        Code.OLDER_VERSION_RUNS,
        Code.FACTS_STALE,
    }
)
_PROBLEMS = {
    **dict.fromkeys(_PASSING, Problem.LATER),
    Code.TOKEN_USED: Problem.USED,
    Code.PIPELINE_NOT_ALLOWED: Problem.NOT_ALLOWED,
    Code.GATE_LOOKED_AT_AGAIN: Problem.LOOKED_AT_AGAIN,
    Code.GATE_NOT_DECIDED: Problem.NOT_APPROVED,
    Code.ID_UNKNOWN: Problem.UNKNOWN,
}


class RecordAsks:
    """An `Asks`."""

    def __init__(self, ctx: Context, command: str) -> None:
        self._ctx = ctx
        self._command = command

    def pipelines(self) -> Sequence[Pipeline]:
        try:
            return self._ctx.policy.current().pipelines
        except PolicyUnavailable as problem:
            raise NotNow(str(problem)) from None

    def now(self) -> datetime:
        return self._ctx.ledger.now()

    def ask(
        self, run: PipelineRun, words: asking.Words, ticket_hash: str, once: str, until: datetime, commit_id: str
    ) -> Asked | No:
        found = asking.ask(self._ctx, run, words, ticket_hash, {once: until}, commit_id)
        return self._no(found) if isinstance(found, Refused) else Asked(found.id, found.expires_at, self._card(words))

    def standing(self, id_: str) -> Standing | None:
        found = stands.standing(self._ctx, id_)
        if found is None or self.now() >= found.until:
            return None
        return self._told(found)

    def redeem(self, id_: str, commit_id: str) -> No | Given | None:
        """Whoever has the wait ticket is the run that asked: nobody else was given it."""
        found = redeem(self._ctx, id_, None, commit_id)
        if isinstance(found, Refused):
            return self._no(found)
        return Given(found.what, found.until) if found.until is not None else None

    def withdraw(self, id_: str, commit_id: str) -> No | None:
        found = withdraw(self._ctx, id_, commit_id)
        return self._no(found) if isinstance(found, Refused) else None

    def _no(self, refused: Refused) -> No:
        return No(_PROBLEMS.get(refused.code, Problem.REFUSED), self._sentence(refused))

    def _sentence(self, refused: Refused) -> str:
        return refusal(refused, command=self._command)

    def _card(self, words: asking.Words) -> str:
        """Who is asked, by the names of the policy. More of them where somebody is not known; the card has it."""
        try:
            place = self._ctx.policy.current().environments.get(words.environment)
        except PolicyUnavailable:
            return ""
        gate = place.gates.get(words.gate) if place is not None else None
        if place is None or gate is None:
            return ""
        approve = gate.entitlement.approve.items()
        return f"Needs approval from {' and '.join(f'{count} of {name}' for name, count in approve)} of {place.title}."

    def _told(self, found: stands.Standing) -> Standing:
        state, mine = found.state, found.wait_ticket
        match state:
            case stands.Approved():
                return Standing(State.APPROVED, mine, ", ".join(state.by_names), at=state.at)
            case stands.Denied():
                return Standing(State.DENIED, mine, state.by, state.reason)
            case stands.Withdrawn():
                return Standing(State.WITHDRAWN, mine, reason=state.reason)
            case stands.NotGiven():
                return Standing(State.NOT_GIVEN, mine, reason=self._sentence(state.refused))
            case stands.Used():
                return Standing(State.USED, mine, at=state.at)
            case stands.Expired():
                return Standing(State.EXPIRED, mine)
            case stands.Waiting():
                return Standing(State.WAITING, mine)
