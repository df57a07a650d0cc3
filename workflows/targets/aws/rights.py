"""What the worker may do in AWS, as far as AWS tells without anything being done: who it is, which accounts there are, and IAM's
own simulation. The last two need rights that the worker does not need for its work (`worker-policy.doctor.json`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workflows.core.finding import Finding, broken, ok, skipped
from workflows.ports import TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.connections import Link
from workflows.targets.aws.errors import Denied, Missing

_ROLE = re.compile(r"arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/.+")
_USER = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:user/.+")
OPTIONAL = "deploy/aws/worker-policy.doctor.json lets it ask; else the first grant and its removal show it"
# IAM simulates so many in one call, as far as anybody needs it here.
_THINGS_MAX = 40


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom we call. `date`: AWS's time of the answer, as HTTP writes it."""

    arn: str
    account: str
    date: str

    @property
    def source(self) -> str | None:
        """Whose policies IAM simulates; None for what has none, a root user, say. Of a role no path is told: none is assumed."""
        role = _ROLE.fullmatch(self.arn)
        if role is not None:
            return f"arn:{role[1]}:iam::{role[2]}:role/{role[3]}"
        return self.arn if _USER.fullmatch(self.arn) else None


@dataclass(frozen=True, slots=True)
class Plea:
    """The two calls that give something and take it away, and on what."""

    gives: str
    takes: str
    things: tuple[str, ...]


def identity(link: Link) -> Identity:
    """Raises as `Door.read`."""
    said = link.sts.read("sts GetCallerIdentity", lambda client: client.get_caller_identity())
    headers = said["ResponseMetadata"].get("HTTPHeaders", {})
    return Identity(said["Arn"], said["Account"], headers.get("date", ""))


def account(link: Link, id_: str) -> str | bool | None:
    """Its state (`ACTIVE`), False where the organisation has no such account, None where that cannot be asked."""
    try:
        found: str = link.org.read(
            "organizations DescribeAccount",
            lambda client: client.describe_account(AccountId=id_)["Account"]["Status"],
        )
    except Missing:
        return False
    except (TargetRefused, TargetInDoubt, TargetThrottled):
        return None
    return found


def examined(link: Link, who: Identity, plea: Plea) -> Finding:
    """By IAM's simulation of the caller's own policies."""
    what = f"{plea.gives.partition(':')[2]}, {plea.takes.partition(':')[2]}"
    if who.source is None:
        return skipped("targets.rights", what, f"{who.arn} has no policies that IAM could simulate", OPTIONAL)
    try:
        refused, depends = _simulated(link, who.source, plea)
    except Denied:
        words = "whether the worker may is not known: it may not ask (iam:SimulatePrincipalPolicy)"
        return skipped("targets.rights", what, words, OPTIONAL)
    except (TargetRefused, TargetInDoubt, TargetThrottled) as problem:
        words = f"whether the worker may is not known: {getattr(problem, 'words', problem)}"
        return skipped("targets.rights", what, words, OPTIONAL)
    if refused:
        action, thing = refused[0]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        after = ": what was given could not be taken away" if any(one == plea.takes for one, _ in refused) else ""
        words = f"the worker may not {action} on {thing}{more}{after}"
        return broken("targets.rights", what, words, "give its role the rights of deploy/aws/README.md")
    if depends:
        words = f"it depends on tags and boundaries, which a simulation does not see: {', '.join(depends)}"
        return skipped("targets.rights", what, words, "the first grant shows it")
    asked = f"the first {_THINGS_MAX} of" if len(plea.things) > _THINGS_MAX else "all"
    return ok("targets.rights", what, f"the worker may, on {asked} {len(plea.things)} that the policy names")


def _simulated(link: Link, source: str, plea: Plea) -> tuple[list[tuple[str, str]], list[str]]:
    """What is refused: action and thing; and what depends on more than is known. Raises as `Door.every`."""
    results = link.iam.every(
        "iam SimulatePrincipalPolicy",
        "EvaluationResults",
        lambda client, more: client.simulate_principal_policy(
            PolicySourceArn=source,
            ActionNames=[plea.gives, plea.takes],
            ResourceArns=list(plea.things[:_THINGS_MAX]),
            **more,
        ),
    )
    denied = [one for one in results if one["EvalDecision"] != "allowed"]
    depends = {one["EvalActionName"] for one in denied if one.get("MissingContextValues")}
    refused = [
        (one["EvalActionName"], one.get("EvalResourceName", "*"))
        for one in denied
        if not one.get("MissingContextValues")
    ]
    return refused, sorted(depends)
