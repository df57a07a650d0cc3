"""Pipelines that the policy names: whether `web` can prove who they are, and whether they reach it. Nothing is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.doctor.context import Context, elsewhere
from workflows.core.finding import Finding, attention, broken, ok, skipped
from workflows.core.pipelines.allowed import Pipeline
from workflows.core.pipelines.judge import issuers

# An ask that there never is: numbers begin at 1.
NO_ASK = "/gate/v1/asks/PA-0"
SEE = "docs/gate.md"


def look(context: Context) -> Iterator[Finding]:
    pipelines = context.policy.pipelines if context.policy else ()
    if not pipelines:
        return
    yield _address(context)
    for issuer in dict.fromkeys(issuers(pipelines)):
        yield _issuer(context, issuer, pipelines)


def _address(context: Context) -> Finding:
    from bot.gate.client import NoAnswer, call  # noqa: PLC0415 - where there are pipelines

    what, url = "PRODACCESS_URL", context.settings.url
    if url is None:
        words = "the policy names pipelines, and without it none can ask"
        if context.needs("web"):
            return broken("pipelines.url", what, words, f"set it to the address at which they reach web; {SEE}")
        return skipped("pipelines.url", what, "it is not set here", elsewhere("web"))
    try:
        answer = call("GET", f"{url}{NO_ASK}", "Bearer nobody")
    except NoAnswer as problem:
        mend = "start web, or look at the address; it may be one that pipelines reach and this machine does not"
        return attention("pipelines.url", what, f"what stands there {problem} from here", mend)
    if answer.text("error") == "unknown":
        return ok("pipelines.url", what, "the gate answers there")
    words = f"what stands there is not the gate of a web that has it ({answer.status})"
    return broken("pipelines.url", what, words, f"look at the address, and at web's own PRODACCESS_URL; {SEE}")


def _issuer(context: Context, issuer: str, pipelines: tuple[Pipeline, ...]) -> Finding:
    from bot.cloud_credentials import may_be_this_machine  # noqa: PLC0415 - as above
    from bot.directory.http_json import NotFetched  # noqa: PLC0415 - as above
    from bot.gate.issuers import fetch, listed  # noqa: PLC0415 - as above

    check, what = "pipelines.issuer", f"issuer {urlsplit(issuer).hostname}"
    names = ", ".join(one.name for one in pipelines if one.issuer == issuer)
    if context.settings.aws_is_real and may_be_this_machine(issuer):
        words = f"it is on this machine, so it is not believed beside a real cloud: {names} cannot ask"
        return broken(check, what, words, "name the forge's own issuer; one on this machine is for tests")
    try:
        count = len(listed(issuer, fetch))
    except NotFetched as problem:
        tell = broken if context.needs("web") else attention
        return tell(check, what, f"it {problem}: {names} cannot ask", f"let web reach it by https; {SEE}")
    return ok(check, what, f"it lists {count} {'key' if count == 1 else 'keys'} that can sign")
