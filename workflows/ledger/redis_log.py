"""Puts audit entries back that the ledger lacks, between those that it has in common with the archive and those that came later.

The log is made anew beside the old one and takes its place in one step, so that whatever is killed when, one of the two stands
there whole; another run begins again. Nobody may write meanwhile. It takes as much memory again as the log has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import redis

from workflows.core.audit_check import StoredEntry, linking, subject_of
from workflows.ledger.keys import Keys
from workflows.ledger.scripts import Server, script, text

_AT_ONCE = 500
_MADE = ":rebuilding"


class RedisLog:
    """`client`: of a user who may do all below the prefix. `entries`: pages of what the ledger has, as `stored_entries`."""

    def __init__(self, client: redis.Redis, prefix: str = "prodaccess:") -> None:
        self._server = Server(client)
        self._keys = Keys(prefix)
        self._stream, self._private = self._keys.audit + _MADE, self._keys.private + _MADE

    def put_back(
        self, common: int, link: str, entries: Iterable[StoredEntry], later: Iterable[StoredEntry], first_later: int
    ) -> int:
        """Behind the first `common` entries, the newest of which has `link`: `entries`, under their own numbers, then `later`
        under new ones from `first_later` on. Returns the newest number. Raises LedgerUnreachable.
        """
        self._server.call("DEL", self._stream, self._private)
        self._copy(common)
        lists: defaultdict[str, list[int]] = defaultdict(list)
        newest = self._add(common, link, _numbered(entries, later, first_later), lists)
        self._write_lists(common, lists)
        names = [self._stream, self._private, self._keys.audit, self._keys.private, self._keys.audit_head]
        self._server.run(script("log_swap"), names, [newest])
        return int(newest.partition(":")[0])

    def _copy(self, common: int) -> None:
        names, last = [self._keys.audit, self._keys.private, self._stream, self._private], 0
        while last < common:
            copied = int(self._server.run(script("log_copy"), names, [last, common, _AT_ONCE]))
            if copied == last:
                return
            last = copied

    def _add(self, number: int, link: str, entries: Iterator[StoredEntry], lists: defaultdict[str, list[int]]) -> str:
        """Returns `<number>:<link>` of the newest."""
        while part := list(islice(entries, _AT_ONCE)):
            commands: list[Sequence[Any]] = []
            for entry in part:
                link = linking(link, entry.number, entry.digest)
                fields = ("body", entry.body, "digest", entry.digest, "link", link)
                commands.append(("XADD", self._stream, f"{entry.number}-0", *fields))
                if entry.private is not None:
                    commands.append(("HSET", self._private, entry.number, entry.private))
                lists[subject_of(entry)].append(entry.number)
            self._send(commands)
            number = part[-1].number
        return f"{number}:{link}"

    def _write_lists(self, common: int, lists: dict[str, list[int]]) -> None:
        """Each subject's list: what it had of the common entries, and what comes after. Doing it again changes nothing."""
        left = iter(lists.items())
        while part := list(islice(left, _AT_ONCE)):
            names = [self._keys.audit_of(subject) for subject, _ in part]
            found = self._send([("LRANGE", name, 0, -1) for name in names])
            commands: list[Sequence[Any]] = []
            for name, kept, (_, numbers) in zip(names, found, part, strict=True):
                whole = [*(one for one in map(int, map(text, kept)) if one <= common), *numbers]
                commands += [("DEL", name), *(("RPUSH", name, *some) for some in _parts(whole))]
            self._send(commands)

    def _send(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        answers = self._server.pipeline(lambda pipe: [pipe.execute_command(*command) for command in commands])
        for answer in answers:
            if isinstance(answer, redis.RedisError):
                raise self._server.explain(answer)
        return answers


def _numbered(entries: Iterable[StoredEntry], later: Iterable[StoredEntry], first_later: int) -> Iterator[StoredEntry]:
    yield from entries
    for number, entry in enumerate(later, first_later):
        yield StoredEntry(number, entry.body, entry.digest, entry.private)


def _parts(numbers: list[int]) -> Iterator[list[int]]:
    return (numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE))
