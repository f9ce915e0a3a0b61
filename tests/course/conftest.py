"""What the course's tests share."""


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-transcripts",
        action="store_true",
        help="write tests/course/transcripts/ anew from what wrong answers are shown",
    )
