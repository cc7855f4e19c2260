"""The report in a browser without a network: it asks for nothing, and no text becomes a script."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from isara.config import RunConfig
from isara.demo.scripted import ScriptedTools
from isara.report_html import gather, write_report
from isara.workspace.files import write_parquet
from isara.workspace.runs import RunFolder, Workspace
from tests.browser.test_journey import shot

pytestmark = pytest.mark.browser
EVIL = (
    "<script>document.title='taken'</script><img src=http://127.0.0.1:9/x.png "
    "onerror=\"document.title='taken'\"><a href=http://127.0.0.1:9>here</a>"
)


@pytest.fixture
def report(
    small_config: Callable[..., RunConfig], carried_out: Callable[..., RunFolder], tmp_path: Path
) -> Path:
    """A report of two runs in whose answers a model wrote markup."""
    run = carried_out(small_config(), tmp_path, ScriptedTools())
    for k in (0, 2):
        file = run.iteration(k).evaluation
        write_parquet(file, pd.read_parquet(file).assign(answer=EVIL, flagged=k == 0))
    shutil.copytree(run.path, run.path.with_name("other"))
    out = tmp_path / "report.html"
    write_report(gather(Workspace(tmp_path), ["r", "other"], "dev"), out)
    return out


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (800, "dark")])
def test_it_opens_offline_and_asks_for_nothing(
    report: Path, page: Page, width: int, scheme: str
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.context.set_offline(True)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(report.as_uri())
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()
    expect(page.get_by_text("document.title='taken'").first).to_be_visible()
    assert (asked, said) == ([report.as_uri()], [])
    assert page.title() == "Report: r, other"
    assert page.locator("main a:not([href^='#'])").count() == 0
    # Nothing is wider than the window: tables scroll in frames of their own.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    shot(page, f"report-{width}-{scheme}")


def test_its_texts_have_enough_contrast(report: Path, page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        page.goto(report.as_uri())
        assert page.evaluate(CONTRAST) == []


# Texts whose colour and ground are nearer than WCAG's 4.5 to 1.
CONTRAST = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number)
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(
    c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  ).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const ground = node => {
    for (; node; node = node.parentElement) {
      const found = rgb(getComputedStyle(node).backgroundColor)
      if (found.length === 3 || found[3] > 0) return found
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255]
  }
  const poor = new Set()
  for (const node of document.querySelectorAll('body *')) {
    if (![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue
    const style = getComputedStyle(node)
    const ink = rgb(node instanceof SVGElement ? style.fill : style.color)
    const [a, b] = [light(ink), light(ground(node))].sort((x, y) => y - x)
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(node.tagName + ' ' + node.className)
  }
  return [...poor]
}"""
