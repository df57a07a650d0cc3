"""Policy documents that mend what was found, ready to use but for words in capitals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.boundaries import questions as q
from bot.boundaries.model import Answer, Document, Verdict
from bot.boundaries.seen import Seen
from bot.boundaries.terraform.guard import BUCKET_WRITES, OBJECT_WRITES
from bot.boundaries.terraform.identities import Kind

_ACCOUNT, _ROLE, _REPOSITORY = "ACCOUNT_ID", "PIPELINE_ROLE", "OWNER/NAME"
_SET = "PERMISSION_SET_OF_A_GRANT"


def documents_for(seen: Seen, answers: Sequence[Answer]) -> tuple[Document, ...]:
    open_ = {answer.question for answer in answers if answer.verdict is not Verdict.YES}
    found: list[Document] = []
    if {q.STATE_WRITERS, q.STATE_PEOPLE} & open_:
        found += _bucket_policies(seen)
    if q.PIPELINE_TRUST in open_:
        found.append(Document("Trust policy of the pipeline's role", q.PIPELINE_TRUST, _text(_trust(seen))))
    return tuple(found)


def _bucket_policies(seen: Seen) -> Iterator[Document]:
    keys: dict[str, list[str]] = {}
    for state in seen.production_states:
        if state.bucket is not None:
            keys.setdefault(state.bucket, []).append(state.key if state.key and not state.workspaced else "*")
    for bucket, names in keys.items():
        title = f"Policy of bucket {bucket}: only the pipeline's role and grants write the state of production"
        yield Document(title, q.STATE_WRITERS, _text(guard_policy(bucket, names, writers_for(seen))))


def writers_for(seen: Seen) -> list[str]:
    """Role of the pipeline, and the permission sets that our policy gives in production for more than reading."""
    roles = [
        each.name
        for each in seen.identities
        if each.kind is Kind.PIPELINE
        and "." not in each.name
        and seen.production.says(f"{each.place.file} {each.name}")
    ]
    found = [f"arn:aws:iam::{_ACCOUNT}:role/{name}" for name in roles or [_ROLE]]
    return [*found, f"arn:aws:iam::{_ACCOUNT}:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_{_SET}_{'?' * 16}"]


def guard_policy(bucket: str, keys: Sequence[str], writers: Sequence[str]) -> Mapping[str, Any]:
    """Deny holds whatever else allows. The lock file stands beside the state."""
    arn = f"arn:aws:s3:::{bucket}"
    objects = [f"{arn}/{key}" for key in dict.fromkeys(keys)]
    objects += [f"{arn}/{key}.tflock" for key in dict.fromkeys(keys) if key != "*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _deny("WritersOfTheState", [*OBJECT_WRITES, "s3:ReplicateObject", "s3:ReplicateDelete"], objects, writers),
            # Whoever could change this policy could write, too; a rule of the bucket's life deletes.
            _deny("KeepersOfThisPolicy", [*BUCKET_WRITES, "s3:PutLifecycleConfiguration"], [arn], writers),
            {
                "Sid": "TlsAlone",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str], writers: Sequence[str]) -> Mapping[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(writers)}},
    }


def _trust(seen: Seen) -> Mapping[str, Any]:
    """Of GitHub, for one environment of one repository."""
    names = [each for job in seen.production_jobs for each in job.environments or () if seen.production.says(each)]
    environment = names[0] if names else "production"
    issuer = "token.actions.githubusercontent.com"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{_ACCOUNT}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        f"{issuer}:aud": "sts.amazonaws.com",
                        f"{issuer}:sub": f"repo:{_REPOSITORY}:environment:{environment}",
                    }
                },
            }
        ],
    }


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=True)
