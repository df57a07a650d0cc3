"""The text of an answers file -> answers, or everything that is wrong with it."""

from __future__ import annotations

from bot.setup.answers import Answers, answers_file
from bot.setup.judge import slips
from workflows.policy_file.problem import Problem
from workflows.policy_file.words import validated
from workflows.policy_file.yaml_reader import read_yaml


def read_answers(name: str, text: str) -> Answers | tuple[Problem, ...]:
    """`name`: what people call the file. The answers make a policy that passes the strict check, or these are its slips."""
    document, problems = read_yaml(name, text)
    if document is None:
        return problems
    given, said = validated(answers_file(), document)
    found = (*problems, *said)
    if given is None or found:
        return tuple(sorted(set(found)))
    answers = Answers(given, document)
    return tuple(sorted(set(slips(answers)))) or answers
