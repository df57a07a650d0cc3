"""All twelve answers, and what was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from bot.boundaries.answers import access, owners, pipelines, states
from bot.boundaries.mending import documents_for
from bot.boundaries.model import Report, cleaned
from bot.boundaries.questions import ASK
from bot.boundaries.reading.kinds import Kind, kind_of
from bot.boundaries.seen import Seen, shown_only

_ASKED = (
    states.apart,
    states.locked,
    states.in_region,
    states.kept,
    access.writers,
    access.people,
    pipelines.waits,
    pipelines.branches,
    pipelines.outsiders,
    access.trust,
    owners.named,
    owners.review,
)
_LISTED_MAX = 8


def report_of(seen: Seen, folder: str) -> Report:
    answers = tuple(ask(seen) for ask in _ASKED)
    return cleaned(Report(folder, tuple(_seen(seen)), tuple(_not_seen(seen)), answers, documents_for(seen, answers)))


def _seen(seen: Seen) -> Iterator[str]:
    files = len(seen.checkout.texts)
    parts = (_count(len(seen.states), "state of Terraform"), _count(len(seen.jobs), "job"))
    yield f"{_count(files, 'file')} read: {', '.join(parts)}."
    production = [state.title for state in seen.production_states]
    if production:
        yield f"States of production: {_list(production)}."
    if seen.production_jobs:
        yield f"Jobs of production: {_list([f'{job.id} ({job.place.file})' for job in seen.production_jobs])}."
    yield from (f"Policy folder: {policy.folder or '.'}." for policy in seen.policies)


def _not_seen(seen: Seen) -> Iterator[str]:
    for left in seen.left[:_LISTED_MAX]:
        yield f"{left.path} {left.why}."
    if len(seen.left) > _LISTED_MAX:
        yield f"And {len(seen.left) - _LISTED_MAX} more that were not read."
    partial = [str(state.place) for state in seen.states if state.partial]
    if partial:
        yield f"Backends that get the rest at terraform init: {_list(partial)}."
    yield from _elsewhere(seen)
    if seen.checkout.passed_by:
        yield f"Folders of other people's code, and those with a dot: {_list(list(seen.checkout.passed_by))}."
    yield "What is really applied: Terraform here is taken at its word. Variables and what they are set to: they stay unknown."
    yield "Credentials that are kept elsewhere: on laptops, in other pipelines, in other repositories."
    yield "What deploys by itself from here or from a registry (Argo CD, Flux); scripts that jobs run."
    yield "Whoever administers the cloud's accounts, or the forge, can change all of this."
    if not (seen.checkout.root / ".git").exists():
        yield "This is not the root of a checkout of git: pipelines and code owners stand there."
    yield "A workflow in another branch may say something else: questions 8 and 10 tell whether production would take it."
    yield from _of_forges(seen)
    if not seen.live:
        yield "AWS was not asked (--aws)."
    else:
        yield "Roles of people were asked about by their own policies, in the account of the bucket; its root user was not."


def _of_forges(seen: Seen) -> Iterator[str]:
    """What each that was asked does not tell, and who was not asked of those that this checkout is for."""
    for rules in seen.rules.values():
        yield from rules.notes()
    for forge in dict.fromkeys((seen.forge, *(job.forge for job in seen.jobs))):
        if forge not in seen.rules:
            how = ASK[forge].partition(" asks")[0]
            what = "rules of environments, protected branches, and administrators who pass them by"
            yield f"{forge} was not asked ({how}): {what}."


def _elsewhere(seen: Seen) -> Iterator[str]:
    modules = sorted(
        {
            source
            for stanza in seen.terraform.all("module")
            if (source := seen.terraform.text(stanza.folder, stanza.block.get("source")) or "?")
            and not source.startswith(".")
        }
    )
    if modules:
        yield f"Modules from elsewhere: {_list(modules)}."
    remote = sorted({one.text for one in (*seen.workflows.remote, *seen.gitlab.remote)})
    if remote:
        yield f"Workflows from elsewhere: {_list(remote)}."
    if seen.workflows.not_called:
        yield f"Workflows that others call, and none here does: {_list(list(seen.workflows.not_called))}."
    shown = sorted({path.rpartition("/")[0] for path in shown_only(seen.checkout)})
    if shown:
        yield f"Terraform that shows something: {_list(shown)}."
    if any(kind_of(name) is Kind.SUBMODULES for name in seen.checkout.names):
        yield "Submodules of git."
    configs = sorted(name for name in seen.checkout.names if kind_of(name) is Kind.BACKEND_CONFIG)
    if configs:
        yield f"Values for partial backends: {_list(configs)}."


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return ", ".join(name[:120] for name in names[:_LISTED_MAX]) + more


def _count(number: int, what: str) -> str:
    """`2 states of Terraform`"""
    word, blank, rest = what.partition(" ")
    return f"{number} {word}{'' if number == 1 else 's'}{blank}{rest}"
