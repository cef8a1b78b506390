"""Where the master key comes from."""

from __future__ import annotations

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest

from gateway.state.master_key import FILE, MasterKeyError, master_key

KEY = bytes(range(224, 256))  # in base64 with characters on which the alphabets differ
PLAIN = base64.b64encode(KEY).decode()


@pytest.mark.parametrize(
    "text",
    [PLAIN, PLAIN.rstrip("="), f" {PLAIN}\n", base64.urlsafe_b64encode(KEY).decode()],
)
def test_master_key_as_stated(text: str, tmp_path: Path) -> None:
    """Any base64 of 32 bytes; no file is made then."""
    assert master_key(text, tmp_path) == KEY
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "text", ["", "short", base64.b64encode(KEY[:31]).decode(), KEY.hex(), "ä" * 43, "!" * 44]
)
def test_master_key_that_is_none(text: str, tmp_path: Path) -> None:
    """The message says how to make one and does not hold what was stated."""
    with pytest.raises(MasterKeyError, match=r"state\.master_key is not 32 bytes") as raised:
        master_key(text, tmp_path)

    assert not text or text not in str(raised.value)


def test_master_key_is_made_once(tmp_path: Path) -> None:
    """In a folder that need not be there, for its owner only, and the same ever after."""
    folder = tmp_path / "new" / "var"

    made = master_key(None, folder)

    assert len(made) == 32
    assert master_key(None, folder) == made
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600


def test_master_key_of_a_damaged_file(tmp_path: Path) -> None:
    """A file that holds no key is never replaced: secrets hang on what it held."""
    (tmp_path / FILE).write_bytes(b"\xff\n")

    with pytest.raises(MasterKeyError, match=r"master\.key is not 32 bytes"):
        master_key(None, tmp_path)

    assert (tmp_path / FILE).read_bytes() == b"\xff\n"


def test_master_key_where_nothing_can_be_made(tmp_path: Path) -> None:
    """The message names the file and the way out."""
    (tmp_path / "var").write_text("a file")

    with pytest.raises(MasterKeyError, match=r"cannot be read or made.*state\.master_key"):
        master_key(None, tmp_path / "var")


def test_master_key_warns_of_an_open_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Some volumes open files to a group: that is said, and not refused."""
    made = master_key(None, tmp_path)
    (tmp_path / FILE).chmod(0o640)

    assert master_key(None, tmp_path) == made
    assert "chmod 600" in caplog.text


def test_master_key_of_processes_that_start_at_once(tmp_path: Path) -> None:
    """They agree, and leave nothing else behind."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    made = context.SimpleQueue()

    def start() -> None:
        barrier.wait()
        made.put(master_key(None, tmp_path))

    processes = [context.Process(target=start) for _ in range(4)]
    for process in processes:
        process.start()
    keys = {made.get() for _ in processes}
    for process in processes:
        process.join()

    assert keys == {master_key(None, tmp_path)}
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
