"""Every text of the portal is said in every language, and what is compiled is what is written."""

from pathlib import Path

import polib
import pytest

from exchange.config.messages import catalogues, collect, untranslated

CATALOGUES = catalogues()


def test_there_is_a_catalogue_for_chinese() -> None:
    assert [path.parents[1].name for path in CATALOGUES] == ["zh_Hans"]


def test_texts_are_found_in_templates_and_modules() -> None:
    texts = {message.text for message in collect()}
    assert {"Sign in", "There is no such site.", "Page %(number)s"} <= texts


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_nothing_is_left_untranslated(path: Path) -> None:
    assert untranslated(path) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_the_compiled_file_says_what_the_written_one_does(path: Path) -> None:
    written, compiled = polib.pofile(str(path)), polib.mofile(str(path.with_suffix(".mo")))
    assert _said(written) == _said(compiled)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_a_translation_names_the_same_values(path: Path) -> None:
    wrong = [
        entry.msgid
        for entry in polib.pofile(str(path)).translated_entries()
        for said in (entry.msgstr_plural.values() or [entry.msgstr])
        if _names(entry.msgid) != _names(said)
    ]
    assert wrong == []


def _said(entries: "polib.POFile | polib.MOFile") -> dict[str, object]:
    translated = entries.translated_entries()
    return {entry.msgid: entry.msgstr_plural or entry.msgstr for entry in translated}


def _names(text: str) -> list[str]:
    return sorted(part.partition(")")[0] for part in text.split("%(")[1:])
