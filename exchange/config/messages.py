"""Keeps ``locale/`` in step with what the code says, without gettext's own tools.

``python -m exchange.config.messages`` adds what is new to each django.po, drops what is gone,
prints what waits for a translation, and compiles the .mo files that Django reads.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "exchange", "settlement")
CALLS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "_"}
_LITERAL = r"""(?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*")"""
_IN_TEMPLATE = re.compile(rf"\b_?n?(?:gettext|_)\(({_LITERAL})(?:,\s*({_LITERAL}),)?")


class Message(NamedTuple):
    """A text of the portal; ``plural`` is empty where it counts nothing."""

    text: str
    plural: str = ""


def collect() -> set[Message]:
    """Return every text that our templates and modules ask to be translated."""
    found: set[Message] = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        found.update(_in_template(path.read_text()))
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.update(_in_module(ast.parse(path.read_text())))
    return found


def _in_template(text: str) -> Iterator[Message]:
    for single, plural in _IN_TEMPLATE.findall(templatize(text)):
        yield Message(ast.literal_eval(single), ast.literal_eval(plural) if plural else "")


def _in_module(tree: ast.Module) -> Iterator[Message]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        texts = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
        if name in CALLS and texts and all(isinstance(text, str) for text in texts):
            yield Message(*(str(text) for text in texts[: 2 if name.startswith("n") else 1]))


def catalogues() -> list[Path]:
    """Return the django.po of each language."""
    return sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))


def untranslated(path: Path) -> list[str]:
    """Return what a catalogue does not say in its language, whoever asks for it."""
    known = polib.pofile(str(path))
    said = {entry.msgid for entry in known if entry.translated() and not entry.obsolete}
    return sorted(message.text for message in collect() if message.text not in said)


def update(path: Path) -> list[str]:
    """Bring one catalogue up to date and compile it; return what waits for a translation.

    Entries marked ``from libraries`` complete other packages' texts and are kept as they are.
    """
    known = polib.pofile(str(path))
    kept = {entry.msgid: entry for entry in known}
    asked = {message.text: message for message in collect()}
    fresh = polib.POFile(wrapwidth=100)
    fresh.metadata = known.metadata
    borrowed = {m for m, entry in kept.items() if "from libraries" in entry.comment}
    for text in sorted(asked.keys() | borrowed):
        fresh.append(kept.get(text) or _new_entry(asked[text]))
    fresh.save(str(path))
    fresh.save_as_mofile(str(path.with_suffix(".mo")))
    return untranslated(path)


def _new_entry(message: Message) -> polib.POEntry:
    if not message.plural:
        return polib.POEntry(msgid=message.text)
    return polib.POEntry(msgid=message.text, msgid_plural=message.plural, msgstr_plural={0: ""})


if __name__ == "__main__":
    waiting = {str(path): update(path) for path in catalogues()}
    for name, texts in waiting.items():
        print(f"{name}: {len(texts)} waiting", *texts, sep="\n  ")  # noqa: T201
    sys.exit(any(waiting.values()))
