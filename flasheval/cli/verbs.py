"""The verbs of the command line: one row each, which everything else reads.

A new verb is a row here, the type of its keys in `flasheval.cli.configs`, a file of commands in
`flasheval.cli.commands` and its settings in `conf/VERB.yaml`. Targets are written as text, so that
help imports none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flasheval.cli.commands.context import Context, Outcome

__all__ = ["STAGES", "VERBS", "Choice", "Output", "Verb"]


@dataclass(frozen=True)
class Choice:
    """A group of `conf/` that a verb chooses from.

    Attributes:
        group: The group's folder, see `flasheval.cli.groups.GROUPS`.
        how: How a choice is written on the command line.
        shown: The choices whose settings the help explains where the words name none; ``*`` is all.
        listed: Whether the help lists the choices.

    """

    group: str
    how: str = ""
    shown: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True)
class Output:
    """What a verb writes to `out`; `flasheval.cli.outputs` lets it replace nothing else.

    Attributes:
        what: The result in words, such as "a search".
        neutral: The keys that change nothing in it.
        continues: The files by which a folder shows that the verb goes on in it, whatever the
            settings.
        is_file: Whether it is a file; else it is a folder.
        keeps_answer: Whether the file is the answer itself, as ``json=true`` prints it.
        place: Where the function is that returns its path by the settings, or None where nothing
            is written; without one it is `out`.

    """

    what: str
    neutral: tuple[str, ...] = ()
    continues: tuple[str, ...] = ()
    is_file: bool = False
    keeps_answer: bool = False
    place: str | None = None


@dataclass(frozen=True)
class Verb:
    """All there is to know of a verb.

    Attributes:
        name: The verb; its settings are in ``conf/NAME.yaml``.
        stage: Where on the road it stands, one of `STAGES`.
        summary: What it does, for help.
        command: Where the function is that does it: ``f(config, context)``, which returns an exit
            code or an `Outcome`.
        config: Where the type of its keys is: a dataclass, a function that returns one, or either
            of a mapping of them by the value of `config_key`.
        examples: Command lines, each with a remark or "".
        usage: What follows the verb on a command line.
        config_key: The key whose value says which type the keys have, where there are several.
        first: The key of a first word without a key.
        rest: The key of all other words without a key, as a list.
        folder: Where the function is that names the run folder by the settings; None for a verb
            without one.
        output: What it writes to `out`; None where it writes none, or checks that itself.
        choices: The groups of `conf/` it chooses from.
        lists: Further lists for its help: a title, and where the function is that returns them.
        actions: What its key ``action`` may be.
        sweeps: Where the function is that shows the jobs of a sweep together, for a verb of which
            ``-m`` runs one job for each combination of values: ``f(outcomes, folder)``, which
            returns what to print.
        no_sweep: What to use in place of ``-m``, where it does not sweep.

    """

    name: str
    stage: str
    summary: str
    command: str
    config: str
    examples: tuple[tuple[str, str], ...]
    usage: str = "[key=value ...]"
    config_key: str | None = None
    first: str | None = None
    rest: str | None = None
    folder: str | None = None
    output: Output | None = None
    choices: tuple[Choice, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    actions: tuple[str, ...] = ()
    sweeps: str | None = None
    no_sweep: str = "it does one thing at a time"

    def config_types(self) -> dict[str, type[Any]]:
        """Return the types of its keys by the value of `config_key`, or the one by its own name.

        >>> list(VERBS["show"].config_types())
        ['show']
        >>> list(VERBS["import"].config_types())[:4]
        ['flasheval-official', 'long', 'wide', 'npz']
        """
        found = resolve_name(self.config)
        if not isinstance(found, type | Mapping):
            found = found()
        return dict(found) if isinstance(found, Mapping) else {self.name: found}

    def make_config(self, settings: Mapping[str, Any]) -> Any:
        """Return settings as an object of their type.

        >>> VERBS["rank"].make_config({"by": "category"}).by
        'category'
        """
        key = self.name if self.config_key is None else settings[self.config_key]
        return self.config_types()[key](**settings)

    def load_command(self) -> Callable[[Any, Context], int | Outcome]:
        """Import the command and return it."""
        command: Callable[[Any, Context], int | Outcome] = resolve_name(self.command)
        return command


_POPULATION = Choice("population", "population=NAME or FILE.yaml")
_GENERATOR = Choice("generator", "generator: KIND, in a population")
_SCORER = Choice("scorer", "scorers=[NAME,{name:NAME,SETTING:VALUE}]")
_EXECUTOR = Choice("executor", "executor=NAME")
_TRACKER = Choice("tracker", "tracker=NAME")
_RUN = Output("a run", continues=("run.json",))
_GRID = "the grid of a population takes its place"

_ROWS = (
    Verb(
        name="doctor",
        stage="make scores",
        summary="Estimate what a run will cost, and check that all it needs is there",
        command="flasheval.cli.commands.doctor:run_doctor",
        config="flasheval.cli.configs:DoctorConfig",
        choices=(_POPULATION, _GENERATOR, _SCORER),
        examples=(
            ("flasheval doctor population=mine.yaml prompts=coco.jsonl", ""),
            ("flasheval doctor population=mine.yaml prompts=coco.jsonl sample=false", ""),
        ),
    ),
    Verb(
        name="run",
        stage="make scores",
        summary="Generate the images of a population of models and score them",
        command="flasheval.cli.commands.run:run_population",
        config="flasheval.cli.configs:RunConfig",
        folder="flasheval.cli.folders:folder_of_population",
        output=_RUN,
        choices=(_POPULATION, _GENERATOR, _SCORER, _EXECUTOR),
        no_sweep=_GRID,
        examples=(
            ("flasheval run population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
            ("flasheval run population=flasheval78 prompts=coco.jsonl limit=1000", ""),
            ("flasheval run ... scorers=[clip,pickscore]", "adds a metric, does only that"),
            ("flasheval run ... 'scorers=[{name:clip,checkpoint:models/clip}]'", ""),
            ("flasheval run ... executor=processes", "one worker process for each GPU"),
            ("flasheval run ... executor=slurm executor.workers=8", "or ray: on a cluster"),
            ("flasheval run ... keep_images=true contact_sheet=true", "draws them"),
            ("flasheval run ... compare=runs/before tolerance=0.01", "same scores as before?"),
        ),
    ),
    Verb(
        name="generate",
        stage="make scores",
        summary="Generate the images of a population and keep them, to score later",
        command="flasheval.cli.commands.run:run_population",
        config="flasheval.cli.configs:GenerateConfig",
        folder="flasheval.cli.folders:folder_of_population",
        output=_RUN,
        choices=(_POPULATION, _GENERATOR, _EXECUTOR),
        no_sweep=_GRID,
        examples=(
            ("flasheval generate population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
            ("flasheval score population=mine.yaml prompts=coco.jsonl out=runs/coco", "then"),
        ),
    ),
    Verb(
        name="score",
        stage="make scores",
        summary="Score images that flasheval generate has kept, or that lie in folders",
        command="flasheval.cli.commands.run:run_population",
        config="flasheval.cli.configs:ScoreConfig",
        folder="flasheval.cli.folders:folder_of_population",
        output=_RUN,
        choices=(_POPULATION, _SCORER, _EXECUTOR),
        no_sweep=_GRID,
        examples=(
            ("flasheval score population=mine.yaml prompts=coco.jsonl out=runs/coco", ""),
            ("flasheval score ... 'scorers=[clip,{name:function,function:my.py:sharpness}]'", ""),
        ),
    ),
    Verb(
        name="status",
        stage="make scores",
        summary="Show a run's progress, failures and speed",
        command="flasheval.cli.commands.status:run_status",
        config="flasheval.cli.configs:StatusConfig",
        output=Output("a status", is_file=True, keeps_answer=True),
        usage="FOLDER",
        first="path",
        examples=(
            ("flasheval status runs/coco", ""),
            ("flasheval status runs/coco check=true", "reads every file"),
        ),
    ),
    Verb(
        name="search",
        stage="choose prompts",
        summary="Find the few prompts that rank models as the whole benchmark does",
        command="flasheval.cli.commands.search:run_search",
        config="flasheval.cli.configs:SearchConfig",
        folder="flasheval.cli.folders:folder_of_search",
        output=Output("a search"),
        choices=(Choice("method", "method=NAME"),),
        sweeps="flasheval.cli.commands.sweeps.searches:show_searches",
        examples=(
            ("flasheval search", "try it on the miniature, a real benchmark on a small scale"),
            ("flasheval search scores=coco metric=CLIP size=50", ""),
            ("flasheval search scores=coco metric=[CLIP,HPS] method=shared", "for both"),
            ("flasheval search scores=clip.csv splits=group:base_model", "hold models out"),
            ("flasheval search method=frequency method.n_sets=300000", "a method's own setting"),
            ("flasheval search -m size=10,50,100 method=frequency,balanced", "a sweep"),
            ("flasheval search -m seed=0,1,2,3 hydra/launcher=joblib", "on several cores"),
            ("flasheval search nested=[10,20,50] require=must-have.txt", ""),
        ),
    ),
    Verb(
        name="evaluate",
        stage="use a subset",
        summary="Score one model on a subset and predict its full benchmark score",
        command="flasheval.cli.commands.evaluate:run_evaluate",
        config="flasheval.cli.configs:evaluate_configs",
        config_key="generator",
        sweeps="flasheval.cli.commands.sweeps.evaluations:show_evaluations",
        choices=(
            Choice("generator", "generator=KIND", shown=("diffusers",)),
            _SCORER,
            _TRACKER,
        ),
        examples=(
            ("flasheval evaluate subset=my-subset.json checkpoint=out/step-2000", ""),
            ("flasheval evaluate ... prompts=coco.jsonl", "for a manifest without texts"),
            ("flasheval evaluate ... scheduler=DPM steps=10 lora=out/lora.safetensors", ""),
            ("flasheval evaluate ... scorers=[clip,pickscore] out=reports/2000.json", ""),
            ("flasheval evaluate ... generator=function function=mine.py:draw", ""),
            ("flasheval evaluate ... images=out/images step=2000 tracker=wandb", ""),
            ("flasheval evaluate -m ... checkpoint=a,b scheduler=DDIM,DPM steps=10,20", ""),
        ),
    ),
    Verb(
        name="compare",
        stage="use a subset",
        summary="Say which of two evaluated models the full benchmark ranks higher",
        command="flasheval.cli.commands.compare:run_compare",
        config="flasheval.cli.configs:CompareConfig",
        usage="REPORT REPORT ... [key=value ...]",
        output=Output("a comparison", is_file=True, keeps_answer=True),
        rest="reports",
        examples=(
            ("flasheval compare reports/2000.json reports/1000.json", ""),
            ("flasheval compare reports/2000.json reports/*.json metric=CLIP", "each"),
            ("flasheval compare a.json b.json looks=[10,20,50]", "stops once it is decided"),
            ("flasheval compare a.json b.json json=true", "for programs; every verb has it"),
        ),
    ),
    Verb(
        name="watch",
        stage="use a subset",
        summary="Evaluate each checkpoint that a training writes into a folder",
        command="flasheval.cli.commands.watch:run_watch",
        config="flasheval.cli.configs:watch_config",
        output=Output("a watch", continues=("watch.json",)),
        usage="FOLDER subset=MANIFEST [key=value ...]",
        first="path",
        choices=(
            _SCORER,
            _TRACKER,
            Choice(
                "generator",
                "checkpoint, revision and lora come from the folder",
                shown=("diffusers",),
                listed=False,
            ),
        ),
        examples=(
            ("flasheval watch out/training subset=my-subset.json", ""),
            ("flasheval watch ... scheduler=DPM steps=20 guidance=5 dtype=fp16", ""),
            ("flasheval watch ... base=models/sd15 pattern=checkpoint-*", "LoRAs, parts"),
            ("flasheval watch ... loader=mine.py:load pattern=*.ckpt", "any other model"),
            ("flasheval watch ... once=true", "evaluates what is there, then ends"),
            ("flasheval watch ... tracker=wandb", ""),
        ),
    ),
    Verb(
        name="validate",
        stage="choose prompts",
        summary="Compare search methods, sizes and splits on models no search has seen",
        command="flasheval.cli.commands.validate:run_validate",
        config="flasheval.cli.configs:ValidateConfig",
        folder="flasheval.cli.folders:folder_of_validation",
        output=Output("a comparison of methods", neutral=("workers",)),
        choices=(Choice("method", "methods=[NAME,{name:NAME,SETTING:VALUE}]"),),
        no_sweep="lists take its place, in one run: methods=[...], size=[...], splits=[...]",
        examples=(
            ("flasheval validate", "try it on the miniature, a real benchmark on a small scale"),
            ("flasheval validate scores=coco methods=[frequency,balanced] size=[10,50]", ""),
            ("flasheval validate scores=coco splits=[random:10,group:base_model]", ""),
            ("flasheval validate 'methods=[balanced,{name:frequency,n_sets:300000}]'", ""),
            ("flasheval validate search_variants=[8,12,16,24]", "how many variants do I need?"),
            ("flasheval validate cluster=base_model", "intervals over whole families too"),
        ),
    ),
    Verb(
        name="distance",
        stage="choose prompts",
        summary="Measure distances of image sets (FID, KID), choose prompts for them",
        command="flasheval.cli.commands.distance:run_distance",
        config="flasheval.cli.configs:DistanceConfig",
        folder="flasheval.cli.folders:folder_of_distance",
        output=Output("distances", neutral=("save_reference", "threads", "device")),
        choices=(Choice("extractor", "extractor=NAME"), Choice("protocol", "protocol=NAME")),
        examples=(
            ("flasheval distance run=runs/coco reference=sd15/DDIM50", "a variant"),
            ("flasheval distance run=runs/coco reference=coco-clip.npz size=[50,100]", ""),
            ("flasheval distance run=runs/coco reference=val2014 extractor=scorer", "photos"),
            ("flasheval distance 'images={a:out/a,b:out/b}' reference=val2014", "by DINOv2"),
            ("flasheval distance images=out reference=val2014 protocol=coco-30k", ""),
            ("flasheval distance ... extractor=inception extractor.path=FILE.pth", "FID"),
            ("flasheval distance ... protocol=coco-30k protocol.images=5000", ""),
        ),
    ),
    Verb(
        name="rank",
        stage="look",
        summary="Say which models lead in scores or evaluations, and which are tied",
        command="flasheval.cli.commands.rank:run_rank",
        config="flasheval.cli.configs:RankConfig",
        output=Output("a leaderboard"),
        first="scores",
        rest="reports",
        no_sweep="a list takes its place: metric=[...]",
        examples=(
            ("flasheval rank", "try it on the miniature, a real benchmark on a small scale"),
            ("flasheval rank scores=coco metric=[CLIP,HPS] out=board", "side by side"),
            ("flasheval rank scores=clip.csv prompts=prompts.jsonl by=category", ""),
            ("flasheval rank scores=ratings.csv cluster=image level=0.9", ""),
            ("flasheval rank scores=runs/coco max_seconds=0.2", "the best that are fast enough"),
            ("flasheval rank reports/*.json", "evaluated on subsets, beside the known ones"),
        ),
    ),
    Verb(
        name="votes",
        stage="look",
        summary="Say which models people or a judge prefer, and which are tied",
        command="flasheval.cli.commands.votes:run_votes",
        config="flasheval.cli.configs:VotesConfig",
        output=Output("votes", place="flasheval.cli.folders:folder_of_votes"),
        usage="FILE ... | page run=FOLDER [key=value ...]",
        first="action",
        rest="votes",
        actions=("rank", "page"),
        examples=(
            ("flasheval votes study.json", "the choices of raters, or a folder of them"),
            ("flasheval votes arena.csv 'columns={winner:choice,rater:worker}'", ""),
            ("flasheval votes study.json out=study", "keeps the votes, and wins as scores"),
            ("flasheval votes study.json cluster=prompt prior=1", "few raters, few votes"),
            ("flasheval votes scores=judge.csv metric=quality tie_within=0.5", ""),
            ("flasheval votes page run=runs/mine subset=mine", "a page to vote on"),
        ),
    ),
    Verb(
        name="judge",
        stage="look",
        summary="Say how far to trust a judge, and what it answered by tag",
        command="flasheval.cli.commands.judge:run_judge",
        config="flasheval.cli.configs:JudgeConfig",
        output=Output("a check of a judge", is_file=True, keeps_answer=True),
        usage="check | answers run=FOLDER [key=value ...]",
        first="action",
        actions=("check", "answers"),
        examples=(
            ("flasheval judge check run=runs/mine 'scorers=[{name:vqa,checkpoint:FOLDER}]'", ""),
            ("flasheval judge check ... images=200 repeats=5 against=study/wins", "votes"),
            ("flasheval judge answers run=runs/mine metric=Questions", "by tag"),
        ),
    ),
    Verb(
        name="audit",
        stage="use a subset",
        summary="Check what a subset promised against full scores measured since",
        command="flasheval.cli.commands.audit:run_audit",
        config="flasheval.cli.configs:AuditConfig",
        usage="SUBSET scores=TABLE [key=value ...]",
        first="subset",
        output=Output("an audited subset", is_file=True),
        examples=(
            ("flasheval audit coco-shared-50 scores=new-models/", "were the intervals right?"),
            ("flasheval audit runs/coco scores=all.parquet out=subset.json", "keeps the models"),
            ("flasheval audit runs/coco scores=all.parquet reports=[step-2000.json]", ""),
        ),
    ),
    Verb(
        name="report",
        stage="look",
        summary="Write one HTML page about a search: plots, prompts and warnings",
        command="flasheval.cli.commands.report:run_report",
        config="flasheval.cli.configs:ReportConfig",
        output=Output("a page", is_file=True, place="flasheval.cli.folders:file_of_report"),
        usage="FOLDER [key=value ...]",
        first="path",
        examples=(
            ("flasheval report flasheval-runs/search/NAME", "writes report.html into it"),
            ("flasheval report coco-clip-50 scores=coco out=report", "of a published subset"),
            ("flasheval report NAME scores=runs/coco images=runs/coco", "shows kept images too"),
        ),
    ),
    Verb(
        name="subsets",
        stage="share",
        summary="List, show, verify, resolve, export or import subsets",
        command="flasheval.cli.commands.subsets:run_subsets",
        config="flasheval.cli.configs:SubsetsConfig",
        output=Output("a subset", is_file=True, place="flasheval.cli.folders:file_of_subset"),
        usage="ACTION [NAME ...] [key=value ...]",
        first="action",
        rest="names",
        actions=("list", "show", "verify", "resolve", "export", "import"),
        lists=(
            ("formats of export (settings.KEY=VALUE)", "flasheval.cli.configs:format_settings"),
        ),
        examples=(
            ("flasheval subsets list", "the published subsets"),
            ("flasheval subsets show coco-shared-50", ""),
            ("flasheval subsets verify", "all of them; or: verify NAME, or a file"),
            ("flasheval subsets resolve coco-shared-50 prompts=captions_val2014.json", ""),
            ("flasheval subsets export coco-shared-50 format=kohya out=prompts.txt", ""),
            ("flasheval subsets import released.json prompts=coco.jsonl out=theirs.json", ""),
        ),
    ),
    Verb(
        name="publish",
        stage="share",
        summary="Make a folder of subsets to upload, with a card, evidence and checks",
        command="flasheval.cli.commands.publish:run_publish",
        config="flasheval.cli.configs:PublishConfig",
        output=Output(
            "a publication",
            neutral=("repo", "push", "private", "message", "artifact", "project"),
        ),
        usage="NAME ... [key=value ...]",
        rest="names",
        examples=(
            ("flasheval publish coco-clip-10 coco-clip-50 out=upload", "look at it first"),
            ("flasheval publish my-subset.json out=upload repo=me/my-subset push=true", ""),
            ("flasheval publish my-subset.json artifact=my-subset project=eval", "wandb"),
        ),
    ),
    Verb(
        name="import",
        stage="make scores",
        summary="Read other people's score files into a score table",
        command="flasheval.cli.commands.import_scores:run_import",
        config="flasheval.cli.configs:importer_configs",
        output=Output("imported scores", place="flasheval.cli.folders:folder_of_import"),
        usage="IMPORTER key=value ...",
        config_key="importer",
        first="importer",
        choices=(Choice("importer", "flasheval import NAME", shown=("*",)),),
        examples=(
            ("flasheval import flasheval-official root=Image_score/COCO out=coco", ""),
            ("flasheval import long source=scores.csv out=scores prompts=prompts.jsonl", ""),
            ("flasheval import wide source=fid.csv higher_is_better=false", ""),
            ("flasheval import geneval source=results", "or another benchmark's results"),
        ),
    ),
    Verb(
        name="show",
        stage="look",
        summary="Show the contents of a score table, subset, run or prompt file",
        command="flasheval.cli.commands.show:run_show",
        config="flasheval.cli.configs:ShowConfig",
        usage="PATH",
        first="path",
        examples=(
            ("flasheval show coco", "a score table"),
            ("flasheval show my-subset.json", "a manifest"),
            ("flasheval show flasheval-runs/search", "all searches, one row each"),
            ("flasheval show prompts=coco.jsonl", "a list of prompts: is it a known one?"),
        ),
    ),
    Verb(
        name="completion",
        stage="set up",
        summary="Let Tab complete verbs, keys, names and files in your shell",
        command="flasheval.cli.tab.installing:run_completion",
        config="flasheval.cli.configs:CompletionConfig",
        usage="install | uninstall | show [shell=bash]",
        first="action",
        actions=("install", "uninstall", "show"),
        examples=(
            ("flasheval completion install", "names the file it writes, and asks"),
            ("flasheval completion uninstall", "takes its lines out again"),
            ("flasheval completion show shell=zsh", "prints the script"),
        ),
    ),
)

STAGES = ("make scores", "choose prompts", "use a subset", "share", "look", "set up")
"""The road from models to answers, in the order of the help."""

VERBS = {verb.name: verb for stage in STAGES for verb in _ROWS if verb.stage == stage}
"""Every verb by its name, in the order of the help."""
