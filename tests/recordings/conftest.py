from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache_folder, monkeypatch):
    """Tests neither read nor fill the user's cache."""
    monkeypatch.setenv("TINYHAR_CACHE", str(cache_folder))
