"""What a file is by its name: what is read, and what only says that something else is used here."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache


class Kind(Enum):
    """`words`: how it is called where it is said that it was not read."""

    TERRAFORM = "Terraform"
    TERRAFORM_OVERRIDE = "overriding Terraform"
    TERRAFORM_JSON = "Terraform as JSON"
    BACKEND_CONFIG = "a partial backend's values"
    TERRAGRUNT = "Terragrunt"
    WORKFLOW = "a workflow of GitHub"
    GITLAB = "a pipeline of GitLab"
    OTHER_PIPELINE = "a pipeline of another system"
    CODEOWNERS = "code owners"
    POLICY = "a policy folder"
    SUBMODULES = "submodules of git"

    @property
    def is_read(self) -> bool:
        return self in _READ


_READ = frozenset({Kind.TERRAFORM, Kind.WORKFLOW, Kind.GITLAB, Kind.CODEOWNERS, Kind.SUBMODULES})
# Where GitHub and GitLab look for it, in their order: the first one counts.
# https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
# https://docs.gitlab.com/user/project/codeowners/#codeowners-file
GITHUB_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
GITLAB_OWNERS = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    (Kind.TERRAFORM_OVERRIDE, r"(?:.*/)?(?:[^/]*_)?override\.(?:tf|tofu)(?:\.json)?"),
    (Kind.TERRAFORM_JSON, r".*\.(?:tf|tofu)\.json"),
    (Kind.TERRAFORM, r".*\.(?:tf|tofu)"),
    (Kind.BACKEND_CONFIG, r".*\.tfbackend"),
    (Kind.TERRAGRUNT, r"(?:.*/)?terragrunt\.(?:stack\.)?hcl|(?:.*/)?root\.hcl"),
    (Kind.WORKFLOW, r"\.github/workflows/[^/]+\.ya?ml"),
    (Kind.GITLAB, r"(?:.*/)?[^/]*\.gitlab-ci\.ya?ml|\.gitlab/(?:.*/)?[^/]+\.ya?ml"),
    (
        Kind.OTHER_PIPELINE,
        r"(?:.*/)?(?:Jenkinsfile[^/]*|azure-pipelines[^/]*\.ya?ml|bitbucket-pipelines\.ya?ml|buildspec[^/]*\.ya?ml|"
        r"cloudbuild[^/]*\.ya?ml|atlantis\.ya?ml|\.drone\.ya?ml|\.travis\.ya?ml|\.woodpecker\.ya?ml|\.spacelift/config\.yml)|"
        r"\.circleci/config\.ya?ml|\.buildkite/.*\.ya?ml|spacelift\.ya?ml",
    ),
    (Kind.CODEOWNERS, "|".join(re.escape(path) for path in sorted({*GITHUB_OWNERS, *GITLAB_OWNERS}))),
    (Kind.POLICY, r"(?:.*/)?prodaccess\.yaml"),
    (Kind.SUBMODULES, r"\.gitmodules"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)


@cache
def kind_of(path: str) -> Kind | None:
    """`path` from the checkout's root. None: it says nothing here."""
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(path)), None)
