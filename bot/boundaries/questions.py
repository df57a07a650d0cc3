"""The twelve questions. Each is asked so that `yes` is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """`id`: for programs, and stays. `fault`: what a `no` is called where only faults are listed.

    `mend`: what makes a `no` a `yes`. `look`: where to look when it is not known.
    """

    id: str
    words: str
    fault: str
    mend: str
    look: str


STATE_APART = "state-apart"
STATE_LOCKED = "state-locked"
STATE_REGION = "state-region"
STATE_BUCKET = "state-bucket"
STATE_WRITERS = "state-writers"
STATE_PEOPLE = "state-people"
PIPELINE_APPROVAL = "pipeline-approval"
PIPELINE_BRANCH = "pipeline-branch"
PIPELINE_OUTSIDERS = "pipeline-outsiders"
PIPELINE_TRUST = "pipeline-trust"
OWNER_NAMED = "owner-named"
OWNER_REVIEWS = "owner-reviews"

_GUARD = (
    "Deny writing to all but the pipeline's role and the permission set of grants, in the bucket's policy: "
    "where the bucket is known, one stands below."
)
# How a forge is asked, by its name.
ASK: Mapping[str, str] = {
    "GitHub": "--github OWNER/NAME asks GitHub",
    "GitLab": "--gitlab GROUP/NAME asks GitLab",
}
_FORGES = f"{ASK['GitHub']}, {ASK['GitLab']}"

_ALL = (
    Question(
        STATE_APART,
        "Is the state of production apart from every other one?",
        "the state of production is shared",
        "Give the state of production a bucket of its own, and move it: terraform init -migrate-state.",
        "Write bucket and key into the backend of each root module, and let folders or keys say which is production.",
    ),
    Question(
        STATE_LOCKED,
        "Is it locked while it is written?",
        "the state of production is not locked",
        "Set use_lockfile = true in the backend (Terraform 1.10) or dynamodb_table, and take -lock=false out of pipelines.",
        "Write the lock into the backend itself: use_lockfile = true.",
    ),
    Question(
        STATE_REGION,
        "Does it stand in a region where it may?",
        "the state of production stands in a region where it may not",
        "Move the state to a bucket in a region where production may be, or allow the region: --region NAME.",
        "Write region into the backend and into production's provider, or say what is allowed: --region NAME.",
    ),
    Question(
        STATE_BUCKET,
        "Is its bucket versioned, encrypted and private?",
        "the bucket of production's state is open, or keeps no versions",
        "Add aws_s3_bucket_versioning (Enabled) and aws_s3_bucket_public_access_block (all four true) for that bucket.",
        "Look at the bucket itself (--aws), or keep it in Terraform of this checkout.",
    ),
    Question(
        STATE_WRITERS,
        "Can only the pipeline, and a grant, write it?",
        "others than the pipeline can write the state of production",
        _GUARD,
        f"{_GUARD} --aws reads the one that is there.",
    ),
    Question(
        STATE_PEOPLE,
        "Is it closed to the roles of people?",
        "a person's role can write the state of production",
        _GUARD,
        "Let the bucket's policy deny it to all people's roles, or ask AWS (--aws).",
    ),
    Question(
        PIPELINE_APPROVAL,
        "Does the pipeline to production wait until somebody agrees?",
        "a pipeline reaches production without an approval",
        "Give the job an environment with required reviewers, without self-review and without a bypass for administrators; "
        "or a gate that is enforced (docs/gate.md).",
        f"Give each job that holds something an environment; {_FORGES} for its rules.",
    ),
    Question(
        PIPELINE_BRANCH,
        "Does production take protected branches alone?",
        "a branch that nobody protects reaches production",
        "Let the environment take protected branches alone (Settings, Environments, Deployment branches), "
        "and protect the branch, for administrators, too.",
        f"{_FORGES}: files do not tell which branches are protected.",
    ),
    Question(
        PIPELINE_OUTSIDERS,
        "Are runs that outsiders can start kept from credentials?",
        "a run that outsiders can start reaches credentials",
        "Take the event out of that workflow, or the credential out of the job: build there, and deploy after the merge.",
        "Split the workflow: what outsiders can start holds no secret, no id-token, no environment, "
        "and runs on the forge's machines.",
    ),
    Question(
        PIPELINE_TRUST,
        "Does production's role trust runs that are named exactly?",
        "production's role trusts runs by a pattern",
        "Let the trust policy ask for aud and for sub with StringEquals: the one below is ready. Keys that last go.",
        "Write the role and its trust policy into this checkout, with sub as plain text.",
    ),
    Question(
        OWNER_NAMED,
        "Has each environment of production an owner?",
        "an environment of production has no owner",
        "Name owners: in environments/NAME.yaml of the policy folder, or as required reviewers of the forge's environment.",
        f"Name owners in a policy folder, with the forge's environment in `pipelines`; {_FORGES} for reviewers.",
    ),
    Question(
        OWNER_REVIEWS,
        "Do owners review what changes production?",
        "what changes production is not reviewed by its owners",
        "Name owners in CODEOWNERS for these files and for CODEOWNERS itself, and let the branch require their review.",
        f"{_FORGES}: whether the branch requires review from code owners is a setting there.",
    ),
)
QUESTIONS: Mapping[str, Question] = {question.id: question for question in _ALL}
