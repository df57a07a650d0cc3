"""The variables of whoever the look is for: what is wrong with them, and what is not set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.doctor.context import Context
from bot.settings import PROCESSES, Settings, for_process, load_settings, variable, without_workers_keys
from bot.settings.names import MICROSOFT, SLACK_APP, TEAMS_APP
from workflows.core.finding import Finding, broken, ok, skipped

_WHAT = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
# Any address will do: `up` starts a server of its own.
_OWN_SERVER = {"REDIS_URL": "redis://127.0.0.1/0"}
_TOGETHER = (
    {variable(field) for field in (*SLACK_APP, "slack_api_url")},
    {variable(field) for field in (*TEAMS_APP, *MICROSOFT)},
)
SEE = "docs/operations.md, Variables, says what each may be"


def look(context: Context) -> Iterator[Finding]:
    problems = {_named(sentence): sentence for sentence in (*_missing(context), *context.problems)}
    for name, sentence in problems.items():
        what = name if _WHAT.fullmatch(name) else "variables"
        yield broken("variables.values", what, sentence, _mend(what, sentence))
    given = [name for field in Settings.model_fields if (name := variable(field)) in _set(context)]
    if given and not problems:
        yield ok("variables.values", "variables", f"{len(given)} set, and each is what it may be")
    elif not given and not problems:
        yield skipped(
            "variables.values",
            "variables",
            "none of an installation is set here",
            "`prodaccess init` writes a .env; or run this where a process runs, with --process NAME",
        )


def _named(sentence: str) -> str:
    """The variable that a sentence is about: of several that are about one, one is told."""
    found = _WHAT.match(sentence)
    return found[0] if found else sentence.partition(":")[0]


def _set(context: Context) -> set[str]:
    return {name.removesuffix("_FILE") for name, value in context.environ.items() if value}


def _missing(context: Context) -> Iterator[str]:
    """What the process, or all of them under `up`, would refuse to start without."""
    if context.whom is None:
        return
    later = _OWN_SERVER if context.whom == "up" and context.settings.redis_url is None else {}
    for process in PROCESSES if context.whom == "up" else (context.whom,):
        given = {**context.environ, **later}
        hand_on = context.whom == "up" and process != "worker"
        found = for_process(process, without_workers_keys(given) if hand_on else given)
        yield from found if isinstance(found, tuple) else ()


def _mend(name: str, sentence: str) -> str:
    return f"set {name}; {SEE}" if "is not set" in sentence else SEE


def readable(environ: dict[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings without the variables that are wrong, so that one slip hides nothing else; and every problem."""
    found = load_settings(environ)
    if not isinstance(found, tuple):
        return found, ()
    named = {name for sentence in found for name in _WHAT.findall(sentence)}
    for together in _TOGETHER:
        # A secret is sent to no address but the one that was meant for it.
        named |= together if named & together else set()
    kept = {
        name: value for name, value in environ.items() if name.removesuffix("_FILE") not in named and name not in named
    }
    again = load_settings(kept)
    return (again if not isinstance(again, tuple) else Settings()), found
