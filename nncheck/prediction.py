"""Predict, run, reveal; and recall: questions in a lesson that are asked before they are answered.

What is displayed as text is the same whether or not anybody answered: a lesson's saved output never
depends on its reader. Answers go to the working copy's own record.
"""

from dataclasses import dataclass
from string import ascii_lowercase

from nncheck import progress
from nncheck.kernel import has_front_end, shell
from nncheck.message import Shown, card, fold, paragraph, small, words


@dataclass(frozen=True)
class Asked:
    """What was asked; a recall also has its answer, and why it is so."""

    event: str
    key: str
    question: str
    options: list[str]
    answer: str = ""
    why: str = ""

    @property
    def text(self) -> str:
        return "\n".join([self.question, *(f"  {lettered(o, self.options)}" for o in self.options)])


_asked: dict[str, Asked] = {}  # by key, in this kernel


def predict(key: str, question: str, options: list[str]) -> Shown:
    """Ask for a prediction, before the experiment runs. `key` is "lesson/what", as "22/a+a"."""
    asked = _asked[key] = Asked("predict", key, question, _checked(key, options))
    body = "" if ask_live(asked) else _as_list(asked.options) + _how_to_answer(asked)
    return Shown(asked.text, card(f"Predict: {words(question)}", body))


def choose(key: str, option: str, confidence: str) -> Shown:
    """Answer a prediction or a recall by typing, where no buttons can be shown.

    `option` is its letter or its words, `confidence` is "guess", "think" or "sure".
    """
    if key not in _asked:
        known = ", ".join(_asked) or "nothing yet"
        raise ValueError(
            f"choose({key!r}): this kernel has not asked that; it has asked: {known}. Run the cell "
            "with its question first."
        )
    asked = _asked[key]
    by_letter = dict(zip(ascii_lowercase, asked.options, strict=False))
    guess = by_letter.get(option, option)
    if guess not in asked.options:
        letters = ", ".join(lettered(o, asked.options) for o in asked.options)
        raise ValueError(f"choose({key!r}): {option!r} is none of the options: {letters}.")
    if confidence not in progress.CONFIDENCE:
        raise ValueError(
            f"choose({key!r}): say how sure you are, one of {', '.join(progress.CONFIDENCE)}; "
            f"got {confidence!r}."
        )
    journal, mine = _journal_and(key)
    if mine.guess:
        said = paragraph(f"You have answered this one: {mine.guess}. The first answer counts.")
    else:
        _record(journal, asked, guess, confidence)
        said = _recorded(asked, guess, journal)
    return Shown(f"{key} is answered", card(f"<code>{words(key)}</code>", said))


def reveal(key: str, outcome) -> Shown:
    """Say what came out: one of the prediction's options, computed and never typed."""
    outcome = str(outcome)
    options = _asked[key].options if key in _asked else None
    if options is not None and outcome not in options:
        raise ValueError(
            f"reveal({key!r}): the outcome {outcome!r} is none of the options {options}. "
            "Format it as one of them, or add it to the options."
        )
    shown = lettered(outcome, options) if options else outcome
    journal, mine = _journal_and(key)
    if mine.outcome != outcome:
        journal.add("reveal", key=key, outcome=outcome)
    if not mine.guess:
        said, tone = "You have not predicted this one.", "quiet"
    else:
        sure = f" ({mine.confidence})" if mine.confidence else ""
        said = f"You predicted {mine.guess}{sure}"
        right = mine.guess == outcome
        said, tone = (said + ", and so it is.", "good") if right else (said + ".", "look")
    body = paragraph(said) + small(journal.note)
    return Shown(f"Outcome: {shown}", card(f"Outcome: {words(shown)}", body, tone))


def recall(key: str, question: str, options: list[str], *, answer: str, why: str) -> Shown:
    """Ask about an earlier lesson; the answer and its reason open on a click."""
    options = _checked(key, options)
    if answer not in options:
        raise ValueError(
            f"recall({key!r}): the answer {answer!r} is none of the options {options}."
        )
    asked = _asked[key] = Asked("recall", key, question, options, answer, why)
    told = paragraph(f"{lettered(answer, options)}. {why}")
    static = _as_list(options) + _how_to_answer(asked) + fold("Answer", told)
    body = "" if ask_live(asked) else static
    return Shown(asked.text, card(f"Recall: {words(question)}", body))


