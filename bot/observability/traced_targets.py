"""Targets whose steps stand in the trace of the job that asked for them: what is looked at, given, taken and asked after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.observability.tracing import span
from workflows.core.activity import LogPage, Window
from workflows.core.identity import Address
from workflows.core.provider import Sought, TargetTerms
from workflows.core.records.target import Observation, Operation, Resource
from workflows.core.refusal import Refused
from workflows.ports import NOT_BOUND, BeforeSend, Target, Targets


class TracedTargets(Targets):
    def __init__(self, inner: Targets) -> None:
        self._inner = inner

    def for_terms(self, terms: TargetTerms) -> Target:
        return TracedTarget(self._inner.for_terms(terms), str(terms.kind))


class TracedTarget(Target):
    """`kind`: as the policy calls it."""

    def __init__(self, inner: Target, kind: str) -> None:
        self._inner = inner
        self._about = {"prodaccess.target": kind}

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        with span("target resolve", **self._about):
            return self._inner.resolve(terms, person, request_id, bound)

    def observe(self, resource: Resource) -> Observation:
        with span("target observe", **self._about):
            return self._inner.observe(resource)

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        with span("target grant", **self._about):
            return self._inner.grant(resource, until, before_send)

    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        with span("target revoke", **self._about):
            return self._inner.revoke(resource, before_send)

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        with span("target deny sessions", **self._about):
            return self._inner.deny_sessions(resource, before, before_send)

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        with span("target poll", **self._about):
            return self._inner.poll(resource, operation)

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        return self._inner.list_managed(terms)

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        return self._inner.whose(resource)

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:
        with span("target activity", **self._about):
            return self._inner.activity(asked, place, window, more)

    @property
    def tells_ours_apart(self) -> bool:
        return self._inner.tells_ours_apart
