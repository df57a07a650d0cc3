"""Whom the words of an audit entry name: under the keys of all of them they stand in the archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from workflows.core.identity import ADDRESS_LENGTH_MAX

# Words that name nobody who is known: what operators type of themselves, how a policy was changed.
NOBODY = "nobody"
_RUN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~@-]+")
# And which of the people who have had an address, see identity.next_person.
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:~[0-9]+)?")
# An address may have these before its `@`, and people write them in front of one: `'dana@example.com'`, `by=dana@example.com`.
_AROUND = re.compile(r"[!#$%&'*/=?^`{|}~]")


def names_in(words: Mapping[str, str]) -> frozenset[str]:
    """What could be a person or an address, in lower case, wherever it stands: somebody's address in a reason counts.

    A name alone does not say whose it is.
    """
    return frozenset(name.lower() for text in words.values() for run in _RUN.findall(text) for name in _names(run))


def _names(run: str) -> Iterator[str]:
    for before, after in pairwise(run.split("@")):
        domain, local = _DOMAIN.match(after), before[-ADDRESS_LENGTH_MAX:]
        if domain is not None:
            starts = (0, *(mark.end() for mark in _AROUND.finditer(local)))
            yield from (f"{local[start:]}@{domain[0]}" for start in starts if local[start:])
