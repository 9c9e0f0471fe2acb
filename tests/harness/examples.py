"""The texts in docs/examples: what people see, for readers of the project.

COFFERDAM_WRITE_EXAMPLES=1 in the environment writes them anew.
"""
import os

from harness import places


def compare(name, text):
    """The file docs/examples/NAME is this text, blanks at the ends of lines aside."""
    path = places.ROOT / "docs/examples" / name
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip("\n") + "\n"
    if os.environ.get("COFFERDAM_WRITE_EXAMPLES"):
        path.write_text(text)
    assert path.read_text() == text, f"{path} differs (COFFERDAM_WRITE_EXAMPLES=1 writes it)"