def _checked(key, options):
    options = [str(o) for o in options]
    if len(options) < 2 or len(set(options)) < len(options) or len(options) > 26:
        raise ValueError(f"{key!r}: give at least two options, all different; got {options}.")
    return options


def lettered(option: str, options: list[str]) -> str:
    """An option with its letter: "b) more"."""
    return f"{ascii_lowercase[options.index(option)]}) {option}"


def _as_list(options):
    items = "".join(f"<li>{words(lettered(o, options))}</li>" for o in options)
    return f'<ul style="margin:.3em 0;padding-left:1.2em;list-style:none">{items}</ul>'


def _journal_and(key):
    """The record that this kernel writes to, and what it says about one prediction."""
    journal = progress.Journal(progress.find())
    mine = progress.predictions(journal.events()).get(key, progress.PredictionRecord())
    return journal, mine


def _record(journal, asked, guess, confidence):
    details = {"outcome": asked.answer} if asked.answer else {}
    journal.add(asked.event, key=asked.key, guess=guess, confidence=confidence, **details)


# --------------------------------------------------------------------------- with a reader


def _how_to_answer(asked) -> str:
    """In a working copy, where no buttons can be shown: how to answer all the same."""
    journal, mine = _journal_and(asked.key)
    if mine.guess:
        return _recorded(asked, mine.guess, journal)
    if journal.path is None:
        return ""
    return small(
        f'Answer in a cell of your own: `import nncheck; nncheck.choose("{asked.key}", "a", '
        '"think")`, with your letter, and guess, think or sure.'
    )


def ask_live(asked: Asked) -> bool:
    """Below the question: an option, how sure, and a button, where somebody can press it.

    Nothing is chosen beforehand. What comes back in a review shows its question too.
    """
    if not has_front_end():
        return False
    try:
        import ipywidgets
        from IPython.display import display
    except ImportError:
        return False
    journal, mine = _journal_and(asked.key)
    above = []
    if asked.event == "review":
        mine, above = progress.PredictionRecord(), [ipywidgets.HTML(paragraph(asked.question))]
    letters = [(lettered(o, asked.options), o) for o in asked.options]
    choice = ipywidgets.RadioButtons(
        options=letters,
        value=mine.guess if mine.guess in asked.options else None,
        layout={"width": "auto"},
    )
    sure = ipywidgets.ToggleButtons(
        description="How sure?",
        options=progress.CONFIDENCE,
        value=mine.confidence if mine.confidence in progress.CONFIDENCE else None,
        style={"button_width": "5em", "description_width": "initial"},
    )
    button = ipywidgets.Button(description="That is my answer", disabled=bool(mine.guess))
    said = ipywidgets.HTML(_recorded(asked, mine.guess, journal) if mine.guess else "")

    def record(_):
        if choice.value is None or sure.value is None:
            said.value = paragraph("Choose an option, and say how sure you are.")
            return
        _record(journal, asked, choice.value, sure.value)
        button.disabled = True
        said.value = _recorded(asked, choice.value, journal)

    button.on_click(record)
    box = ipywidgets.VBox(
        [*above, choice, ipywidgets.HBox([sure, button], layout={"align_items": "flex-end"}), said]
    )

    events = shell().events

    def show(_=None):
        events.unregister("post_run_cell", show)
        display(box)

    events.register("post_run_cell", show)
    return True


def _recorded(asked, guess, journal):
    where = "" if journal.path else " It is kept until the kernel stops: this is no working copy."
    if not asked.answer:
        return paragraph(f"Your prediction: {guess}.{where} Now run the experiment.") + small(
            journal.note
        )
    verdict = "Right." if guess == asked.answer else f"It is {asked.answer}."
    return paragraph(f"Your answer: {guess}. {verdict} {asked.why}{where}") + small(journal.note)
