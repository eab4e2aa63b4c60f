"""A thing is known because its file is there."""

import sys

import pytest

from crm.fields import FIELD_TYPES, Field
from crm.registry import Registry, load_folder, load_plugins
from tests.test_plugins import FIELD as PLATE


def test_every_module_of_the_package_is_read_and_its_file_is_called_as_the_word_in_yaml():
    for name, cls in FIELD_TYPES.items():
        assert cls.name == name
        assert cls.__module__ == f"crm.fields.{name}"
    assert len(FIELD_TYPES) >= 33
    assert list(FIELD_TYPES) == sorted(FIELD_TYPES)


def test_a_field_type_from_another_folder_works_like_the_shipped_ones(tmp_path):
    (tmp_path / "plate.py").write_text(PLATE)
    (tmp_path / "_draft.py").write_text("raise RuntimeError('not read')")
    try:
        load_folder(tmp_path)
        load_folder(tmp_path)  # a second time changes nothing
        field = FIELD_TYPES["plate"]("plate", {"required": True}, "car")
        assert field.clean("ab 12 cde") == "AB12CDE"
        assert field.condition("is", "ab12cde")({"plate": "AB12CDE"})
        assert field.editor("AB12CDE")["value"] == "AB12CDE"
        with pytest.raises(ValueError, match="not a number plate"):
            field.clean("!")
    finally:
        FIELD_TYPES.remove("plate")


def test_plug_in_folders_are_named_in_the_environment(tmp_path, monkeypatch):
    (tmp_path / "plate.py").write_text(PLATE)
    monkeypatch.setenv("CRM_PLUGINS", str(tmp_path))
    try:
        load_plugins()
        assert "plate" in FIELD_TYPES
    finally:
        FIELD_TYPES.remove("plate")


def test_a_mistake_in_a_plug_in_names_its_file(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0")
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError) as caught:
        load_folder(tmp_path)
    assert any(str(tmp_path / "broken.py") in note for note in caught.value.__notes__)
    assert set(sys.modules) == before


def test_a_folder_that_is_not_there_is_said():
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_folder("/nowhere/at/all")


def test_two_classes_of_one_name_are_a_mistake():
    registry = Registry("crm.fields")

    class One(Field):
        name = "twin"

    class Two(Field):
        name = "twin"

    registry.add(One)
    registry.add(One)
    with pytest.raises(ValueError, match="registered twice"):
        registry.add(Two)


def test_a_class_without_a_name_cannot_be_registered():
    with pytest.raises(ValueError, match="needs a class attribute"):
        Registry("crm.fields").add(type("Nameless", (), {}))
