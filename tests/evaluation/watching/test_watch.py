"""A folder watched: checkpoints of the miniature, and functions where only the order counts."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import ConflictError, DataError, FlashevalError
from flasheval.base.models.weights import local_path
from flasheval.evaluation.report import Report
from flasheval.evaluation.watching import watcher
from flasheval.evaluation.watching.watch import watch
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset

ROOT = Path(__file__).resolve().parents[3]
PARTS = {"vae": "miniature:vae", "text_encoder": "miniature:clip", "tokenizer": "miniature:clip"}
CLIP = {"name": "clip", "checkpoint": "miniature:clip"}
HOW = {"components": PARTS, "scheduler": "DPM", "dtype": "fp32"}
CALL = {"num_inference_steps": 2, "guidance_scale": 2.0}
PETS = PromptSet("pets", ("1", "2", "3"), texts=("a cat", "a white dog", "a newt"))
SUBSET = Subset.choose(
    PETS,
    [0, 1, 2],
    name="three-pets",
    metrics=(MetricInfo("light"),),
    method=Method("random"),
    with_texts=True,
)
MINE = '''
    """Loads numbers as models; counts what it loads in a file beside it."""
    import os
    import time
    from pathlib import Path

    import numpy as np


    def load(path):
        with Path(__file__).with_name("loaded.txt").open("a") as file:
            file.write(f"{path.name}\\n")
        time.sleep(float(os.environ.get("LOADING_TIME", 0)))
        value = float(path.read_text())

        def paint(prompts, seeds):
            return [np.full((4, 4, 3), value + len(one) / 1000) for one in prompts]

        return paint


    def light(images, prompts):
        return [image.getpixel((0, 0))[0] / 255 for image in images]
'''
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import mine
from flasheval import Subset
from flasheval.evaluation.watching.watch import watch
watch(sys.argv[2], sys.argv[3], [mine.light], out=sys.argv[4], loader=sys.argv[1] + "/mine.py:load",
      device="cpu", settle=0.0, once=True)
"""


def light(images, prompts):
    return [image.getpixel((0, 0))[0] / 255 for image in images]


@pytest.fixture(autouse=True)
def _uncollected(monkeypatch):
    monkeypatch.setattr(watcher, "free_memory", lambda: None)  # a third of a second each time


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(MINE))
    return path


class Watched:
    """A folder of numbers, watched by the loader above."""

    def __init__(self, place: Path):
        self.folder, self.out, self._loader = place / "training", place / "out", place / "mine.py"
        self.folder.mkdir()

    def write(self, **values):
        for name, value in values.items():
            (self.folder / name).write_text(str(value))

    def look(self, **settings):
        how = {"loader": f"{self._loader}:load", "settle": 0.0, "once": True, "out": self.out}
        return watch(self.folder, SUBSET, [light], **{**how, **settings})

    @property
    def loaded(self):
        path = self._loader.with_name("loaded.txt")
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return names


@pytest.fixture
def watched(tmp_path, mine):
    return Watched(tmp_path)


def test_each_is_evaluated_once_in_order_and_the_best_leads(watched):
    watched.write(**{"step-10": 0.4, "step-9": 0.6, "step-100": 0.5, "last": 0.1})
    boards = []
    board = watched.look(on_change=boards.append)
    assert watched.loaded == ["step-9", "step-10", "step-100", "last"]
    assert [one.name for one in board.standings] == ["step-9", "step-100", "step-10", "last"]
    assert [len(one.standings) for one in boards] == [1, 2, 3, 4]
    report = Report.load(watched.out / "reports/step-9.json")
    assert (report.name, report.step, report.seed) == ("step-9", 9, 0)
    assert report.means == board.best.means
    assert (watched.out / "leaderboard.md").read_text() == board.to_markdown()
    assert (watched.out / "leaderboard.csv").read_text() == board.to_csv()
    assert watched.look() == board
    assert watched.loaded == []


