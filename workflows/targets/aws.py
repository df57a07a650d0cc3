"""Doors to AWS: one client for each service and place, the quota that all callers share, and the lease asked before each send.

Credentials and endpoints follow boto3's own settings (`AWS_ENDPOINT_URL`, profiles, the machine's role). Clients are safe for
threads; sessions are not, so they are used under a lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import ConnectionClosedError

from workflows.core.model import TargetTerms
from workflows.core.policy import Connection
from workflows.ports import BeforeSend, Buckets, LeaseOver, TargetThrottled
from workflows.targets.aws_errors import FROM_AWS, translate
from workflows.targets.names import Names

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_sso_admin import SSOAdminClient

C = TypeVar("C")
T = TypeVar("T")

# The SDK never repeats a call: a changing one needs a new intent, and what repeats reads is the caller, which can wait elsewhere.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"total_max_attempts": 1, "mode": "standard"},
    max_pool_connections=16,
    user_agent_extra="prodaccess",
)

# Identity Center: 20 calls a second for the whole account, all callers together (FACTS); the rest is for consoles and pipelines.
SSO_RATE, SSO_BURST = 18.0, 10.0
# IAM publishes no figure; well below what has been seen to throttle.
IAM_RATE, IAM_BURST = 15.0, 15.0

_READS = ("Get", "List", "Describe", "Is")

_lease: ContextVar[BeforeSend | None] = ContextVar("prodaccess_lease", default=None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls go and as whom. Old terms may differ from the connection of that name today, so all of it counts."""

    connection: str
    region: str
    role_arn: str | None = None
    external_id: str | None = None
    profile: str | None = None

    @classmethod
    def of_terms(cls, terms: TargetTerms) -> Place:
        return cls(terms.connection, terms.region, terms.role_arn, terms.external_id, terms.profile)

    @classmethod
    def of_connection(cls, connection: Connection) -> Place:
        return cls(connection.name, connection.region, connection.role_arn, connection.external_id, connection.profile)


def ask_lease(event_name: str = "", **_: Any) -> None:
    """Handler of `before-send`, which botocore emits for every attempt; what it raises keeps the call off the wire.

    Clients are shared by threads, so the lease travels in a context variable around the call. Whatever is not plainly a read is a
    change, and a change without a lease is not sent. Returns None: anything else would be taken for AWS's answer.
    """
    if event_name.rpartition(".")[2].startswith(_READS):
        return
    before_send = _lease.get()
    if before_send is None:
        raise LeaseOver(f"{event_name}: a changing call without a lease")
    before_send()


class Door(Generic[C]):
    """One service at one place. `bucket` names the quota that its calls are taken from, across all processes."""

    def __init__(self, build: Callable[[], C], buckets: Buckets, bucket: str, rate: float, burst: float) -> None:
        self._build, self._buckets, self._bucket = build, buckets, bucket
        self._rate, self._burst = rate, burst
        self._lock = threading.Lock()
        self._client: C | None = None

    def open(self) -> C:
        """The client, built once. Raises what boto3 raises for profiles and regions that are not there."""
        with self._lock:
            if self._client is None:
                self._client = self._build()
            return self._client

    def read(self, what: str, call: Callable[[C], T]) -> T:
        """One reading call. Raises TargetThrottled, TargetInDoubt or TargetRefused."""
        try:
            return self._call(what, call)
        except _Closed:
            # The other side had closed a connection that we kept; a read may be sent again at once.
            return self._call(what, call, last=True)

    def change(self, what: str, before_send: BeforeSend, call: Callable[[C], T]) -> T:
        """One changing call, sent only while `before_send` allows it. Raises LeaseOver, too."""
        token = _lease.set(before_send)
        try:
            return self._call(what, call, last=True)
        finally:
            _lease.reset(token)

    def _call(self, what: str, call: Callable[[C], T], *, last: bool = False) -> T:
        wait_s = self._buckets.take(self._bucket, rate=self._rate, burst=self._burst)
        if wait_s > 0:
            raise TargetThrottled(wait_s, f"{what}: our share of the quota is used up")
        try:
            return call(self.open())
        except FROM_AWS as error:
            if isinstance(error, ConnectionClosedError) and not last:
                raise _Closed from None
            raised = translate(error, what)
        if isinstance(raised, TargetThrottled) and "Throttl" in str(raised):
            self._buckets.block(self._bucket, raised.after_s)
        # Outside the handler, so that the SDK's exception with its headers is not chained to ours.
        raise raised


