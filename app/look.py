"""The app's visual language: what kept, dropped, accepted and rejected look like, on every page.

    SIGNS["kept"].mark, SIGNS["kept"].colour       # ● and its blue
    marked("accept", "Accept")                     # ▲ Accept, on a button
    st.markdown(STYLE, unsafe_allow_html=True)     # main.py, once per page

A thing is told from another by its shape as well as by its colour, for colour-blind readers and
grey prints. A mark means one thing wherever it stands, in lists, on badges and on buttons; the page
Help lists them (`MEANINGS`). Material symbols are for what has no mark: most are drawn hollow, and
a hollow circle is another mark than a filled one. Colours hold on the light and the dark ground:
marks 3 to 1, also see-through as on a map; texts 4.5 to 1 (WCAG 2.2, level AA;
tests/app/test_look.py computes it). Nothing here draws.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

GROUNDS = {"light": "#ffffff", "dark": "#171614"}  # Streamlit's own, below everything
OPACITY = 0.9  # of points that lie over each other
# Of charts. The page's own is not at hand when a picture is saved: texts would be cut off.
FONT = "Arial, Helvetica, sans-serif"
# Layout of a chart that is shown with theme=None and without a template, to be drawn once.
# Streamlit (1.67) hands a new chart to plotly again with the theme laid over a copy of it, and
# plotly then draws all anew unless the data are plain lists of a known revision. Another figure is
# another chart to Streamlit, so one revision serves for each.
DRAWN_ONCE = {
    "datarevision": 1,
    "paper_bgcolor": "rgba(0, 0, 0, 0)",
    "plot_bgcolor": "rgba(0, 0, 0, 0)",
}
TEXT_ROW = 76  # pixels of a table's row with three lines of text; below 65 it does not wrap them

Badge = Literal["blue", "orange", "green", "red", "violet", "gray"]


class Sign(NamedTuple):
    """How one thing is shown: in texts, on charts, as a badge.

    `mark` stands in texts, tables, badges and buttons, `symbol` is plotly's name of much the same
    shape.
    """

    word: str
    mark: str
    symbol: str
    colour: str
    badge: Badge

    @property
    def label(self) -> str:
        """The mark and the word."""
        return f"{self.mark} {self.word}"


GREY = "#858585"  # what has no colour of its own; readable on both grounds
BLUE, ORANGE, GOLD = "#357a9e", "#c65f27", "#ab7a0b"
GREEN, RED, SKY, VIOLET, ROSE = "#009b71", "#cc3340", "#3c8dc5", "#8d6cc9", "#b5568c"
VERMILION = "#cf5a00"

# What the rules say of a pair, and the questions beside them.
SIGNS = {
    "kept": Sign("kept", "●", "circle", BLUE, "blue"),
    "dropped": Sign("dropped", "✕", "x", ORANGE, "orange"),
    "seed": Sign("seed", "◆", "diamond", GOLD, "gray"),
    "eval": Sign("evaluation question", "□", "square-open", GREY, "gray"),
}
# What people say of it, by the action's name.
DECISIONS = {
    "accept": Sign("accepted", "▲", "triangle-up", GREEN, "green"),
    "edit": Sign("accepted with changes", "★", "star", SKY, "green"),
    "reject": Sign("rejected", "▼", "triangle-down", RED, "red"),
    "flag": Sign("flagged", "▶", "triangle-right", VIOLET, "violet"),
    "skip": Sign("skipped", "○", "circle-open", GOLD, "gray"),
}

# A prompt's two answers, before and after: at fault or fine.
OUTCOMES = {"improved": "↗", "worsened": "↘", "both at fault": "⇊", "both fine": "⇈"}
MEANINGS = {
    "kept": "the rules keep the pair",
    "dropped": "a rule drops the pair",
    "seed": "a row of the seed set",
    "eval": "a question that models are measured on",
    "accept": "a person keeps the pair",
    "edit": "a person keeps it with other texts",
    "reject": "a person drops the pair",
    "flag": "a person wants a second look; the verdict counts",
    "skip": "a person decided nothing for now",
    "improved": "at fault before, fine after",
    "worsened": "fine before, at fault after",
    "both at fault": "at fault before and after",
    "both fine": "fine before and after",
}


def marked(action: str, words: str) -> str:
    """The words with the mark of a decision before them, where the action has one."""
    return f"{DECISIONS[action].mark} {words}" if action in DECISIONS else words


def table_of_marks() -> str:
    """All marks with what they mean, as a table in Markdown."""
    marks = {name: (one.mark, one.word) for name, one in (SIGNS | DECISIONS).items()}
    marks |= {name: (mark, name) for name, mark in OUTCOMES.items()}
    rows = [f"| {mark} | **{word}** | {MEANINGS[name]} |" for name, (mark, word) in marks.items()]
    return "\n".join(["| mark | word | what it means |", "|---|---|---|", *rows])


# Mends Streamlit's own styles where they are too pale, too wide for a tablet, or silent about the
# keyboard. Streamlit sets `color-scheme`, which `light-dark` reads.
STYLE = """<style>
/* What brings this takes no room. */
[data-testid="stLayoutWrapper"]:has(> .st-key-style) {display: none}
/* As much as the header covers; by default the page begins a third lower. */
.stMainBlockContainer {padding-top: 3.75rem}
/* Drawn at 60 % (captions, keys on buttons) and at 40 % (labels of what is switched off). */
[data-testid="stCaptionContainer"] {opacity: 0.8}
[data-has-shortcut] kbd {color: inherit; opacity: 0.9}
[data-testid="stWidgetLabel"][disabled] {color: inherit}
/* White on the dark theme's light blue. */
button[kind^="primary"]:not([disabled]), [data-testid="stMultiSelectTagsContainer"] [data-tag],
[data-testid="stMultiSelectTagsContainer"] [data-tag] * {color: light-dark(#ffffff, #171614)}
/* Light colours in code, grey axes of charts, legends of charts without a theme. */
.stCode .token.token {color: inherit}
.js-plotly-plot :is([class*="tick"], [class^="g-"], .annotation, .legend) text
  {fill: currentColor !important}
/* A chart's tools are drawn at 30 % of a grey, or in white on grey where it has no ground. */
.js-plotly-plot .modebar .modebar-group {background-color: light-dark(#ffffff, #171614) !important}
.js-plotly-plot .modebar .modebar-btn path {fill: currentColor !important; fill-opacity: 0.7}
.js-plotly-plot .modebar .modebar-btn:is(.active, :hover, :focus-visible) path {fill-opacity: 1}
/* Tables and the page itself do not show that the keyboard has reached them. */
[data-testid="stMain"]:focus-visible, canvas:focus-visible
  {outline: 2px solid currentColor; outline-offset: -2px}
/* The reasons of a review stay in view below a long pair, in rows that stand close. */
[data-testid="stLayoutWrapper"]:has(> .st-key-review_reasons)
  {position: sticky; bottom: 0; z-index: 1; padding-bottom: 0.5rem;
   background: light-dark(#ffffff, #171614)}
.st-key-review_reasons {row-gap: 0}
.st-key-review_reasons button {min-height: 1.75rem}
/* On a tablet four columns or more stand two in a row, columns in a column below each other, and a
   table of many columns is small: words would be cut or broken. */
@media (max-width: 900px) {
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]:nth-child(4))
    > [data-testid="stColumn"] {min-width: calc(50% - 1rem)}
  [data-testid="stColumn"] [data-testid="stColumn"] {min-width: 100%}
  [data-testid="stMarkdownContainer"] table:has(th:nth-child(7)) :is(th, td)
    {padding: 0.25rem; font-size: 0.75rem}
}
</style>"""

# The form of the Run page while the browser has yet to fetch some of its widgets: they are drawn
# half as high as they will be, and Start would move away under the pointer.
STAND_STILL = """<style>
.st-key-run_still {display: none}
.st-key-run_setup:has([data-testid="stSkeleton"])
  :is(.st-key-run_start_button, .st-key-run_afresh, .st-key-measure) {visibility: hidden}
</style>"""
