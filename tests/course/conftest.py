"""What the course's tests share."""

import sys

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-transcripts",
        action="store_true",
        help="write tests/course/transcripts/ anew from what wrong answers are shown",
    )


@pytest.fixture(autouse=True)
def _mutants_need_a_timer(request):
    if sys.platform == "win32" and "mutant" in request.node.name:
        pytest.skip("an endless mutant is stopped by a timer that Windows does not have")
