"""Single files of tensors, local and on the Hub."""

import pickle

import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.stored import read_state, size
from flasheval.base.models.weights import locate_file

torch = pytest.importorskip("torch")
SHA = "0123456789abcdef0123456789abcdef01234567"


def _read(path):
    return read_state(locate_file(str(path), path.name), path.name)


@pytest.mark.parametrize("wrapped", [False, True])
def test_tensors_are_read_as_they_are_stored(tmp_path, wrapped):
    state = {"a": torch.ones(2, dtype=torch.float16), "b.weight": torch.zeros(2, 3)}
    torch.save({"epoch": 3, "state_dict": state} if wrapped else state, tmp_path / "x.pt")
    found = _read(tmp_path / "x.pt")
    assert {name: (value.dtype, value.shape) for name, value in found.items()} == {
        "a": (torch.float16, (2,)),
        "b.weight": (torch.float32, (2, 3)),
    }


def test_a_file_of_the_hub_is_read_at_its_commit(tmp_path, monkeypatch):
    import huggingface_hub.constants as constants
    from safetensors.torch import save_file

    snapshot = tmp_path / "models--a--b" / "snapshots" / SHA
    snapshot.mkdir(parents=True)
    save_file({"a": torch.ones(2)}, snapshot / "x.safetensors")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = locate_file("a/b", "x.safetensors", SHA)
    assert found.commit == SHA
    assert read_state(found, "x.safetensors")["a"].tolist() == [1.0, 1.0]


class Evil:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (self.file, "w"))


def test_nothing_but_tensors_is_unpickled(tmp_path):
    made = tmp_path / "made"
    (tmp_path / "x.pt").write_bytes(pickle.dumps(Evil(str(made))))
    torch.save({"a": Evil(str(made))}, tmp_path / "y.pt")
    for name in ("x.pt", "y.pt"):
        with pytest.raises(DataError, match=rf"{name}: it cannot be read \("):
            _read(tmp_path / name)
    assert not made.exists()


@pytest.mark.parametrize("thing", ["text", [1], {"a": 1}, {"state_dict": [1]}])
def test_what_is_no_tensors_by_name_is_one_line(tmp_path, thing):
    torch.save(thing, tmp_path / "x.pt")
    with pytest.raises(DataError, match="not tensors by name"):
        _read(tmp_path / "x.pt")


def test_a_size_that_is_not_told_is_one_line():
    state = {"a": torch.zeros(2, 3)}
    assert size(state, "a", 1, "x") == 3
    for name, axis in (("b", 0), ("a", 2)):
        with pytest.raises(DataError, match=f"checkpoint x: it has no {name}; is it the right"):
            size(state, name, axis, "x")
