"""The automatic check of a page's accessibility: axe-core in the page and in its frames.

    settled(page)               # serving.py
    found = problems(page)      # of impact serious or critical

Axe leaves out texts inside pictures, so those of charts are measured here by the same rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page


class Problem(NamedTuple):
    """What axe calls a violation, at one element."""

    rule: str
    impact: str
    target: str
    help: str


def problems(page: Page) -> list[Problem]:
    """Serious and critical violations, one for each element."""
    found = []
    for frame in page.frames:  # one by one: axe does not cross from a page into a foreign frame
        frame.evaluate(AXE_SCRIPT)
        answer: dict[str, Any] = frame.evaluate(RUN)
        found += [
            Problem(rule["id"], rule["impact"], " ".join(map(str, node["target"])), rule["help"])
            for rule in answer["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]
    return found + [
        Problem("chart-text-contrast", "serious", text, "Texts of charts need 4.5 to 1")
        for text in page.evaluate(CHART_TEXTS)
    ]


RUN = "axe.run(document, {resultTypes: ['violations'], iframes: false})"

# Texts of charts whose colour, blended with the page's ground, is nearer to it than 4.5 to 1.
CHART_TEXTS = """() => {
  const numbers = text => (text.match(/[\\d.]+/g) || []).map(Number)
  const light = rgb => rgb.slice(0, 3).map(c => c / 255).map(
    c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  ).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const app = document.querySelector('[data-testid=stApp]')
  const ground = numbers(getComputedStyle(app).backgroundColor)
  const poor = []
  for (const node of document.querySelectorAll('.js-plotly-plot text')) {
    if (!node.textContent.trim() || node.closest('.hoverlayer')) continue
    const style = getComputedStyle(node), ink = numbers(style.fill)
    const alpha = (ink[3] ?? 1) * style.fillOpacity * style.opacity
    const seen = ink.slice(0, 3).map((c, i) => c * alpha + ground[i] * (1 - alpha))
    const [a, b] = [light(seen), light(ground)].sort((x, y) => y - x)
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(`${node.textContent}: ${style.fill}`)
  }
  return poor
}"""
