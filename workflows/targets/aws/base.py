"""What the four AWS targets have in common: how what AWS said becomes an answer of the port."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime

from workflows.core.activity import LogPage, Window
from workflows.core.identity import Address
from workflows.core.provider import Sought, TargetTerms
from workflows.core.records.target import (
    Observation,
    Operation,
    OperationKind,
    OperationState,
    Presence,
    Resource,
)
from workflows.core.refusal import Code, Refused
from workflows.ports import NOT_BOUND, BeforeSend, TargetInDoubt, TargetRefused
from workflows.targets.aws import deeds
from workflows.targets.aws.connections import Link, Links, Place
from workflows.targets.aws.errors import Exists, Missing
from workflows.targets.aws.odd import readable
from workflows.targets.aws.terms import AwsTerms, own_terms


class AwsTarget(ABC):
    """One adapter for all places of its kind. Subclasses make the calls; here the errors get their meaning.

    Whatever AWS answers, nothing is raised but TargetThrottled, TargetInDoubt, TargetRefused and LeaseOver.
    """

    tells_ours_apart = False

    def __init__(self, links: Links) -> None:
        self._links = links

    def link(self, terms: TargetTerms) -> Link:
        return self._links.to(Place.of_terms(own_terms(terms)))

    def resolve(
        self, terms: TargetTerms, person: Address, request_id: str, bound: Mapping[str, str] = NOT_BOUND
    ) -> Resource | Refused:
        """Names to immutable ids. Raises TargetThrottled and TargetInDoubt; all else is a refusal."""
        with readable("looking up names"):
            try:
                own = own_terms(terms)
                try:
                    return self._resolve(own, person, request_id, bound)
                except Missing:
                    # A name that was remembered is wrong, so all are looked up anew.
                    self.link(terms).names.forget()
                    return self._resolve(own, person, request_id, bound)
            except TargetRefused as refused:
                return Refused(Code.TARGET_REFUSED, {"words": refused.words})

    def observe(self, resource: Resource) -> Observation:
        """One call. UNKNOWN, with why in `detail`, where AWS does not let us look."""
        with readable("looking"):
            try:
                return self._observe(resource)
            except Missing as missing:
                doubt = self._without(resource)
                if doubt is not None:
                    return Observation(Presence.UNKNOWN, resource, detail=f"{missing.words} {doubt}")
                return Observation(Presence.ABSENT, resource, detail=missing.words)
            except TargetRefused as refused:
                return Observation(Presence.UNKNOWN, resource, detail=refused.words)

    def grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation:
        """One changing call. What is there already is a success."""
        with readable("giving"):
            try:
                return self._known(resource, self._grant(resource, until, before_send))
            except Exists:
                return done(OperationKind.GRANT)
            except Missing as missing:
                self.link(resource.target).names.forget()
                raise TargetRefused(f"{missing.words} Ask again, so that names are looked up anew.") from None
            except TargetRefused as refused:
                raise TargetRefused(f"{refused.words} {self.by_hand(resource, OperationKind.GRANT)}") from None

    def revoke(self, resource: Resource, before_send: BeforeSend) -> Operation:
        """One changing call. What is not there is a success."""
        with readable("taking away"):
            try:
                return self._revoke(resource, before_send)
            except Missing:
                return done(OperationKind.REVOKE)
            except TargetRefused as refused:
                raise TargetRefused(f"{refused.words} {self.by_hand(resource, OperationKind.REVOKE)}") from None

    def deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:
        """One changing call. What is not there cannot be denied anything: a refusal, like any other."""
        with readable("denying older sessions"):
            try:
                return self._deny_sessions(resource, before, before_send)
            except Missing as missing:
                raise TargetRefused(missing.words) from None

    def poll(self, resource: Resource, operation: Operation) -> Operation:
        """Raises TargetThrottled and TargetInDoubt."""
        with readable("asking how it stands"):
            try:
                return self._known(resource, self._poll(resource, operation))
            except Missing:
                return Operation(
                    operation.kind, OperationState.FAILED, operation.id, "AWS no longer knows this operation."
                )
            except TargetRefused as refused:
                raise TargetInDoubt(refused.words) from None

    def list_managed(self, terms: TargetTerms) -> Iterable[Observation]:
        """For drift. Raises TargetThrottled and TargetInDoubt: an answer that is not complete is none."""
        with readable("listing"):
            try:
                found = self._list_managed(own_terms(terms))
            except TargetRefused as refused:
                raise TargetInDoubt(refused.words) from None
            if isinstance(found, Refused):
                raise TargetInDoubt(f"{found.code}: {dict(found.params)}")
            return found

    def activity(self, asked: Sought, place: str, window: Window, more: str = "") -> LogPage:
        """One call, and one for the account and one for the user's name where those are not known yet."""
        with readable("looking at what was done"):
            return deeds.page(self._links, asked, place, window, more)

    def whose(self, resource: Resource) -> tuple[Address, ...]:
        """Raises TargetThrottled and TargetInDoubt; where AWS does not let us look, nobody is named."""
        with readable("looking up who it is"):
            try:
                return self._whose(resource)
            except (TargetRefused, Missing):
                return ()

    def _whose(self, resource: Resource) -> tuple[Address, ...]:
        return resource.carries

    def _known(self, resource: Resource, operation: Operation) -> Operation:
        """What failed may have been given a name that means nothing any more: then the next ask looks all of them up anew."""
        if operation.state is OperationState.FAILED:
            self.link(resource.target).names.forget()
        return operation

    @abstractmethod
    def _without(self, resource: Resource) -> str | None:
        """AWS does not know what was asked about. None: so it holds nothing; else a sentence that says why that is not proved."""

    @abstractmethod
    def by_hand(self, resource: Resource, kind: OperationKind) -> str:
        """One sentence: how a person does this in the console."""

    @abstractmethod
    def _resolve(
        self, terms: AwsTerms, person: Address, request_id: str, bound: Mapping[str, str]
    ) -> Resource | Refused: ...

    @abstractmethod
    def _observe(self, resource: Resource) -> Observation: ...

    @abstractmethod
    def _grant(self, resource: Resource, until: datetime, before_send: BeforeSend) -> Operation: ...

    @abstractmethod
    def _revoke(self, resource: Resource, before_send: BeforeSend) -> Operation: ...

    def _deny_sessions(self, resource: Resource, before: datetime, before_send: BeforeSend) -> Operation:  # noqa: ARG002 - as the others
        raise TargetRefused(f"Sessions of {resource.kind} cannot be denied.")

    @abstractmethod
    def _list_managed(self, terms: AwsTerms) -> list[Observation] | Refused: ...

    def _poll(self, resource: Resource, operation: Operation) -> Operation:  # noqa: ARG002  # synchronous: nothing to look at
        return operation


def done(kind: OperationKind) -> Operation:
    return Operation(kind, OperationState.SUCCEEDED)
