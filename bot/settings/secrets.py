"""Every secret of a process, and the thread that looks at their files again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bot.settings.names import SECRETS, variable
from bot.settings.redis_url import passwords
from bot.settings.secret import Secret
from bot.settings.secret_files import Check, SecretFile, Unusable, read_values

LOOK_EVERY_S = 2.0

Hide = Callable[[Iterable[str]], object]


class Secrets:
    """`held`: by field. `files`: of those that a file gives. `environ`: where those stand that the policy names."""

    def __init__(
        self, held: Mapping[str, Secret], files: Mapping[str, SecretFile], environ: Mapping[str, str] | None = None
    ) -> None:
        self._held = dict(held)
        self._files = dict(files)
        self._environ: Mapping[str, str] = environ or {}
        self._named: dict[str, Secret] = {}
        self._hide: Hide = _nobody
        self._lock = threading.Lock()

    def __eq__(self, other: object) -> bool:
        """By what they hold."""
        return isinstance(other, Secrets) and self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # what they hold changes

    def of(self, field: str) -> Secret | None:
        """The secret of a field of the settings; None where it is not set."""
        return self._held.get(field)

    def named(self, name: str) -> Secret | None:
        """The secret that the policy calls `{env: NAME}`. Its file is read each time; half written it changes nothing."""
        found = named_values(name, self._environ)
        with self._lock:
            known = self._named.get(name)
            if found is None or (not found and known is None):
                return None
            if known is None:
                known = self._named[name] = Secret(name, found, from_file=not self._environ.get(name))
        if found:
            self._hide(found)
            known.change(found)
        return known

    def named_value(self, name: str) -> str | None:
        secret = self.named(name)
        return secret.best() if secret is not None else None

    def named_refused(self, name: str) -> bool:
        """What `named_value` gave was refused. Whether there is another value to try."""
        secret = self._named.get(name)
        return secret is not None and secret.refused(secret.best())

    def values(self) -> tuple[str, ...]:
        """Every value in plain text, and passwords in addresses alone, for the log to look for. Show them to nobody."""
        return tuple(each for secret in self._held.values() for value in secret.values for each in _forms(value))

    def attention(self) -> list[str]:
        """What somebody has to look at, although work goes on. Names variables and files, never a value."""
        secrets = [*self._held.values(), *self._named.values()]
        refused = [_REFUSED.format(secret.name) for secret in secrets if secret.newest_is_refused()]
        unread = [(field, file.problem()) for field, file in self._files.items()]
        return refused + [_UNREAD.format(variable(field), why) for field, why in unread if why]

    def look(self) -> None:
        """At every file, once. What is new is hidden in the log before anybody uses it."""
        for field, file in self._files.items():
            if found := file.look():
                self._hide([each for value in found for each in _forms(value)])
                self._held[field].change(found)

    def watch(self, hide: Hide, say: Callable[[str], object]) -> None:
        """From now on, while the process runs. `hide`: is told every value that the log must not show. `say`: is told what
        somebody has to look at, when it is news.
        """
        self._hide = hide
        hide(self.values())
        if any(name.endswith("_FILE") for name in self._environ):
            threading.Thread(target=self._keep_looking, args=(say,), name="secrets", daemon=True).start()

    def _keep_looking(self, say: Callable[[str], object]) -> None:
        pause, told = threading.Event(), frozenset[str]()
        while not pause.wait(LOOK_EVERY_S):
            self.look()
            known, told = told, frozenset(self.attention())
            for sentence in sorted(told - known):
                say(sentence)


def named_values(name: str, environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """From NAME, or the file that NAME_FILE names; nothing where that gives none, None where there is neither.

    Our own secrets and the cloud's are no business of an address in the policy, whatever it calls them.
    """
    ours = {variable(field) for field in SECRETS} | {f"{variable(field)}_FILE" for field in SECRETS}
    return None if name in ours or name.startswith("AWS_") else values_of(name, environ)


def values_of(name: str, environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The same of any secret: for a command that itself says which one it takes."""
    plain, file = environ.get(name), environ.get(f"{name}_FILE")
    if plain or not file:
        return (plain,) if plain else None
    try:
        return read_values(Path(file))
    except Unusable:
        return ()


def same_server(first: str) -> Check:
    """Of REDIS_URL: user and password may change while a process runs, the server may not."""

    def check(values: Iterable[str]) -> str | None:
        if {_server(value) for value in values} == {_server(first)}:
            return None
        return "names another server than the one that this process was started with: start it again"

    return check


def _server(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _forms(value: str) -> tuple[str, ...]:
    with suppress(ValueError):
        return (value, *passwords(value)) if "://" in value else (value,)
    return (value,)


def _nobody(_values: Iterable[str]) -> None:
    """Nothing is logged where nobody has said how."""


_REFUSED = (
    "The newest value of {0}, the first line of its file, is refused; another line of it is used. Make the new value "
    "valid, or take its line out."
)
_UNREAD = "{0}_FILE names {1}. What it held before is used."