def test_one_that_is_overwritten_is_new_and_one_that_is_touched_is_not(watched):
    watched.write(**{"step-1": 0.4, "step-2": 0.5})
    watched.look()
    assert watched.loaded == ["step-1", "step-2"]
    os.utime(watched.folder / "step-1", (1, 1))
    watched.look()
    assert watched.loaded == []
    watched.write(**{"step-1": 0.9})
    assert watched.look().best.name == "step-1"
    assert watched.loaded == ["step-1"]
    (watched.folder / "step-2").unlink()  # trainings delete old ones; what is known stays
    assert len(watched.look().standings) == 2


def test_a_bad_one_is_noted_and_tried_again_only_when_something_changes(watched, mine):
    watched.write(**{"step-1": "no\nluck", "step-2": 0.5, "step-3": "nan"})
    board = watched.look()
    assert watched.loaded == ["step-1", "step-2", "step-3"]
    assert board.failed == {
        "step-1": r"ValueError: could not convert string to float: 'no\nluck'",
        "step-3": "3 of 3 prompts have no score: the image holds NaN",
    }
    assert [one.name for one in board.standings] == ["step-2"]
    assert watched.look() == board
    assert watched.loaded == []
    watched.write(**{"step-1": 0.6})
    assert watched.look().best.name == "step-1"
    assert watched.loaded == ["step-1"]
    mine.write_text(mine.read_text().replace("float(path", "0.25 + 0 * float(path"))
    assert watched.look().failed == {"step-3": board.failed["step-3"]}  # by another loader
    assert watched.loaded == ["step-3"]


def test_what_lacks_a_score_here_and_there_ranks_nowhere(watched):
    watched.write(**{"step-1": 0.5, "step-2": 0.6})

    def gaps(images, prompts):
        return [None if "dog" in one else 0.5 for one in prompts]

    board = watch(
        watched.folder,
        SUBSET,
        [gaps],
        out=watched.out,
        loader=lambda path: lambda prompts, seeds: [np.full((4, 4, 3), 0.5)] * len(prompts),
        settle=0.0,
        once=True,
    )
    assert board.standings == ()
    assert set(board.failed.values()) == {"1 of 3 prompts have no score: gaps gives no score"}


def test_one_that_is_being_written_is_left_alone(watched, monkeypatch):
    watched.write(**{"step-1": 0.5, "step-2": 0.6})
    slept = []

    def grow(*_):
        with (watched.folder / "step-2").open("a") as file:
            file.write("0")

    def sleep(seconds):
        if seconds == 5.0:  # others sleep too
            slept.append(seconds)
            time.monotonic.passed += seconds
            grow()

    def monotonic():
        return monotonic.passed

    monotonic.passed = 0.0
    monkeypatch.setattr(time, "monotonic", monotonic)
    monkeypatch.setattr(time, "sleep", sleep)
    board = watched.look(settle=5.0, on_change=grow)
    assert slept == [5.0]
    assert watched.loaded == ["step-1"]
    assert board.waiting == {"step-2": "it is being written"}
    monkeypatch.setattr(time, "sleep", lambda seconds: setattr(monotonic, "passed", 1e3))
    assert watched.look(settle=5.0).best.name == "step-2"


def test_one_that_changes_while_it_is_loaded_does_not_count(watched):
    watched.write(**{"step-1": 0.5, "step-2": 0.6, "step-3": 0.7})

    def load(path):
        value = float(path.read_text())
        if path.name == "step-1" and value == 0.5:
            path.write_text("0.9")
        if path.name == "step-2":
            path.unlink()

        def paint(prompts, seeds):
            if path.name == "step-3":
                path.unlink()  # once it is loaded, it may go
            return [np.full((4, 4, 3), value)] * len(prompts)

        return paint

    assert watched.look(loader=load).waiting == {"step-1": "it is being written"}
    board = watched.look(loader=load)
    assert [one.name for one in board.standings] == ["step-1", "step-3"]
    assert board.best.means["light"] == pytest.approx(0.9, abs=0.002)
    assert board.failed == {}


