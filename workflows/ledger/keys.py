"""The names under which the ledger's things stand in Redis. All begin with one prefix, so that RQ can live beside them."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.core.identity import AccountId


@dataclass(frozen=True, slots=True)
class Keys:
    prefix: str = "prodaccess:"

    def record(self, key: str) -> str:
        """A string, `<version>:<JSON>`, without a TTL."""
        return f"{self.prefix}record:{key}"

    def commit(self, commit_id: str) -> str:
        """A string, `<first audit number>:<how many>:<answer>`, for 24 hours."""
        return f"{self.prefix}commit:{commit_id}"

    def index(self, name: str) -> str:
        """A sorted set, without a TTL."""
        return f"{self.prefix}index:{name}"

    def lease(self, name: str) -> str:
        """A string, `<number>:<token>`, with a TTL: it is the lease while it lives."""
        return f"{self.prefix}lease:{name}"

    def audit_of(self, subject: str) -> str:
        """A list of the numbers of the entries about `subject`, oldest first."""
        return f"{self.prefix}audit:of:{subject}"

    def bucket(self, name: str) -> str:
        """A hash (`tokens`, `at`, `blocked_until`, `blocked_at`, `line`), which expires when it is full and idle."""
        return f"{self.prefix}bucket:{name}"

    def account(self, id_: AccountId) -> str:
        """JSON of PersonFacts, for seven days."""
        return f"{self.prefix}person:{id_}"

    def seen(self, id_: AccountId) -> str:
        """When somebody acted with this account last, in seconds since the epoch, for 90 days; see seen.lua."""
        return f"{self.prefix}person:seen:{id_}"

    def nobody(self, address: str) -> str:
        """Stands while the chat has said lately that nobody has this address."""
        return f"{self.prefix}person:nobody:{address}"

    def group(self, source: str) -> str:
        """JSON of Membership, for seven days."""
        return f"{self.prefix}members:{source}"

    @property
    def tick(self) -> str:
        """The last version or fencing number given out; see commit.lua."""
        return f"{self.prefix}tick"

    @property
    def due(self) -> str:
        """A sorted set: item -> when it must be looked at, in seconds since the epoch."""
        return f"{self.prefix}due"

    @property
    def woken(self) -> str:
        """A hash: item -> when its wake-up was sent, in microseconds since the epoch, until a worker took it."""
        return f"{self.prefix}woken"

    @property
    def audit(self) -> str:
        """A stream; entry `<number>-0` has the fields `body`, `digest` and `link`."""
        return f"{self.prefix}audit"

    @property
    def audit_head(self) -> str:
        """A string, `<number>:<link>`: the newest entry's number and its link to all before it; see commit.lua."""
        return f"{self.prefix}audit:head"

    @property
    def private(self) -> str:
        """A hash: number -> JSON of salt, names and free text. Erasing a field leaves the audit stream verifiable."""
        return f"{self.prefix}audit:private"

    @property
    def durable(self) -> str:
        """Set for some seconds by each process that has found the server durable."""
        return f"{self.prefix}durable"

    @property
    def ids(self) -> str:
        return f"{self.prefix}ids"

    @property
    def leader(self) -> str:
        """The clock's lease."""
        return self.lease("clock-leader")
