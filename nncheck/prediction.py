"""Predict, run, reveal; and recall: questions in a lesson that are asked before they are answered.

What is displayed as text is the same whether or not anybody answered: a lesson's saved output never
depends on its reader. Answers go to the working copy's own record.
"""

from string import ascii_lowercase

from nncheck import progress
from nncheck.kernel import has_front_end, shell
from nncheck.message import Shown, card, fold, paragraph, small, words

CONFIDENCE = ("guess", "think", "sure")

_asked: dict[str, list[str]] = {}  # the options of each prediction, in this kernel


def predict(key: str, question: str, options: list[str]) -> Shown:
    """Ask for a prediction, before the experiment runs. `key` is "lesson/what", as "22/a+a"."""
    options = _checked(key, options)
    _asked[key] = options
    live = _ask_live("predict", key, options)
    body = "" if live else _as_list(options)
    return Shown(_as_text(question, options), card(f"Predict: {words(question)}", body))


def reveal(key: str, outcome) -> Shown:
    """Say what came out: one of the prediction's options, computed and never typed."""
    outcome = str(outcome)
    options = _asked.get(key)
    if options is not None and outcome not in options:
        raise ValueError(
            f"reveal({key!r}): the outcome {outcome!r} is none of the options {options}. "
            "Format it as one of them, or add it to the options."
        )
    shown = _lettered(outcome, options) if options else outcome
    journal = progress.Journal(progress.find())
    mine = progress.predictions(journal.events()).get(key, progress.PredictionRecord())
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
    live = _ask_live("recall", key, options, answer, why)
    told = paragraph(f"{_lettered(answer, options)}. {why}")
    body = "" if live else _as_list(options) + fold("Answer", told)
    return Shown(_as_text(question, options), card(f"Recall: {words(question)}", body))


def _checked(key, options):
    options = [str(o) for o in options]
    if len(options) < 2 or len(set(options)) < len(options) or len(options) > 26:
        raise ValueError(f"{key!r}: give at least two options, all different; got {options}.")
    return options


def _lettered(option, options):
    return f"{ascii_lowercase[options.index(option)]}) {option}"


def _as_text(question, options):
    return "\n".join([question, *(f"  {_lettered(o, options)}" for o in options)])


def _as_list(options):
    items = "".join(f"<li>{words(_lettered(o, options))}</li>" for o in options)
    return f'<ul style="margin:.3em 0;padding-left:1.2em;list-style:none">{items}</ul>'


# --------------------------------------------------------------------------- with a reader


def _ask_live(event, key, options, answer="", why="") -> bool:
    """Below the question: an option, how sure, and a button, where somebody can press it.

    Nothing is chosen beforehand.
    """
    if not has_front_end():
        return False
    try:
        import ipywidgets
        from IPython.display import display
    except ImportError:
        return False
    journal = progress.Journal(progress.find())
    mine = progress.predictions(journal.events()).get(key, progress.PredictionRecord())
    letters = [(_lettered(o, options), o) for o in options]
    choice = ipywidgets.RadioButtons(
        options=letters,
        value=mine.guess if mine.guess in options else None,
        layout={"width": "auto"},
    )
    sure = ipywidgets.ToggleButtons(
        description="How sure?",
        options=CONFIDENCE,
        value=mine.confidence if mine.confidence in CONFIDENCE else None,
        style={"button_width": "5em", "description_width": "initial"},
    )
    button = ipywidgets.Button(description="That is my answer", disabled=bool(mine.guess))
    said = ipywidgets.HTML(_recorded(mine.guess, answer, why, journal) if mine.guess else "")

    def record(_):
        if choice.value is None or sure.value is None:
            said.value = paragraph("Choose an option, and say how sure you are.")
            return
        details = {"outcome": answer} if answer else {}
        journal.add(event, key=key, guess=choice.value, confidence=sure.value, **details)
        button.disabled = True
        said.value = _recorded(choice.value, answer, why, journal)

    button.on_click(record)
    box = ipywidgets.VBox(
        [choice, ipywidgets.HBox([sure, button], layout={"align_items": "flex-end"}), said]
    )

    events = shell().events

    def show(_=None):
        events.unregister("post_run_cell", show)
        display(box)

    events.register("post_run_cell", show)
    return True


def _recorded(guess, answer, why, journal):
    where = "" if journal.path else " It is kept until the kernel stops: this is no working copy."
    if not answer:
        return paragraph(f"Your prediction: {guess}.{where} Now run the experiment.") + small(
            journal.note
        )
    verdict = "Right." if guess == answer else f"It is {answer}."
    return paragraph(f"Your answer: {guess}. {verdict} {why}{where}") + small(journal.note)
