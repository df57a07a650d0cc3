"""A layout as many public checkouts have it is judged as a careful reader would, and without a wrong yes."""

from __future__ import annotations

import pytest

from bot.boundaries.answers.every import report_of
from bot.boundaries.model import Report, Verdict
from bot.boundaries.production import Production
from bot.boundaries.questions import QUESTIONS
from bot.boundaries.reading.parser import ChildParser
from bot.boundaries.seen import Seen, look
from tests.support.big_checkout import EXPECTED, FILES
from tests.support.checkouts import checkout


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, parser: ChildParser) -> Seen:
    return look(checkout(tmp_path_factory.mktemp("big"), FILES), Production(), parser=parser)


@pytest.fixture(scope="module")
def report(seen: Seen) -> Report:
    return report_of(seen, "big")


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_answered_as_a_careful_reader_would(report: Report, question: str) -> None:
    answer = next(each for each in report.answers if each.question == question)
    verdict, why = EXPECTED[question]
    assert answer.verdict is verdict, (why, answer)
    assert answer.verdict is Verdict.YES or answer.to_do


def test_the_head_lists_what_was_not_looked_at(report: Report) -> None:
    told = "\n".join(report.not_seen)
    for words in (
        "terraform-aws-modules/vpc/aws",
        "terraform/envs/prod/app/backend.tf:3",
        "terraform/examples/prod",
        "GitHub was not asked",
        "AWS was not asked",
        "administrators",
        "Argo CD",
        "kept elsewhere",
    ):
        assert words in told


def test_what_each_job_is(seen: Seen) -> None:
    found = {(job.place.file.rpartition("/")[2], job.id, job.environments): job.role.value for job in seen.jobs}
    assert found == {
        ("ci.yml", "build", ()): "bare",  # NODE_ENV=production reaches nothing
        ("ci.yml", "publish", ("pypi",)): "other",
        ("plan.yml", "plan", ()): "production",  # by the matrix in the name of its role
        ("_deploy.yml", "deploy", ("staging",)): "other",
        ("_deploy.yml", "deploy", ("production",)): "production",
        ("labels.yml", "label", ()): "bare",
        ("preview.yml", "comment", ()): "unclear",
    }