class _Closed(Exception):
    pass


def pages(fetch: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Iterator[Any]:
    """All pages of a list. `fetch` gets the arguments that name the next one: `NextToken`, or IAM's `Marker`."""
    more: dict[str, Any] = {}
    while True:
        page = fetch(more)
        yield page
        if page.get("NextToken"):
            more = {"NextToken": page["NextToken"]}
        elif page.get("IsTruncated"):
            more = {"Marker": page["Marker"]}
        else:
            return


@dataclass(frozen=True, slots=True)
class Link:
    """All doors of one place, and what is remembered of its names."""

    place: Place
    sso: Door[SSOAdminClient]
    store: Door[IdentityStoreClient]
    iam: Door[IAMClient]
    names: Names


class Links:
    """Builds each place's doors once in the process. `session`: for tests; makes a botocore session for a profile."""

    def __init__(self, buckets: Buckets, monotonic: Callable[[], float]) -> None:
        self._buckets, self._monotonic = buckets, monotonic
        self._lock = threading.RLock()
        self._links: dict[Place, Link] = {}
        self._sessions: dict[Place, boto3.Session] = {}

    def to(self, place: Place) -> Link:
        """The link to a place; calls nothing and builds no client yet."""
        with self._lock:
            if place not in self._links:
                self._links[place] = self._new(place)
            return self._links[place]

    def _new(self, place: Place) -> Link:
        sso, iam = f"aws:sso:{place.connection}", f"aws:iam:{place.connection}"
        return Link(
            place,
            Door(lambda: self._client(place, "sso-admin"), self._buckets, sso, SSO_RATE, SSO_BURST),
            Door(lambda: self._client(place, "identitystore"), self._buckets, sso, SSO_RATE, SSO_BURST),
            Door(lambda: self._client(place, "iam"), self._buckets, iam, IAM_RATE, IAM_BURST),
            Names(self._monotonic),
        )

    def _client(self, place: Place, service: str) -> Any:
        with self._lock:
            session = self._sessions.get(place) or self._sessions.setdefault(place, session_for(place))
            client = session.client(service, config=CONFIG)  # type: ignore[call-overload]  # one of three names
        client.meta.events.register_last("before-send", ask_lease)
        return client


def session_for(place: Place) -> boto3.Session:
    """A session with the place's own credentials: the surroundings', a profile's, or a role's that these may assume."""
    base = boto3.Session(profile_name=place.profile, region_name=place.region)
    if place.role_arn is None:
        return base
    inner = botocore.session.Session()
    inner.register_component("credential_provider", CredentialResolver([_AssumedRole(base, place)]))
    return boto3.Session(botocore_session=inner, region_name=place.region)


class _AssumedRole(CredentialProvider):
    """Credentials of a role, fetched when they are first needed and again before they run out."""

    METHOD = "prodaccess-assume-role"

    def __init__(self, base: boto3.Session, place: Place) -> None:
        super().__init__()
        self._base, self._place = base, place

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._fetch, self.METHOD)

    def _fetch(self) -> Mapping[str, str]:
        arguments: dict[str, Any] = {"RoleArn": self._place.role_arn, "RoleSessionName": "prodaccess"}
        if self._place.external_id:
            arguments["ExternalId"] = self._place.external_id
        found = self._base.client("sts", config=CONFIG).assume_role(**arguments)["Credentials"]
        return {
            "access_key": found["AccessKeyId"],
            "secret_key": found["SecretAccessKey"],
            "token": found["SessionToken"],
            "expiry_time": found["Expiration"].isoformat(),
        }
