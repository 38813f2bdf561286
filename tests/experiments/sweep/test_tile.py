import pytest

from experiments.sweep import tile


def test_scipys_blas_is_there_before_threads_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(tile, "cython_blas", lambda: done.append("loaded"))
    monkeypatch.setattr(tile, "threadpool_limits", lambda limits, user_api: done.append(f"{user_api} limited to {limits}"))
    tile._one_blas_thread.__wrapped__()
    assert done == ["loaded", "blas limited to 1"]
