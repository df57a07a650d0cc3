"""A long past: millions of audit entries, as lives leave them, written into a server of which nothing of ours runs yet.

They are real ones, with digests and links that hold; words and nonces are the same in all of them, which makes writing them
cheap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import hiredis
import redis

from workflows.core.audit import AuditEvent, Event
from workflows.core.audit_check import linking
from workflows.ledger.codec import event_body, event_private
from workflows.ledger.keys import Keys

# Of one life, in order.
LIFE = (
    Event.REQUEST_MADE,
    Event.REQUEST_RESOLVED,
    Event.REQUEST_APPROVED,
    Event.GRANT_ACTIVE,
    Event.GRANT_END_STARTED,
    Event.GRANT_ENDED,
)
A_DAY = 1_000
LIVES_AT_ONCE = 500
_AT, _SUBJECT = datetime(2001, 2, 3, 4, 5, 6, 789, tzinfo=UTC), "PA-SUBJECT"
_FACTS = {"environment": "orders-prod", "role": "read-only", "policy": "4f" * 32, "seen": "12 s"}
_WORDS = {"actor_name": "Dana Developer", "reason": "INC-42: checkout errors in orders, looking at the queue"}


class Past:
    """`entries` of them, a thousand lives a day, the last of them ended now; Redis's own clock says when that is."""

    def __init__(self, client: redis.Redis, entries: int) -> None:
        self._client, self._keys = client, Keys()
        self._lives = entries // len(LIFE)
        seconds, _ = client.time()  # type: ignore[misc]  # redis-py's types hold both kinds of client
        self._begin = datetime.fromtimestamp(seconds, UTC) - timedelta(days=self._lives / A_DAY)
        made = [AuditEvent(kind, _SUBJECT, _AT, "ab" * 16, "cd" * 16, _FACTS, _WORDS) for kind in LIFE]
        self._bodies = [event_body(one) for one in made]
        self._words = [event_private(one) for one in made]

    def write(self) -> None:
        """Nothing is synced meanwhile, and nobody waits for answers; what stands there in the end is counted."""
        before = self._client.config_get("appendfsync")["appendfsync"]  # type: ignore[index]  # as above
        self._client.config_set("appendfsync", "no")
        # While the log grows by a gigabyte, each rewriting of it would take another one's time.
        self._client.config_set("auto-aof-rewrite-percentage", 0)
        connection = self._client.connection_pool.get_connection()
        try:
            connection.send_packed_command([hiredis.pack_command(("CLIENT", "REPLY", "OFF"))])
            for part in self._parts():
                connection.send_packed_command([part])
            connection.send_packed_command([hiredis.pack_command(("CLIENT", "REPLY", "ON"))])
            connection.read_response()
        finally:
            self._client.connection_pool.release(connection)
        self._client.config_set("appendfsync", before)
        stands = self._client.xlen(self._keys.audit)
        if stands != self._lives * len(LIFE):
            raise SystemExit(f"{stands} entries stand there in place of {self._lives * len(LIFE)}")

    def _parts(self) -> Iterator[bytes]:
        number, link, pack = 0, "", hiredis.pack_command
        stream, private = self._keys.audit, self._keys.private
        for start in range(0, self._lives, LIVES_AT_ONCE):
            commands = []
            for life in range(start, min(start + LIVES_AT_ONCE, self._lives)):
                subject, words = f"PA-{life + 1}", list[object]()
                at = self._begin + timedelta(days=life / A_DAY)
                for body, private_words in zip(self._at(at, subject), self._words, strict=True):
                    number += 1
                    digest = hashlib.sha256(body).hexdigest()
                    link = linking(link, number, digest)
                    fields = ("body", body, "digest", digest, "link", link)
                    commands.append(pack(("XADD", stream, f"{number}-0", *fields)))
                    words += [number, private_words]
                commands.append(pack(("HSET", private, *words)))
                numbers = range(number - len(LIFE) + 1, number + 1)
                commands.append(pack(("RPUSH", self._keys.audit_of(subject), *numbers)))
            commands.append(pack(("SET", self._keys.audit_head, f"{number}:{link}")))
            yield b"".join(commands)

    def _at(self, at: datetime, subject: str) -> Iterator[bytes]:
        """The bodies of one life. All of it happens at once: numbers and times rise together."""
        said, about = at.isoformat().encode(), subject.encode()
        for body in self._bodies:
            yield body.replace(_AT.isoformat().encode(), said).replace(_SUBJECT.encode(), about)
