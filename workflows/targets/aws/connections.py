"""Doors to AWS: one client for each service and place, the quota that all callers share, and the lease asked before each send.

Credentials and endpoints follow boto3's own settings (`AWS_ENDPOINT_URL`, profiles, the machine's role). Clients are safe for
threads; sessions are not, so they are used under a lock.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import ConnectionClosedError
from botocore.loaders import Loader, create_loader

from workflows.core.calls import timed
from workflows.ports import IN_LINE, BeforeSend, Buckets, LeaseOver, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.errors import (
    FROM_AWS,
    RETRY_AFTER_S,
    SPARED_S,
    Throttled,
    TooManyUnderWay,
    translate,
    word_of,
)
from workflows.targets.aws.name_cache import THING_S, Names
from workflows.targets.aws.odd import SPOKEN, OddAnswer, check_answer, mark_odd_rows, odd
from workflows.targets.aws.removals import Removals
from workflows.targets.aws.terms import AwsConnection, AwsTerms

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_sso_admin import SSOAdminClient
    from mypy_boto3_sts import STSClient

C = TypeVar("C")
T = TypeVar("T")

# The SDK never repeats a call: a changing one needs a new intent, and what repeats reads is the caller, which can wait elsewhere.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"total_max_attempts": 1, "mode": "standard"},
    max_pool_connections=16,
    # As a whole: botocore puts its own one together anew, twice for each call, which is a tenth of what a call costs us.
    user_agent=f"Boto3/{boto3.__version__} prodaccess",
)

# Identity Center: 20 calls a second for the whole account, all callers together (FACTS); the rest is for consoles and pipelines.
# After a rest a second's worth is there at once. Where others have had it AWS throttles, and our bucket is as empty as AWS's.
SSO_RATE, SSO_BURST = 19.0, 20.0
# Who stands in line leaves this part of a bucket to what people wait for, which would find the next call taken again and again.
# An approval takes four calls.
LEFT = 0.2
# IAM publishes no figure; well below what has been seen to throttle.
IAM_RATE, IAM_BURST = 15.0, 15.0
# LookupEvents: two calls a second for an account and region, all callers together (API reference); some are left to people.
TRAIL_RATE, TRAIL_BURST = 1.5, 2.0
# Places that are looked at once in a while, in whichever account: so many are kept.
PASSING_MAX = 8

# A list of more pages than this does not end, as far as anybody who waits for it is concerned: 20,000 rows, or many empty pages.
PAGES_MAX = 200

_READS = ("Get", "List", "Describe", "Is", "SimulatePrincipalPolicy", "LookupEvents")

_ACCOUNT = ("account",)

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
    def of_terms(cls, terms: AwsTerms) -> Place:
        return cls(terms.connection, terms.region, terms.role_arn, terms.external_id, terms.profile)

    @classmethod
    def of_connection(cls, connection: AwsConnection) -> Place:
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
    """One service at one place. `bucket` names the quota that its calls are taken from, across all processes.

    `gate`: what AWS shuts while as many operations are under way as it allows. Changes wait for it; the reads that watch these
    operations end do not.
    """

    def __init__(
        self, build: Callable[[], C], buckets: Buckets, bucket: str, rate: float, burst: float, gate: str = ""
    ) -> None:
        self._build, self._buckets, self._bucket = build, buckets, bucket
        self._rate, self._burst, self._gate = rate, burst, gate
        self._lock = threading.Lock()
        self._client: C | None = None

    def open(self) -> C:
        """The client, built once. Raises what boto3 raises for profiles and regions that are not there."""
        with self._lock:
            if self._client is None:
                self._client = self._build()
            return self._client

    def read(self, what: str, call: Callable[[C], T]) -> T:
        """One reading call; never of a list, which `every` reads. Raises TargetThrottled, TargetInDoubt or TargetRefused.

        `what`: service and operation, "iam GetUser". What `call` does with the answer is a part of it: an answer that it cannot
        take apart is in doubt.
        """
        self._take(what)
        return self._read(what, call)

    def change(self, what: str, before_send: BeforeSend, call: Callable[[C], T]) -> T:
        """One changing call, sent only while `before_send` allows it. Raises LeaseOver, too."""
        self._take(what, self._gate)
        token = _lease.set(before_send)
        try:
            return self._call(what, call, last=True)
        finally:
            _lease.reset(token)

    def every(
        self, what: str, key: str, call: Callable[[C, dict[str, Any]], Mapping[str, Any]], *, pages_max: int = PAGES_MAX
    ) -> list[Any]:
        """All rows of a list, read to its end: the only way to read one, since a row is absent only from a whole list.

        AWS may answer with fewer rows than there are, or none, and the name of the next page. `key` names the rows in a page;
        `call` gets the arguments that name the page. A list without an end is in doubt. Raises as `read`.
        """
        listing = Listing()
        self._take(what)
        borrowed = 0
        while not listing.read_on(
            what, key, lambda more: self._read(what, lambda client: call(client, more)), pages_max
        ):
            # Half a list is worth nothing, so a list that was begun is read on; what it owes the quota is paid afterwards.
            borrowed += self._ask_bucket() > 0
        if borrowed:
            self._block(self._bucket, borrowed / self._rate)
        return listing.rows

    def some(
        self,
        what: str,
        key: str,
        listing: Listing,
        call: Callable[[C, dict[str, Any]], Mapping[str, Any]],
        *,
        pages_max: int,
    ) -> list[Any]:
        """As `every`, for a long list that need not be of one moment: the quota may stop it at a page, and it goes on there."""
        while True:
            self._take(what)
            if listing.read_on(what, key, lambda more: self._read(what, lambda client: call(client, more)), pages_max):
                return listing.rows

    def _take(self, what: str, gate: str = "") -> None:
        wait_s = self._ask_bucket(gate)
        if wait_s > 0:
            raise TargetThrottled(wait_s, f"{what}: our share of the quota is used up")

    def _ask_bucket(self, gate: str = "") -> float:
        """Seconds to wait. Where the bucket cannot be asked nothing is sent, which is all that is known."""
        try:
            in_line = IN_LINE.get()
            reserve = LEFT * self._burst if in_line else 0.0
            return self._buckets.take(
                self._bucket, rate=self._rate, burst=self._burst, reserve=reserve, gate=gate, in_line=in_line
            )
        except Exception:  # whatever the store of the buckets raises: the call was not made
            return RETRY_AFTER_S

    def _block(self, name: str, seconds: float, *, spent: bool = False) -> None:
        # Blocking spares the others; the answer at hand counts without it, too.
        with contextlib.suppress(Exception):
            self._buckets.block(name, seconds, spent=spent)

    def _read(self, what: str, call: Callable[[C], T]) -> T:
        try:
            return self._call(what, call)
        except _Closed:
            # The other side had closed a connection that we kept; a read may be sent again at once.
            self._take(what)
            return self._call(what, call, last=True)

    def _call(self, what: str, call: Callable[[C], T], *, last: bool = False) -> T:
        """The one place where AWS is called: nothing leaves it but an answer that could be read and what a target may raise."""
        try:
            client = self.open()
            with timed("aws", what) as counted:
                try:
                    return call(client)
                except Exception as error:
                    counted.error = word_of(error)
                    raise
        except SPOKEN:
            raise
        except Exception as error:
            if isinstance(error, ConnectionClosedError) and not last:
                raise _Closed from None
            raised = _said(error, what)
        if isinstance(raised, TooManyUnderWay):
            # IAM has no gate: it says so of one user or role, and others may be changed.
            if self._gate:
                self._block(self._gate, raised.after_s)
        elif isinstance(raised, TargetThrottled) and "Throttl" in str(raised):
            # Others have had calls as well, or it holds less than we think.
            self._block(self._bucket, SPARED_S if isinstance(raised, Throttled) else raised.after_s, spent=True)
        # Outside the handler, so that the SDK's exception with its headers is not chained to ours.
        raise raised


class _Closed(Exception):
    pass


def _said(error: Exception, what: str) -> TargetThrottled | TargetInDoubt | TargetRefused:
    try:
        return translate(error, what) if isinstance(error, FROM_AWS) else odd(what, error)
    except Exception as unreadable:  # an error of AWS's in a shape that nobody expects
        return odd(what, unreadable)


@dataclass(slots=True)
class Listing:
    """The rows of a list as far as it was read."""

    rows: list[Any] = field(default_factory=list)
    pages: int = 0
    _more: dict[str, Any] = field(default_factory=dict)

    def read_on(
        self, what: str, key: str, fetch: Callable[[dict[str, Any]], Mapping[str, Any]], pages_max: int = PAGES_MAX
    ) -> bool:
        """Reads one more page; True where it was the last. Raises OddAnswer where the list would never end."""
        page = fetch(self._more)
        try:
            rows, more = page[key], _next_page(page)
        except Exception as error:
            raise odd(what, error) from None
        self.rows += rows
        self.pages += 1
        if more is not None and (more == self._more or self.pages >= pages_max):
            raise OddAnswer(f"{what}: the list does not end ({self.pages} pages)")
        self._more = more or {}
        return more is None


def _next_page(page: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments that name the next page: `NextToken`, or IAM's `Marker`; None after the last one."""
    if page.get("NextToken"):
        return {"NextToken": page["NextToken"]}
    return {"Marker": page["Marker"]} if page.get("IsTruncated") else None


