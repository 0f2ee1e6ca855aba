"""The database's password may lie in a file of its own, as secrets of containers do."""

import pytest
from sqlalchemy.engine import make_url

from settings import settings


@pytest.fixture
def read(monkeypatch, tmp_path):
    """The address that the settings make of an address and what is in the file."""

    def read(url: str, password: str | None) -> str:
        if password is not None:
            (tmp_path / "password").write_text(password)
        monkeypatch.setenv("RAYON_DATABASE_URL", url)
        monkeypatch.setenv("RAYON_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
        settings.cache_clear()
        return settings().database_url

    yield read
    settings.cache_clear()


@pytest.mark.parametrize("password", ["geheim", "a/b@c:d%e?f#g", "é ñ", " spaces "])
def test_the_password_comes_from_the_file(read, password) -> None:
    found = make_url(read("postgresql://rayon@db:5433/rayon?sslmode=require", f"{password}\n"))
    assert (found.username, found.password, found.host, found.port) == ("rayon", password, "db", 5433)
    assert found.database == "rayon" and found.query == {"sslmode": "require"}


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "postgresql://db/rayon", "postgresql://rayon:other@db/rayon"])
def test_it_goes_with_an_address_that_has_a_user_and_no_password(read, url) -> None:
    with pytest.raises(ValueError, match="names a user and no password"):
        read(url, "geheim")


@pytest.mark.parametrize("password", [None, "", "\n"])
def test_a_file_without_it_is_told(read, password) -> None:
    with pytest.raises(ValueError, match=r"RAYON_DATABASE_PASSWORD_FILE (cannot be read|names an empty file)"):
        read("postgresql://rayon@db/rayon", password)
