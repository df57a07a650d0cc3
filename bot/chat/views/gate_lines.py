"""A pipeline's ask in words: what it wants to do, where its run and its differences are, who began it, and how it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from bot.chat.wording.labels import Stage, people
from workflows.core.durations import format_duration
from workflows.core.gates.ask import GateAsk, Starter
from workflows.core.pipelines.identity import Forge, Part, PipelineRun
from workflows.core.records.gate import Giving

# The gate that most have; of others it is said that they are passed.
DEPLOY = "deploy"
_COMMIT_SHOWN = 7
_STATES: Mapping[Stage, str] = {
    Stage.AGREED: "✅ Approved",
    Stage.SETTING_UP: "🔄 Being let on",
    Stage.USED: "🏁 Gone on",
    Stage.NOT_GIVEN: "❌ Not let on",
}
BEING_LOOKED_AT = "🔄 Being looked at"
_WANTS: Mapping[Stage, str] = {Stage.WAITING: "wants to", Stage.AGREED: "may", Stage.SETTING_UP: "may"}
# Of a gate that gives the pipeline's role something, once that is over, or ends.
_OVER = frozenset({Stage.REMOVING, Stage.STUCK, Stage.ENDED, Stage.REVOKED})
_PARTS: Mapping[Part, str] = {Part.STARTED: "started", Part.RE_RAN: "run again", Part.PUSHED: "pushed"}
# What of a forge's name may stand in an address as it is.
_PATH = re.compile(r"[A-Za-z0-9_.~/-]+")


def state_word(stage: Stage, otherwise: str, gate: GateAsk | None = None) -> str:
    """`gate`: None for whoever may not know what it is: so nothing is said that is not so of every forge."""
    if stage is Stage.USED and (gate is None or run_by_hand(gate)):
        return "🏁 Let on"
    if stage is Stage.AGREED and gate is not None and gate.emergency is not None:
        # Nobody has approved it.
        return "✅ May go on"
    return _STATES.get(stage, otherwise)


def run_by_hand(gate: GateAsk) -> bool:
    """GitLab starts no job because it was approved: somebody runs it there."""
    return bool(gate.rule) and gate.run.forge is Forge.GITLAB


def verb(gate: GateAsk, stage: Stage) -> tuple[str, str]:
    """Round the commit: `wants to deploy`, `to`; of another gate `wants to pass the gate release with`, `in`."""
    went_on = stage is Stage.USED or (gate.told_at is not None and (stage in _OVER or stage is Stage.ACTIVE))
    by_hand = stage is Stage.USED and run_by_hand(gate)
    may, went_on = stage is Stage.ACTIVE or by_hand, went_on and not by_hand
    wants = f"{'may' if may else _WANTS.get(stage, 'wanted to')}"
    if gate.gate == DEPLOY:
        done = "deployed" if stage in _OVER else "deploys"
        return done if went_on else f"{wants} deploy", "to"
    return f"{'passed' if went_on else f'{wants} pass'} the gate {gate.gate} with", "in"


def outsiders_verb(stage: Stage) -> str:
    """For whoever may know that there is one, and no more."""
    may, went = (Stage.AGREED, Stage.SETTING_UP), (Stage.ACTIVE, *_OVER)
    words = {Stage.WAITING: "waits at a gate", **dict.fromkeys(may, "may go on"), **dict.fromkeys(went, "went on")}
    words[Stage.USED] = "was let on"
    return words.get(stage, "waited at a gate")


def given(gives: Giving | None) -> str:
    """What the pipeline's own role has by it, for how long; empty: nothing."""
    if gives is None or gives.resource is None:
        return ""
    return f"{gives.resource.title}, for {format_duration(gives.duration)}"


def commit(gate: GateAsk) -> str:
    return gate.run.commit[:_COMMIT_SHOWN]


def differences(run: PipelineRun) -> str:
    """Where what the commit changes is shown, from proved claims alone; empty where there is nothing to link to."""
    return _at(run, f"{'/-' if run.forge is Forge.GITLAB else ''}/commit/{quote(run.commit, safe='')}")


def run_page(run: PipelineRun) -> str:
    """Where this very run is shown."""
    number, attempt, job = (quote(text, safe="") for text in (run.run, run.attempt, run.job))
    if run.forge is Forge.GITLAB:
        return _at(run, f"/-/jobs/{job}" if job.isdecimal() else f"/-/pipelines/{number}")
    return _at(run, f"/actions/runs/{number}/attempts/{attempt}")


def _at(run: PipelineRun, rest: str) -> str:
    """A name that could lead elsewhere becomes no link."""
    whole = run.server and _PATH.fullmatch(run.repository) and ".." not in run.repository
    return f"{run.server}/{run.repository}{rest}" if whole else ""


def run_words(run: PipelineRun) -> str:
    """`run 22259804324, attempt 2`."""
    again = f", attempt {run.attempt}" if run.attempt != "1" else ""
    return f"run {run.run}{again}"


def begun_by(gate: GateAsk) -> str:
    """`pushed and started by Dana Dev (dana-gh), run again by somebody unknown`."""
    found: dict[str, list[str]] = {}
    for one in gate.starters:
        parts = found.setdefault(_clock(gate, one) or _named(one), [])
        parts += [_PARTS[one.part]] if _PARTS[one.part] not in parts else []
    return ", ".join(f"{people(parts)} by {name}" for name, parts in found.items())


def _clock(gate: GateAsk, one: Starter) -> str:
    """What started it, where that is nobody."""
    alone = gate.by_itself and one.part is Part.STARTED and one.person is None
    return {"schedule": "a schedule"}.get(gate.run.event, "the merge queue") if alone else ""


def _named(one: Starter) -> str:
    if one.person is not None:
        who = _called(one.person_name)
        return f"{who} ({one.name})" if one.name and one.name != who else who
    return f"{one.name}, whom nobody here is known to be" if one.name else "somebody unknown"


def _called(name: str) -> str:
    """Somebody whom the chat has not introduced yet stands there by address: no channel reads that."""
    local, at, _ = name.partition("@")
    return " ".join(part.capitalize() for part in local.replace(".", " ").split()) if at else name


def one_more(gate: GateAsk) -> str:
    """Why more must agree than the policy asks for otherwise; empty where nobody more has to."""
    number = len(gate.unknown)
    if not number:
        return ""
    unknown = {one.one for one in gate.unknown}
    parts = people(
        dict.fromkeys(
            _PARTS[one.part]
            for one in gate.starters
            if one.person is None and one.one in unknown and not (_clock(gate, one) and len(gate.starters) > 1)
        ),
        "or",
    )
    more = "one more has to agree" if number == 1 else f"{number} more have to agree"
    return f"Nobody knows who {parts.replace('run again', 'ran again')} this, so {more}."