def test_too_little_memory_is_no_fault_of_the_checkpoint(watched):
    watched.write(**{"step-1": 0.5, "step-2": 0.6})

    def load(path):
        if path.name == "step-1":
            raise MemoryError("full")
        return lambda prompts, seeds: [np.full((4, 4, 3), 0.5)] * len(prompts)

    board = watched.look(loader=load)
    assert board.waiting == {"step-1": "tried again later: MemoryError: full"}
    assert (len(board.standings), board.failed) == (1, {})


def test_a_model_is_let_go_before_the_next_is_loaded(watched):
    import weakref

    watched.write(**{"step-1": 0.5, "step-2": "bad", "step-3": 0.7})
    models = []

    class Model:
        def __init__(self, path):
            assert [one for one in models if one() is not None] == []
            models.append(weakref.ref(self))
            self.value = path.read_text()

        def __call__(self, prompts, seeds):
            return [np.full((4, 4, 3), float(self.value))] * len(prompts)

    assert len(watched.look(loader=Model).standings) == 2
    assert len(models) == 3


def test_damaged_files_of_ours_are_made_again(watched):
    watched.write(**{"step-1": 0.5, "step-2": 0.6})
    board = watched.look()
    watched.loaded  # noqa: B018 - forgets them
    (watched.out / "reports/step-1.json").write_text("{")
    (watched.out / "checkpoints/step-2.json").unlink()
    (watched.out / "leaderboard.md").unlink()
    again = watched.look()
    assert watched.loaded == ["step-1", "step-2"]
    assert [one.means for one in again.standings] == [one.means for one in board.standings]
    assert (watched.out / "leaderboard.md").exists()


