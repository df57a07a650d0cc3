"""An installation whose every part is real or a stand-in, for `prodaccess doctor` to look at, and for tests to break."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import redis

from bot.doctor.allowance import Allowance
from bot.doctor.context import Context, Whom
from bot.doctor.examination import SUBJECTS, Examined, examine
from bot.doctor.variables import readable
from bot.runtime.heartbeat import KINDS, Heartbeats
from bot.settings import Settings
from workflows.core import keys
from workflows.core.finding import Finding, State
from workflows.core.records.policy_in_force import ActivePolicy
from workflows.core.records.record import Record
from workflows.ledger.redis_ledger import RedisLedger
from workflows.policy_file import read_policy
from workflows.ports import Change, Committed, IndexEntry
from workflows.signing.keys import make_key

CONFIG = Path(__file__).parents[3] / "config"
# As the shared server is started; see `bot.runtime.embedded_redis`.
AS_STARTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory": "0", "maxmemory-policy": "noeviction"}


@dataclass
class Rig:
    """`environ`: the variables that the look is given. `ahead_s`: of this machine's clock before all others."""

    url: str
    folder: Path
    client: redis.Redis
    environ: dict[str, str] = field(default_factory=dict)
    whom: Whom | None = "up"
    ahead_s: float = 0.0
    slack: Any = None
    teams: Any = None
    aws: Any = None
    monkeypatch: Any = None
    outside: Any = None
    forge: Any = None
    lab: Any = None
    issuer: Any = None
    allowance: Allowance = field(default_factory=lambda: Allowance(pause=lambda _: None))

    def __post_init__(self) -> None:
        shutil.copytree(CONFIG, self.folder)
        self.environ |= {"REDIS_URL": self.url, "PRODACCESS_CONFIG": str(self.folder)}

    @property
    def ledger(self) -> RedisLedger:
        return RedisLedger(self.client, durability="verify", monotonic=time.monotonic)

    def started(self, hash_: str = "") -> None:
        """As after a first start: the policy is in force, and all processes live."""
        policy = read_policy(self.folder)
        assert policy.policy is not None, policy.problems
        self.write({keys.ACTIVE_POLICY: ActivePolicy(hash_ or policy.hash, self.ledger.now())})
        for kind in KINDS:
            Heartbeats(self.client).beat(kind)

    def write(self, puts: Mapping[str, Record], *index: IndexEntry) -> None:
        """As somebody else would, whatever stood there."""
        snapshot = self.ledger.read(*puts)
        change = Change(secrets.token_hex(8), snapshot.now, snapshot.versions(), puts=puts, index=index)
        assert isinstance(self.ledger.commit(change), Committed)

    def sealing(self, *, archive: bool = True) -> None:
        """With a key that signs the audit log, and a folder for what is sealed."""
        make_key(self.folder.parent / "key.pem")
        self.environ["PRODACCESS_AUDIT_KEY"] = str(self.folder.parent / "key.pem")
        if archive:
            self.environ["PRODACCESS_AUDIT_BUCKET"] = str(self.folder.parent / "archive")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def look(self, *names: str) -> tuple[Examined, ...]:
        """At these subjects; at all without any."""
        values, problems = readable(self.environ)
        context = Context(
            cast("Settings", values),
            self.environ,
            self.whom,
            lambda: time.time() + self.ahead_s,
            problems,
            self.allowance,
        )
        wanted = [one for one in SUBJECTS if not names or one.name in names]
        assert len(wanted) == (len(names) or len(SUBJECTS))
        return examine(context, wanted)

    def found(self, *names: str) -> list[Finding]:
        return [finding for one in self.look(*names) for finding in one.findings]


@dataclass(frozen=True)
class Fault:
    """What is planted, and the line that must tell it: by which check, in which words, and with which mend."""

    name: str
    plant: Callable[[Rig], object]
    check: str
    words: str
    mend: str
    state: State = State.BROKEN

    @property
    def subject(self) -> str:
        return self.check.partition(".")[0]

    def told_by(self, findings: list[Finding]) -> None:
        mine = [one for one in findings if one.check == self.check and one.state is self.state]
        # What hides secrets has a shape in mind, which no sentence of ours should have.
        assert not any("[hidden]" in f"{one.what} {one.words} {one.mend}" for one in findings), findings
        assert any(self.words in f"{one.what}: {one.words}" and self.mend in one.mend for one in mine), findings
