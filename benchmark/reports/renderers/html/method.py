"""The end of the page: how numbers are judged, the readings of the paper in force, what words and marks mean."""

from benchmark.reports.renderers.html.material import Material
from benchmark.reports.sentences import ANSWER_LETTERS, LETTERS, NO_GAINS
from benchmark.runs.axes import Choices
from benchmark.suites.profiles import PLAN_CHOICES
from benchmark.suites.suite import Suite

_SENTENCES = (
    "Every training is run with four seeds of its own randomness, and a cell shows their mean ± standard deviation "
    "(ddof 1) at the epoch reported.",
    "A printed number is reproduced where two one-sided tests show that ours lies within a margin of it that stands in "
    "the manifest since before the first run: the 90 % interval of the difference lies inside ±δ.",
    "Otherwise it is higher or lower where Welch's test sees a difference after Holm's correction over the suite's "
    "planned cells, and inconclusive where the trials tell neither; four trials leave nearly half of all perfect "
    "reproductions inconclusive when δ is two standard deviations.",
    "A claim is answered in parts, each by an interval of our own gains, and joined by Holm's correction; a part with "
    "fewer than two trials of a cell is no evidence either way.",
    f"{NO_GAINS} docs/statistics.md has every rule.",
)
_WORDS = {
    "reproduced": "90 % interval of the difference inside the margin",
    "higher": "above the paper after Holm; no praise, in Table 4 lower is better",
    "lower": "below the paper after Holm",
    "outside": "no spread is printed, and our mean lies beyond the prediction interval",
    "inconclusive": "the trials can't tell yet",
    "no verdict": "no runs, one trial, no printed number, a cost, or another profile",
}
_ANSWERS = {
    "supported": "every part is",
    "contradicted": "a part is, after Holm over the parts",
    "absent": "half of the printed gain is excluded",
    "undecided": "the intervals leave it open",
    "not enough runs": "a part has fewer than two trials",
}
_MORE = {
    "± of ours": "standard deviation over trials, ddof 1",
    "bar of a cell": "ticks: trials; dot: their mean; line: its 90 % interval; band: the margin; middle: the paper",
    "dashed edge": "trials are missing",
    "†": "another reading of the paper's ± gives another word",
    "mixed": "a cell's trials differ in device, version or images",
    "suite, cell, trial": "one table or figure; one printed number; one of the repeated runs, named by its seed",
}


def method() -> tuple[str, ...]:
    """Five sentences."""
    return _SENTENCES


def readings_in_force(material: Material) -> tuple[tuple[str, str], ...]:
    """Every named choice with its value, those of the variant marked."""
    variant = material.variant
    set_here = {setting.path[-1]: setting.value for setting in variant.settings if setting.path[0] == "choices"}
    known = {name: field.default for name, field in Choices.model_fields.items()}
    known |= {name: values[0] for name, values in PLAN_CHOICES.items()}
    found = []
    for name, default in known.items():
        value = set_here.get(name, default)
        found.append(
            (name, f"{_text(value)}{' (set; the default is ' + _text(default) + ')' if value != default else ''}")
        )
    return tuple(found)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def glossary() -> tuple[tuple[str, str], ...]:
    """Words of verdicts with their letters, of answers, and of what a cell shows."""
    words = [(f"{word} ({letter})", _WORDS[word]) for word, letter in LETTERS.items()]
    answers = [(f"{word} ({letter})", _ANSWERS[word]) for word, letter in ANSWER_LETTERS.items()]
    return (*words, *answers, *_MORE.items())


def stand_ins(suite: Suite) -> bool:
    """Whether a suite's cells are trained on generated images."""
    return any(cell.spec.dataset.source == "standin" for cell in suite.cells)
