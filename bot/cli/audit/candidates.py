"""Public keys that came with a log. None is believed but for the fingerprint that an auditor brings along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from workflows.core.seal.public_key import NotAPublicKey, PublicKey, Seal, public_key_from
from workflows.core.seal.statement import BadSeal, key_change_in
from workflows.core.seal.trust import key_named

_FINGERPRINT = re.compile(r"[0-9a-fA-F]{64}")
# A public key in PEM has less than 200.
_CHARS_MAX = 16_384


class NoKey(ValueError):
    """The message is one sentence. `typed_wrongly`: what was given is neither a key nor a fingerprint."""

    def __init__(self, sentence: str, *, typed_wrongly: bool = True) -> None:
        super().__init__(sentence)
        self.typed_wrongly = typed_wrongly


def is_fingerprint(key: str) -> bool:
    return _FINGERPRINT.fullmatch(key) is not None


def key_given(key: str, found: Iterable[PublicKey]) -> PublicKey:
    """What `--key` names. `found`: keys that came with what is checked, believed for nothing but the fingerprint that was given.

    Raises NoKey.
    """
    if is_fingerprint(key):
        known = key_named(key, tuple(found))
        if known is None:
            raise NoKey(
                f"No key here has the fingerprint {key[:12]}…: it was replaced, this is another installation's log, or nothing "
                "is sealed yet. Give the public key's file with --key to be sure.",
                typed_wrongly=False,
            )
        return known
    try:
        with Path(key).open(encoding="utf-8") as file:
            return public_key_from(file.read(_CHARS_MAX))
    except NotAPublicKey:
        raise NoKey(f"{key} holds no public key in PEM: `prodaccess audit keygen` writes one with --public.") from None
    except UnicodeDecodeError:
        raise NoKey(f"{key} is no text: give the public key in PEM, or its fingerprint.") from None
    except OSError as problem:
        raise NoKey(
            f"{key} is no fingerprint (64 of 0-9 and a-f), and no file that can be read: {problem.strerror}."
        ) from None


def candidates(public_key: str, changes: Iterable[Seal]) -> Iterator[PublicKey]:
    """`public_key`: PEM, or empty."""
    for pem in (public_key, *_handed_over(changes)):
        try:
            yield public_key_from(pem)
        except NotAPublicKey:
            continue


def _handed_over(changes: Iterable[Seal]) -> Iterator[str]:
    for change in changes:
        try:
            said = key_change_in(change.statement)
        except BadSeal:
            continue
        yield from (said.old_key, said.new_key)
