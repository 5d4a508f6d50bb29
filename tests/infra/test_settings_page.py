"""docs/settings.md is what `make settings` writes, and has every setting once, with its meaning and its fix."""

from collections import Counter
from pathlib import Path

from infra.settings import Settings
from infra.settings.model import GROUPS
from infra.settings.page import own_settings, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_made_of_the_settings() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make settings`"


def test_every_setting_is_in_one_group_and_has_a_meaning_and_a_fix() -> None:
    counted = Counter(name for group in GROUPS for name in own_settings(group))
    assert counted == Counter(Settings.model_fields.keys())
    assert [name for name, field in Settings.model_fields.items() if not (field.title and field.description)] == []
