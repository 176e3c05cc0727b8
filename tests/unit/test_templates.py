"""Templates of apps: complete in each language, and of fields that exist."""

from __future__ import annotations

from datetime import date

import pytest

from atoll import templates
from atoll.application.collections.model import Collection


@pytest.mark.parametrize("language", templates.LANGUAGES)
@pytest.mark.parametrize("name", templates.NAMES)
def test_every_template_makes_real_collections(name: str, language: str) -> None:
    template = templates.load(name, language)
    assert template.title and template.about and template.icon
    assert template.collections
    for each in template.collections:
        values = each.values
        collection = Collection(values["name"], values, values["fields"], kind="sqlite", prefix="")
        for field in collection.fields.values():
            field.check_options()
        assert values["titleField"] in collection.fields
        assert each.rows
        for row in templates.dated(each.rows, date(2026, 1, 31)):
            for field_name, value in row.items():
                collection.fields[field_name].parse(value, "sqlite")
                _is_a_choice(values["fields"], field_name, value)


def _is_a_choice(fields: list[dict[str, object]], name: str, value: object) -> None:
    schema = next(field for field in fields if field["name"] == name).get("uiSchema") or {}
    assert isinstance(schema, dict)
    choices = [choice["value"] for choice in schema.get("enum", [])]
    assert not choices or value in choices


def test_texts_are_in_the_language_asked_for() -> None:
    assert templates.load("crm", "zh-CN").title == "客户管理"
    assert templates.load("crm", "de-DE").title == "CRM"
    with pytest.raises(KeyError):
        templates.load("../crm", "en-US")


def test_days_are_counted_from_today() -> None:
    assert templates.dated([{"due": {"days": 1}, "title": "x"}], date(2026, 1, 31)) == [
        {"due": "2026-02-01", "title": "x"}
    ]