@dataclass(frozen=True, slots=True)
class Link:
    """All doors of one place, and what is remembered of its names and removals."""

    place: Place
    sso: Door[SSOAdminClient]
    store: Door[IdentityStoreClient]
    iam: Door[IAMClient]
    sts: Door[STSClient]
    org: Door[Any]
    trail: Door[Any]
    names: Names
    removals: Removals

    def known_account(self) -> str | None:
        """The account in which IAM is asked, where something was seen of it within the hour."""
        known = self.names.get(_ACCOUNT)
        return known if isinstance(known, str) else None

    def remember_account(self, account: str) -> str:
        return self.names.put(_ACCOUNT, account, THING_S)

    def account(self) -> str:
        """The account of the credentials, by asking for it."""
        account = self.sts.read("sts GetCallerIdentity", lambda client: client.get_caller_identity()["Account"])
        return self.remember_account(account)


class Links:
    """Builds each place's doors once in the process. `session`: for tests; makes a botocore session for a profile."""

    def __init__(self, buckets: Buckets, monotonic: Callable[[], float]) -> None:
        self._buckets, self._monotonic = buckets, monotonic
        self._lock = threading.RLock()
        self._links: dict[Place, Link] = {}
        self._sessions: dict[Place, boto3.Session] = {}
        self._passing: OrderedDict[Place, Link] = OrderedDict()

    def passing(self, place: Place) -> Link:
        """As `to`, for a place that is forgotten again when others are looked at."""
        with self._lock:
            link = self._passing.pop(place, None) or self._new(place)
            self._passing[place] = link
            while len(self._passing) > PASSING_MAX:
                gone, _ = self._passing.popitem(last=False)
                self._sessions.pop(gone, None)
            return link

    def to(self, place: Place) -> Link:
        """The link to a place; calls nothing and builds no client yet."""
        with self._lock:
            if place not in self._links:
                self._links[place] = self._new(place)
            return self._links[place]

    def _new(self, place: Place) -> Link:
        sso, iam = f"aws:sso:{place.connection}", f"aws:iam:{place.connection}"
        trail = f"aws:trail:{place.role_arn or place.connection}:{place.region}"
        return Link(
            place,
            Door(
                lambda: self._client(place, "sso-admin"), self._buckets, sso, SSO_RATE, SSO_BURST, gate=f"{sso}:begin"
            ),
            Door(lambda: self._client(place, "identitystore"), self._buckets, sso, SSO_RATE, SSO_BURST),
            Door(lambda: self._client(place, "iam"), self._buckets, iam, IAM_RATE, IAM_BURST),
            Door(lambda: self._client(place, "sts"), self._buckets, iam, IAM_RATE, IAM_BURST),
            Door(lambda: self._client(place, "organizations"), self._buckets, iam, IAM_RATE, IAM_BURST),
            Door(lambda: self._client(place, "cloudtrail"), self._buckets, trail, TRAIL_RATE, TRAIL_BURST),
            Names(self._monotonic),
            Removals(self._monotonic),
        )

    def _client(self, place: Place, service: str) -> Any:
        with self._lock:
            session = self._sessions.get(place) or self._sessions.setdefault(place, session_for(place))
            client = session.client(service, config=CONFIG)  # type: ignore[call-overload]  # one of six names
        client.meta.events.register_last("before-send", ask_lease)
        # First, so that botocore's own handlers get nothing that they do not expect.
        named = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"before-parse.{named}", mark_odd_rows)
        client.meta.events.register_first(f"after-call.{named}", check_answer)
        return client


def session_for(place: Place) -> boto3.Session:
    """A session with the place's own credentials: the surroundings', a profile's, or a role's that these may assume."""
    base = _session(botocore.session.Session(profile=place.profile), place)
    if place.role_arn is None:
        return base
    inner = botocore.session.Session()
    inner.register_component("credential_provider", CredentialResolver([_AssumedRole(base, place)]))
    return _session(inner, place)


def _session(inner: botocore.session.Session, place: Place) -> boto3.Session:
    """Sessions share what they know of AWS's services, which takes a third of a second to read for each client."""
    models = _models(inner.get_config_variable("data_path"))
    inner.register_component("data_loader", models)
    session = boto3.Session(botocore_session=inner, region_name=place.region)
    # boto3 has added its own folder once more.
    models.search_paths[:] = dict.fromkeys(models.search_paths)
    return session


@cache
def _models(data_path: str | None) -> Loader:
    """botocore's descriptions of the services, with a folder of the operator's own where AWS_DATA_PATH names one."""
    return create_loader(data_path)


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
