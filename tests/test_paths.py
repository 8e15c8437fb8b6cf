import pytest

from theano_colab import paths


def test_the_chosen_folder_wins_and_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv(paths.ENVIRONMENT_VARIABLE, str(tmp_path / "a" / "b"))
    assert paths.cache_dir() == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_an_unusable_home_gives_way_to_the_temporary_folder(tmp_path, monkeypatch):
    # A file where a folder is needed stands in the way of root, too, unlike a mode.
    blocker = tmp_path / "home"
    blocker.write_text("")
    monkeypatch.delenv(paths.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocker / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert paths.cache_dir().parent == tmp_path


def test_a_chosen_folder_that_cannot_be_written_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(paths.ENVIRONMENT_VARIABLE, str(tmp_path / "file" / "x"))
    with pytest.raises(OSError):  # noqa: PT011  # which one depends on the file system
        paths.cache_dir()
