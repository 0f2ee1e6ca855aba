import json
from dataclasses import asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.columns import _MEANING, _SYNONYMS, ROLES, Columns, match_columns


def test_the_challenge_files_map_as_they_come():
    assert match_columns(("", "designation", "description", "productid", "imageid")) == Columns(
        id="", designation="designation", description="description", productid="productid", imageid="imageid"
    )
    assert match_columns(("", "prdtypecode")) == Columns(id="", prdtypecode="prdtypecode")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Titre", "designation"),
        ("TITLE", "designation"),
        ("Nom du produit", "designation"),
        ("name", "designation"),
        ("Libellé", "designation"),
        ("libell\u0065\u0301", "designation"),
        ("product_name", "designation"),
        ("Intitulé", "designation"),
        ("Descriptif", "description"),
        ("body", "description"),
        ("Détail", "description"),
        ("Photo", "image"),
        ("picture", "image"),
        ("image_file", "image"),
        ("Filename", "image"),
        ("Fichier image", "image"),
        ("Image ID", "imageid"),
        ("id_image", "imageid"),
        ("Product ID", "productid"),
        ("id produit", "productid"),
        ("Identifiant", "id"),
        ("Réf.", "id"),
        ("référence", "id"),
        ("SKU", "id"),
        ("EAN-13", "id"),
        ("Unnamed: 0", "id"),
        ("Catégorie", "prdtypecode"),
        ("Code catégorie", "prdtypecode"),
        ("label", "prdtypecode"),
        (" PrdTypeCode ", "prdtypecode"),
    ],
)
def test_names_people_use(name, role):
    assert match_columns(("x", name)) == Columns(**{role: name})


@pytest.mark.parametrize("name", ["", "prix", "rayon_code", "rayon_label", "Rayon_image", "x", "id2", "😀", "<b>"])
def test_names_that_say_nothing(name):
    assert match_columns(("x", name)) == Columns()


@pytest.mark.parametrize("role", ROLES)
def test_the_official_name_wins_wherever_it_stands(role):
    others = [name for name in _SYNONYMS[role].split() if name != role]
    for names in ([*others, role], [role, *others], [role.upper(), role], ["", *others, role]):
        assert getattr(match_columns(names), role) == role


def test_the_likelier_name_wins_then_the_first():
    assert match_columns(("nom", "titre")).designation == "titre"
    assert match_columns(("Titre", "titre")).designation == "Titre"
    assert match_columns(("", "sku")).id == "sku"


def test_an_unnamed_column_elsewhere_is_no_id():
    assert match_columns(("designation", "")) == Columns(designation="designation")


def test_every_synonym_has_one_role_and_is_folded():
    assert sum(len(names.split()) for names in _SYNONYMS.values()) == len(_MEANING)
    assert all(name.isalnum() and name.isascii() and name == name.lower() for name in _MEANING)
    assert not [name for name in _MEANING if name.startswith("rayon")]


def test_columns_are_the_roles_and_survive_json():
    assert tuple(field.name for field in fields(Columns)) == ROLES
    columns = match_columns(("", "Titre"))
    assert Columns(**json.loads(json.dumps(asdict(columns)))) == columns


@given(st.lists(st.sampled_from(sorted(_MEANING)) | st.text(max_size=12), unique=True, max_size=8))
def test_a_column_serves_one_role_and_is_one_of_the_table(names):
    chosen = [name for name in asdict(match_columns(names)).values() if name is not None]
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(names)
