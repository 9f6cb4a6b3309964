"""A Hydra application that is not flasheval's, whose objective is a predicted full score.

    python app.py                                     # one model
    python app.py train.size=large flasheval.generator.steps=10
    python app.py -m +sweep=grid                      # a grid, on two cores by joblib
    python app.py -m +sweep=optuna                    # a search by Optuna

Its models are those that travel with flasheval: small diffusion models of three sizes, really
trained on a drawn world, as they were in the middle and at the end of their training. So `train`
has nothing left to do but to say which one; in an application of yours it trains.
"""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

import flasheval


def train(size: str, stage: str) -> str:
    """Return the checkpoint that a training with these settings ends in."""
    return f"miniature:{size}-{stage}"


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> float:
    """Train, score ten prompts, and return the score predicted for all 2,000."""
    settings = config.flasheval
    model = {**settings.generator, "checkpoint": train(**config.train)}
    report = flasheval.evaluate(model, **settings.evaluate)
    report.save(Path(HydraConfig.get().runtime.output_dir, "report.json"))
    full = report.predict()[config.objective]
    print(f"{report.name}: {config.objective} {full.value:.4f} ({full.low:.4f} to {full.high:.4f})")
    return full.value


if __name__ == "__main__":
    main()
