"""`flasheval publish`: a folder of subsets to upload, and the upload on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flasheval.base.drawing.terminal import plain_table, warning_lines
from flasheval.base.errors import SettingError
from flasheval.base.run_folders import FOLDER_OF_RUNS, shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import PublishConfig
from flasheval.cli.exit_codes import DONE
from flasheval.subset.library import find_subset
from flasheval.subset.upload import publish
from flasheval.subset.upload.hub import check_push, push
from flasheval.subset.upload.wandb_artifact import check_artifact, log_artifact

if TYPE_CHECKING:
    from flasheval.subset import Subset
    from flasheval.subset.upload import Publication
    from flasheval.subset.upload.hub import Pushed

__all__ = ["run_publish"]


def run_publish(config: PublishConfig, context: Context) -> Outcome:
    """Write the folder, print what is in it, and upload it where `push` or `artifact` say so.

    Returns the outcome. Raises FlashevalError for subsets that cannot be published, before
    anything is written wherever that can be known by then.
    """
    console = context.console
    if not config.names:
        raise SettingError("names is missing: flasheval publish NAME ... out=FOLDER")
    if config.push:
        check_push(config.repo)
    if config.artifact is not None:
        check_artifact(config.artifact)
    subsets = [find_subset(name) for name in config.names]
    publication = publish(
        subsets,
        config.out or _folder([subset.name for subset in subsets]),
        title=config.title,
        prompts=config.prompts,
        license=config.license,
        repo=config.repo,
        overwrite=config.overwrite,
    )
    _print(publication, console)
    pushed = _say_or_push(publication, config, console)
    if config.artifact is not None:
        _log_artifact(publication, config.artifact, config.project, console)
    names = [subset.name for subset in subsets]
    result = {
        "kind": "publication",
        "schema": 1,
        "subsets": names,
        "files": list(map(str, publication.files)),
        "pushed": None if pushed is None else {"url": pushed.url, "commit": pushed.commit},
    }
    files = {"folder": publication.folder, "card": publication.folder / "README.md"}
    said = f"{', '.join(names)}: {_what(publication)}"
    warnings = tuple(publication.warnings)
    return Outcome(DONE, answer=Answer(result, said, warnings=warnings, files=files))


def _folder(names: Sequence[str]) -> str:
    more = f"-and-{len(names) - 1}-more" if len(names) > 1 else ""
    return f"{FOLDER_OF_RUNS}/publish/{names[0]}{more}"


def _print(publication: Publication, console: Console) -> None:
    titles = ("configuration", "of", "metrics", "prompts", "texts", "held-out", "random")
    rows = []
    for subset in publication.subsets:
        evidence = subset.record.evidence
        texts = sum(prompt.text is not None for prompt in subset.prompts)
        taus = ("-", "-")
        if evidence is not None:
            pooled = evidence.pooled
            taus = (f"{pooled.held_out_tau.mean:.3f}", f"{pooled.random_tau.mean:.3f}")
        rows.append(
            (
                subset.name,
                subset.prompt_set_name,
                _metrics(subset),
                str(subset.size),
                str(texts or "none"),
                *taus,
            )
        )
    console.print(plain_table(titles, rows, left=3))
    console.print()
    for line in warning_lines(publication.warnings):
        console.print(line, soft_wrap=True)
    _line(console, f"folder: {shown_path(publication.folder)}/ ({_what(publication)})")
    _line(console, f"card:   {shown_path(publication.folder / 'README.md')}")


def _metrics(subset: Subset) -> str:
    names = [metric.name for metric in subset.metrics]
    return ", ".join(names) if len(names) < 3 else f"{len(names)} metrics"


def _say_or_push(
    publication: Publication, config: PublishConfig, console: Console
) -> Pushed | None:
    if not config.push:
        where = config.repo or "OWNER/NAME"
        more = "" if config.repo else f" repo={where}"
        _line(
            console,
            f"nothing was uploaded; push=true{more} would put the folder's {_what(publication)} "
            f"into the data set {where} on the Hub",
        )
        return None
    assert config.repo is not None  # noqa: S101 - check_push saw to it
    pushed = push(publication, config.repo, private=config.private, message=config.message)
    _line(console, f"pushed: {pushed.url}")
    _line(console, f"commit: {pushed.commit}")
    first = pushed.address(publication.configs[0])
    _line(console, f'load:   flasheval.load_subset("{first}")')
    return pushed


def _log_artifact(
    publication: Publication, name: str, project: str | None, console: Console
) -> None:
    logged = log_artifact(publication, name, project=project)
    if logged.offline:
        _line(
            console, f"wandb:  {name} is written; upload it: wandb sync {shown_path(logged.where)}"
        )
    else:
        _line(console, f"wandb:  {name} in {logged.where}")


def _what(publication: Publication) -> str:
    size = sum(Path(publication.folder, name).stat().st_size for name in publication.files)
    return f"{len(publication.files)} files, {size / 1000:,.0f} kB"


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, markup=False)
