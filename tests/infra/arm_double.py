"""Azure Resource Manager, as far as a test says what it answers."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from arm import Arm, Json


class ArmDouble:
    """Answers by the end of a path; what it was asked stands in ``asked``."""

    def __init__(self, answers: dict[str, Json | list[httpx.Response]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append((request.method, path, request.content))
        for end, answer in self.answers.items():
            if path.endswith(end):
                if isinstance(answer, list):
                    return answer.pop(0) if len(answer) > 1 else answer[0]
                return httpx.Response(200, json=answer)
        return httpx.Response(404, json={"error": {"code": "NotFound", "message": f"no answer for {path}"}})


@contextmanager
def asking(double: ArmDouble) -> Iterator[tuple[Arm, httpx.Client]]:
    with httpx.Client(transport=httpx.MockTransport(double)) as http:
        yield Arm(http, lambda: "token", sleep=lambda _: None), http
