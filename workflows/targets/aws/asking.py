"""A question to AWS that becomes a line for people: what was asked for, or why there is none and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from workflows.core.finding import Finding, broken, skipped, unknown
from workflows.core.refusal import Code, Refused
from workflows.ports import NoCredentials, TargetInDoubt, TargetRefused, TargetThrottled
from workflows.targets.aws.errors import Denied

T = TypeVar("T")

SEE = "deploy/aws/README.md"


def attempt(check: str, what: str, call: Callable[[], T | Refused], mend: str) -> T | Finding:
    """What was asked for, or the line that says why not."""
    try:
        found = call()
    except NoCredentials as problem:
        return skipped(check, what, problem.words, mend)
    except Denied as problem:
        return broken(check, what, problem.words, f"give the worker the rights of {SEE}")
    except TargetRefused as problem:
        return broken(check, what, problem.words, mend)
    except (TargetInDoubt, TargetThrottled) as problem:
        return unknown(check, what, str(problem), "run it again in a minute")
    if isinstance(found, Refused):
        return broken(check, what, words_of(found), mend)
    return found


def words_of(refused: Refused) -> str:
    """What is not there, without a full stop."""
    said: Any = {name: str(value) for name, value in refused.params.items()}
    match refused.code:
        case Code.TARGET_PERSON_MISSING if "disabled" in said:
            return f"{said['address']} is disabled in {said['where']}"
        case Code.TARGET_PERSON_MISSING:
            hint = f"; with `{said['setting']}` on the connection they would be found" if "setting" in said else ""
            return f"{said['address']} is nobody in {said['where']}{hint}"
        case Code.TARGET_PERSON_AMBIGUOUS:
            return f"several users have the address {said['address']} in {said['where']}"
        case Code.TARGET_PERSON_NOT_TAGGED:
            return f"the IAM user {said['user']} does not carry the tag {said['tag']} = {said['address']}"
        case Code.TARGET_NO_ROOM:
            left, needed = said["left"], said["needed"]
            return f"the IAM user {said['user']} has room for {left} more characters of policy, and {needed} are needed"
        case Code.TARGET_THING_MISSING:
            return f"there is no {said['thing']} in {said['where']}"
    return said.get("words") or f"it is refused ({refused.code})"
