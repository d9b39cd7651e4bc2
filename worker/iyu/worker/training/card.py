"""The model card: what a reader should know before trusting a model.

Source: Mitchell et al. 2019, Model Cards for Model Reporting, §4.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Final

from iyu.worker.model.artifact import load
from iyu.worker.scoring import Scorer

CARD_FILE: Final = "card.md"
#: Reviews of many kinds; the explanations in a card are those of the model it describes.
EXAMPLES: Final = (
    "정말 재미있고 감동적인 영화, 또 보고 싶다",
    "지루하고 시간이 아까운 영화였다ㅠㅠ",
    "배우들 연기는 좋은데 스토리가 너무 뻔하다",
    "기대 안 했는데 생각보다 괜찮네요ㅋㅋ",
)
WEAKNESSES: Final = """\
- It learned from short reviews of films in Korean; another subject or another form is a guess.
- Irony, and praise of one thing in order to blame another, are often read by the letter.
- Reviews that are neither good nor bad were not among the labels: their probability spreads widely.
- Negation and contrast turn what a word says. A word that hardly stands in the training reviews
  says little or the wrong thing, and so does its negation: see "Behaviour".
- Negation reaches six tokens and no further; double negation is read less often than single.
- Names of films and people carry the opinion that the training reviews had of them.
- Labels come from ratings, and some people rate otherwise than they write.
"""
_NORMAL: Final = 1.96  # standard deviations of a 95 % interval


def write_card(folder: Path) -> None:
    """Write the card of an artifact beside it."""
    model = load(folder)
    sections = _sections(model.manifest, Scorer(model))
    text = "\n\n".join(f"## {title}\n\n{body.strip()}" for title, body in sections)
    (folder / CARD_FILE).write_text(f"# {model.name}, version {model.model_version}\n\n{text}\n")


def accuracy_interval(accuracy: float, reviews: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by the normal approximation."""
    half = _NORMAL * sqrt(accuracy * (1 - accuracy) / reviews)
    return accuracy - half, accuracy + half


def auc_interval(auc: float, reviews: int) -> tuple[float, float]:
    """Return the 95 % interval of an AUC over about as many positives as negatives.

    Source: Hanley and McNeil 1982, The Meaning and Use of the Area under a ROC Curve, equation 1.
    """
    each = reviews / 2
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (each - 1) * ((one - auc**2) + (two - auc**2))
    half = _NORMAL * sqrt(max(spread, 0.0)) / each
    return auc - half, auc + half


def _sections(manifest: Mapping[str, Any], scorer: Scorer) -> Iterator[tuple[str, str]]:
    yield "Data", _data(manifest["data"])
    yield "Figures", _figures(manifest["metrics"])
    if "behaviour" in manifest:
        yield "Behaviour", _behaviour(manifest["behaviour"])
    yield "Calibration", _calibration(manifest["training"])
    yield "Known weaknesses", WEAKNESSES
    yield "Example explanations", _examples(scorer)
    yield "Training", _training(manifest["training"])


def _data(data: Mapping[str, Any]) -> str:
    lines = [
        f"- labelled: `{data['origin']}`, {data['reviews']:,} reviews "
        f"(fingerprint {data['fingerprint']}), {data['rejected']} rejected",
        f"- split: {data['split']}; nothing was trained on it, choices were made on it",
    ]
    more = data.get("unlabelled", {})
    if more.get("texts"):
        lines.append(f"- without labels: `{more['origin']}`, {more['texts']:,} texts")
    return "\n".join(lines)


def _figures(metrics: Mapping[str, Any]) -> str:
    lines = [
        "With 95 % intervals, the model as it is saved.",
        "",
        "| data | reviews | AUC | accuracy | log loss | calibration error |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, m in metrics.items():
        auc, accuracy = (
            f"{m[key]:.4f} ({low:.4f} … {high:.4f})"
            for key, (low, high) in (
                ("auc", auc_interval(m["auc"], m["reviews"])),
                ("accuracy", accuracy_interval(m["accuracy"], m["reviews"])),
            )
        )
        lines.append(
            f"| {m.get('origin', name)} | {m['reviews']:,} | {auc} | {accuracy} "
            f"| {m['log_loss']:.4f} | {m['calibration_error']:.4f} |"
        )
    return "\n".join(lines)


def _behaviour(capabilities: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "Short sentences by capability, `iyu evaluate-behaviour`: the share that is read right. "
        "Choices were made on the validation part alone.",
        "",
        "| capability | validation | held-out |",
        "|---|---:|---:|",
    ]
    found = {(line["name"], line["part"]): line for line in capabilities}
    for name in dict.fromkeys(line["name"] for line in capabilities):
        parts = [found[name, part] for part in ("validation", "held-out")]
        shares = [f"{p['right'] / p['cases']:.3f} of {p['cases']}" for p in parts]
        lines.append(f"| {name} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _calibration(training: Mapping[str, Any]) -> str:
    return (
        f"The logit is multiplied by {training['logit_factor']}, then "
        f"{training.get('logit_constant', 0.0):+} is added: fitted on the validation part and "
        "stored in the weights.\nPictures: `calibration.png`, and of a test file "
        "`calibration_test.png`."
    )


def _examples(scorer: Scorer) -> str:
    blocks = []
    for text, prediction in zip(EXAMPLES, scorer.score(EXAMPLES), strict=True):
        tokens: Sequence[Mapping[str, Any]] = prediction.explanations[0].tokens
        heats = " ".join(f"{token['surface']} {token['heat']:+.2f}" for token in tokens)
        blocks.append(f"- {text}: **{prediction.probability:.3f}**\n  `{heats}`")
    return "Probability of positive, and the heat of each token by `gradcam`.\n\n" + "\n".join(
        blocks
    )


def _training(training: Mapping[str, Any]) -> str:
    seconds = training["seconds"]
    rows = "\n".join(f"| {name} | {taken:.0f} |" for name, taken in seconds.items())
    command = f"```\n{training['command']}\n```\n\n" if training["command"] else ""
    log = "\n".join(training["log"])
    return (
        f"{command}Seed {training['seed']}. Seconds of each stage, {sum(seconds.values()) / 60:.0f}"
        f" minutes in all:\n\n| stage | s |\n|---|---:|\n{rows}\n\nThe log's last lines:\n\n"
        f"```\n{log}\n```"
    )
