"""The answers of accuracy mode: ``answers.jsonl``, a line a sample, read strictly."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from harness.errors import LevelfieldError
from harness.records import Record


class Answer(Record):
    """One answered sample."""

    sample: int
    answer: Any


def answers_text(answers: Iterable[Answer]) -> str:
    """The answers as the text of ``answers.jsonl``."""
    return "".join(answer.model_dump_json() + "\n" for answer in answers)


def read_answers(data: bytes, where: str) -> tuple[Answer, ...]:
    """Read ``answers.jsonl``; `LevelfieldError` names the first bad line."""
    answers = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            answers.append(Answer.model_validate_json(line))
        except ValidationError as error:
            raise LevelfieldError(
                f"{where}:{number}: not an answer: {error.errors()[0]['msg']}; run accuracy again"
            ) from error
    return tuple(answers)
