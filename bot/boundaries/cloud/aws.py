"""AWS is asked about the bucket of a state, and about who in its account may write there. It only reads.

Needs s3:GetBucketLocation, GetBucketVersioning, GetBucketPublicAccessBlock, GetBucketPolicy, and iam:ListRoles, ListUsers,
SimulatePrincipalPolicy; what it may not read is not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from bot.boundaries.model import Evidence, Place, no, unknown, yes
from bot.boundaries.terraform.live import Live
from bot.boundaries.terraform.policies import Policy, policy_in
from bot.boundaries.terraform.states import State

_REFUSED = "AccessDenied"
# Roles and users of one account that are asked about; more is not known.
_PEOPLE_MAX = 100
_LISTED_MAX = 2_000
_SSO = "/aws-reserved/sso.amazonaws.com/"
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class AwsLook:
    """`s3`, `iam`: clients of boto3. `account`: whose they are; a bucket of another one is not looked at."""

    def __init__(self, s3: Any, iam: Any, account: str) -> None:
        self._s3, self._iam, self._account = s3, iam, account
        self._people: list[str] | None = None

    def look(self, state: State, allowed: Sequence[str]) -> Live:
        """Nothing raises: what went wrong is not known, with why."""
        bucket = state.bucket or ""
        policy, known, said = self._policy(bucket)
        return Live(
            region=self._region(bucket, allowed),
            kept=(self._versions(bucket), self._closed(bucket), *said),
            policy=policy,
            policy_known=known,
            people=tuple(self._of_people(bucket, state.key or "*", policy, known)),
        )

    @property
    def _place(self) -> Place:
        return Place(where=f"AWS account {self._account}")

    def _asked(self, call: Any, bucket: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = call(Bucket=bucket, ExpectedBucketOwner=self._account)
        return answer

    def _not_told(self, what: str, problem: Exception) -> Evidence:
        return unknown(f"{what} is not told: AWS {_why(problem)}.", self._place)

    def _region(self, bucket: str, allowed: Sequence[str]) -> Evidence:
        try:
            region = self._asked(self._s3.get_bucket_location, bucket).get("LocationConstraint") or "us-east-1"
        except (ClientError, BotoCoreError) as problem:
            return self._not_told(f"The region of bucket {bucket}", problem)
        if not allowed:
            return unknown(
                f"Bucket {bucket} stands in {region}; where it may is not told (--region NAME).", self._place
            )
        if region in allowed:
            return yes(f"Bucket {bucket} stands in {region}.", self._place)
        return no(f"Bucket {bucket} stands in {region}, and not in {', '.join(allowed)}.", self._place)

    def _versions(self, bucket: str) -> Evidence:
        try:
            status = self._asked(self._s3.get_bucket_versioning, bucket).get("Status")
        except (ClientError, BotoCoreError) as problem:
            return self._not_told(f"Whether bucket {bucket} keeps versions", problem)
        if status == "Enabled":
            return yes(f"Bucket {bucket} keeps versions.", self._place)
        return no(f"Bucket {bucket} keeps no versions.", self._place)

    def _closed(self, bucket: str) -> Evidence:
        try:
            found = self._asked(self._s3.get_public_access_block, bucket)["PublicAccessBlockConfiguration"]
        except ClientError as problem:
            if _code(problem) == "NoSuchPublicAccessBlockConfiguration":
                return no(f"Bucket {bucket} has no public access block.", self._place)
            return self._not_told(f"Whether bucket {bucket} can be opened", problem)
        except BotoCoreError as problem:
            return self._not_told(f"Whether bucket {bucket} can be opened", problem)
        if all(found.get(name) is True for name in _BLOCKS):
            return yes(f"Bucket {bucket} cannot be opened to the public.", self._place)
        return no(f"Bucket {bucket} can be opened: its public access block does not have all four.", self._place)

    def _policy(self, bucket: str) -> tuple[Policy | None, bool, tuple[Evidence, ...]]:
        """The policy, whether that is known, and what else it tells."""
        try:
            text = str(self._asked(self._s3.get_bucket_policy, bucket)["Policy"])
        except ClientError as problem:
            if _code(problem) == "NoSuchBucketPolicy":
                return None, True, ()
            return None, False, (self._not_told(f"The policy of bucket {bucket}", problem),)
        except BotoCoreError as problem:
            return None, False, (self._not_told(f"The policy of bucket {bucket}", problem),)
        return policy_in(text, self._place), True, ()

    # ---------------------------------------------------------------- people

    def _of_people(self, bucket: str, key: str, policy: Policy | None, known: bool) -> Iterator[Evidence]:
        """Of roles and users in this account by their own policies; those of others need the bucket's policy to allow them."""
        if not known or (
            policy is not None and (not policy.complete or any(each.allows for each in policy.statements))
        ):
            yield unknown(f"Whom the policy of bucket {bucket} lets in besides is not worked out.", self._place)
        try:
            people = self._roles_of_people()
        except (ClientError, BotoCoreError) as problem:
            yield self._not_told("Which roles people can take on", problem)
            return
        if len(people) > _PEOPLE_MAX:
            yield unknown(
                f"{len(people)} roles and users of people are here, and {_PEOPLE_MAX} are asked about.", self._place
            )
        for arn in people[:_PEOPLE_MAX]:
            yield self._may_write(arn, bucket, key)

    def _roles_of_people(self) -> list[str]:
        if self._people is None:
            self._people = [*self._roles(), *(str(user["Arn"]) for user in self._all("list_users", "Users"))]
        return self._people

    def _roles(self) -> Iterator[str]:
        for role in self._all("list_roles", "Roles"):
            if str(role.get("Path", "")).startswith(_SSO) or _is_for_people(role.get("AssumeRolePolicyDocument")):
                yield str(role["Arn"])

    def _all(self, method: str, name: str) -> Iterator[Mapping[str, Any]]:
        for number, item in enumerate(
            item for page in self._iam.get_paginator(method).paginate() for item in page.get(name, ())
        ):
            if number >= _LISTED_MAX:
                raise _TooMany
            yield item

    def _may_write(self, arn: str, bucket: str, key: str) -> Evidence:
        objects, itself = f"arn:aws:s3:::{bucket}/{key}", f"arn:aws:s3:::{bucket}"
        try:
            results = [
                result
                for actions, resource in (
                    (["s3:PutObject", "s3:DeleteObject"], objects),
                    (["s3:PutBucketPolicy"], itself),
                )
                for result in self._iam.simulate_principal_policy(
                    PolicySourceArn=arn, ActionNames=actions, ResourceArns=[resource]
                )["EvaluationResults"]
            ]
        except (ClientError, BotoCoreError) as problem:
            return self._not_told(f"Whether {arn} can write bucket {bucket}", problem)
        decisions = {str(result.get("EvalDecision")) for result in results}
        if "allowed" in decisions:
            return no(f"{arn} can write bucket {bucket}.", self._place)
        if any(result.get("MissingContextValues") for result in results) or not decisions <= {
            "implicitDeny",
            "explicitDeny",
        }:
            return unknown(f"Whether {arn} can write bucket {bucket} hangs on what a session brings.", self._place)
        return yes(f"{arn} cannot write bucket {bucket}.", self._place)


class _TooMany(BotoCoreError):
    fmt = "has more roles or users than are read"


def _is_for_people(document: object) -> bool:
    """Whoever else than services and tokens of OpenID Connect can take it on counts as people."""
    data = json.loads(unquote(document)) if isinstance(document, str) else document
    policy = policy_in(json.dumps(data), Place())
    principals = [each for one in policy.statements if one.allows for each in one.principals]
    return not policy.complete or any(
        not each.startswith("Service:") and not (each.startswith("Federated:") and ":saml-provider/" not in each)
        for each in principals
    )


def _why(problem: Exception) -> str:
    if isinstance(problem, _TooMany):
        return problem.fmt
    if isinstance(problem, ClientError):
        code = _code(problem)
        return "refused it" if _REFUSED in code or code in ("403", "Forbidden") else f"answered {code}"
    return "could not be asked"


def _code(problem: ClientError) -> str:
    return str(problem.response.get("Error", {}).get("Code", "an error"))