def test_another_question_gets_another_folder(watched):
    watched.write(**{"step-1": "bad"})
    watched.look()
    watched.look(seed=3)  # nothing was evaluated: nothing is lost
    watched.write(**{"step-1": 0.5})
    watched.look(seed=3)
    with pytest.raises(ConflictError, match=r"seed=3, not seed=4; name another folder with out="):
        watched.look(seed=4)
    with pytest.raises(ConflictError, match="folder="):
        watch(watched.out, SUBSET, [light], out=watched.out, seed=3, loader=float, once=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"interval": -1.0}, "interval=-1.0"),
        ({"batch": 0}, "batch=0"),
        ({"metric": "hue"}, "metric=hue: no scorer gives it; there are: light"),
        ({"fidelity": "hue"}, "fidelity=hue needs most_lost="),
        ({"most_lost": 0.1}, "most_lost=0.1 needs fidelity="),
        ({"fidelity": "hue", "most_lost": 0.1}, "fidelity=hue: no scorer gives it; there are"),
        ({"loader": "nowhere.py:load"}, "loader=nowhere.py:load"),
        ({"loader": "math:pi"}, "loader=math:pi: expected a function"),
        ({"base": "a"}, "the loader does that itself"),
        ({"pattern": "../*"}, "pattern=../*"),
        ({"device": "cuda:99"}, "device=cuda:99"),
        ({"loader": None, "settings": {"stepz": 1}}, "stepz"),
        ({"loader": None, "settings": {"checkpoint": "a"}}, "settings.checkpoint"),
        ({"loader": None, "base": "no/such/folder"}, "no/such/folder"),
        (
            {"loader": None, "settings": {"steps": 1}, "call": {"num_inference_steps": 2}},
            "say it once",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_done(watched, settings, said):
    watched.write(**{"step-1": 0.5})
    with pytest.raises(FlashevalError) as caught:
        watched.look(**settings)
    assert said in str(caught.value)
    assert not watched.out.exists()


def test_folder_and_subset_must_be_there(tmp_path, watched):
    with pytest.raises(DataError, match="is not a folder"):
        watch(tmp_path / "none", SUBSET, [light], out=watched.out)
    with pytest.raises(DataError, match="texts"):
        watch(watched.folder, SUBSET.without_texts(), [light], out=watched.out)


class Recorder:
    def __init__(self):
        self.steps, self.reports = [], []

    def log(self, scalars, step):
        self.steps.append((step, scalars["light"]))

    def log_report(self, report, step):
        self.reports.append((step, len(report.images)))

    def finish(self):
        raise AssertionError("whoever made it finishes it")


def test_trackers_are_told_of_later_steps_only(watched):
    tracker = Recorder()
    watched.write(**{"step-5": 0.5, "step-7": 0.6, "last": 0.7, "step-6": "bad"})
    watched.look(trackers=[tracker])
    watched.write(**{"step-6": 0.6, "step-8": 0.6})
    watched.look(trackers=[tracker])
    assert [step for step, _ in tracker.steps] == [5, 7, 8]
    assert tracker.reports == [(5, 3), (7, 3), (8, 3)]


def test_a_tracker_that_fails_stops_nothing(watched):
    watched.write(**{"step-5": 0.5})
    tracker = Recorder()
    tracker.log = None
    with pytest.warns(UserWarning, match="Recorder: TypeError"):
        assert len(watched.look(trackers=[tracker]).standings) == 1


def start(watched, seconds):
    """A watch in a process of its own, which takes that long to load a checkpoint."""
    place = watched.out.parent
    SUBSET.save(place / "subset.json")
    words = [str(place), str(watched.folder), str(place / "subset.json"), str(watched.out)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LOADING_TIME": str(seconds)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_watches_of_one_folder_share_the_work(watched):
    watched.write(**{f"step-{i}": i / 10 for i in range(8)})
    for process in [start(watched, 0.1), start(watched, 0.1)]:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert sorted(watched.loaded) == [f"step-{i}" for i in range(8)]
    rows = (watched.out / "leaderboard.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == [f"step-{i}" for i in reversed(range(8))]


@pytest.mark.slow
def test_a_watch_that_is_killed_goes_on_where_it_was(watched):
    names = [f"step-{i}" for i in range(10)]
    watched.write(**{name: i / 20 for i, name in enumerate(names)}, broken="no number")
    rng, loaded, kills = np.random.default_rng(0), [], 0
    for _ in range(2):
        process = start(watched, 0.15)
        while process.poll() is None and len(watched_names := names_in(watched)) < 2:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.communicate()
        kills += process.returncode == -9
        assert watched_names
        loaded += watched.loaded
        for path in watched.out.glob("*/*.json"):
            json.loads(path.read_text())  # nothing is half-written
    process = start(watched, 0.0)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    loaded += watched.loaded
    assert kills == 2
    assert set(loaded) == {*names, "broken"}
    assert len(loaded) <= len(names) + 1 + kills  # at most the one in hand is done again
    rows = (watched.out / "leaderboard.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == names[::-1]


def names_in(watched):
    path = watched.out.with_name("loaded.txt")
    return path.read_text().split() if path.exists() else []


@pytest.fixture(scope="module")
def four():
    from flasheval import load_prompts

    prompts = load_prompts("miniature")
    return Subset.choose(
        prompts,
        [5, 700, 1203],
        name="few",
        metrics=(MetricInfo("CLIP"),),
        method=Method("random"),
        with_texts=True,
    )


def checkpoint(folder: Path, name: str = "small-final") -> Path:
    return Path(shutil.copytree(local_path(f"miniature:{name}"), folder))


def test_real_checkpoints_good_bad_and_half_written(tmp_path, four):
    pytest.importorskip("diffusers")
    from safetensors.torch import load_file, save_file

    folder, out = tmp_path / "training", tmp_path / "out"
    checkpoint(folder / "checkpoint-20")
    checkpoint(folder / "checkpoint-10", "small-middle")
    unet = "unet/diffusion_pytorch_model.safetensors"
    truncated = checkpoint(folder / "checkpoint-30") / unet
    whole = truncated.read_bytes()
    truncated.write_bytes(whole[:-8])
    spoilt = checkpoint(folder / "checkpoint-40") / unet
    state = load_file(spoilt)
    save_file({name: one * float("nan") for name, one in state.items()}, spoilt)
    nothing = checkpoint(folder / "checkpoint-50") / "model_index.json"
    nothing.write_text(nothing.read_text().replace("StableDiffusionPipeline", "NoPipeline"))
    lacking = checkpoint(folder / "checkpoint-60") / unet
    state.pop("conv_in.weight")
    save_file(state, lacking)
    asked = {"out": out, "settings": HOW, "call": CALL, "settle": 0.0, "once": True}
    board = watch(folder, four, [CLIP], **asked)
    assert {one.name for one in board.standings} == {"checkpoint-10", "checkpoint-20"}
    assert list(board.waiting) == ["checkpoint-30"]
    assert board.failed["checkpoint-40"] == "3 of 3 prompts have no score: the image holds NaN"
    assert "checkpoint-50 cannot be loaded" in board.failed["checkpoint-50"]
    assert "lack the weights unet.conv_in.weight" in board.failed["checkpoint-60"]
    assert not any("\n" in reason for reason in board.failed.values())

    settings = DiffusersSettings(str(folder / "checkpoint-20"), steps=2, guidance=2.0, **HOW)
    report = Report.load(out / "reports/checkpoint-20.json")
    assert report.means == flasheval.evaluate(settings, four, [CLIP]).means
    assert report.call["steps"] == 2
    known = {path: path.stat().st_mtime_ns for path in (out / "checkpoints").glob("*")}
    truncated.write_bytes(whole)
    again = watch(folder, four, [CLIP], **asked)
    assert len(again.standings) == 3
    assert {path: path.stat().st_mtime_ns for path in known} == known


def test_real_parts_weights_and_loras_of_a_base(tmp_path, four):
    pytest.importorskip("diffusers")
    pytest.importorskip("peft", reason="diffusers loads LoRAs with peft")
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    small = local_path("miniature:small-final")
    file = small / "unet/diffusion_pytorch_model.safetensors"
    folder = tmp_path / "training"
    shutil.copytree(small / "unet", folder / "checkpoint-1/unet")
    shutil.copy(file, folder / "step-2.safetensors")
    unet, state = UNet2DConditionModel.from_pretrained(small, subfolder="unet"), {}
    for name, layer in unet.named_modules():
        if name.endswith(("to_q", "to_v")):
            up, down = layer.weight.shape
            state[f"{name}.lora_A.weight"] = torch.ones(2, down)
            state[f"{name}.lora_B.weight"] = torch.ones(up, 2) / 10
    StableDiffusionPipeline.save_lora_weights(folder / "checkpoint-3", unet_lora_layers=state)
    from safetensors.torch import save_file

    save_file({f"other.{name}": one for name, one in state.items()}, folder / "step-4.safetensors")
    save_file({"conv_in.weight": torch.ones(2)}, folder / "step-5.safetensors")
    asked = {"settings": HOW, "call": CALL, "settle": 0.0, "once": True}
    alone = watch(folder, four, [CLIP], out=tmp_path / "alone", **asked)
    assert len(alone.failed) == 5
    assert all("name the pipeline with base=" in one for one in alone.failed.values())
    base = "miniature:small-middle"
    board = watch(folder, four, [CLIP], out=tmp_path / "out", base=base, **asked)
    means = {one.name: one.means["CLIP"] for one in board.standings}
    assert set(board.failed) == {"step-4.safetensors", "step-5.safetensors"}
    assert "none of its 24 modules fit" in board.failed["step-4.safetensors"]
    assert "do not fit the base's UNet2DConditionModel" in board.failed["step-5.safetensors"]
    assert "\n" not in board.failed["step-5.safetensors"]
    finals = DiffusersSettings("miniature:small-final", steps=2, guidance=2.0, **HOW)
    final = flasheval.evaluate(finals, four, [CLIP]).means["CLIP"]
    assert means["checkpoint-1"] == means["step-2.safetensors"] == final
    middles = DiffusersSettings("miniature:small-middle", steps=2, guidance=2.0, **HOW)
    middle = flasheval.evaluate(middles, four, [CLIP]).means["CLIP"]
    assert means["checkpoint-3/pytorch_lora_weights.safetensors"] not in (middle, final)
