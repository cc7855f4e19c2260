"""The pictures of the report as inline SVG: a method's loop with a run's numbers, and curves.

    loop_picture(steps(facts), "again with the new model")
    curve([Series("demo", points, baselines)], "Harmful rate", percent, percent)

Every text is escaped. Series differ by colour and by marker shape; colours are classes of the
report's style sheet, so that light, dark and print each have their own. A table beside each picture
has the same numbers.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10

from markupsafe import Markup

WIDTH = 760
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 220, 92, 48, 62
LINE_LENGTH, LINE_HEIGHT = 34, 17
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 58, 14, 16, 44, 300
TICK_LINE = 14
MOST_TICKS, MOST_VALUES = 12, 14  # of iterations that are named, and of points with their value


@dataclass(frozen=True, slots=True)
class Box:
    """A step of a method: its name, and a line or two with numbers."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """A measured value with its interval (None: it has none)."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A run's values by iteration, and those of its baselines by name."""

    name: str
    points: dict[int, Point]
    baselines: dict[str, Point] = field(default_factory=dict)


# -------------------------------------------------------------------- the loop


def loop_picture(boxes: Sequence[Box], again: str, label: str) -> Markup:
    """Steps as boxes, three in a row and the rest below from right to left; an arrow leads from the
    last back to the second. `label` tells the picture to those who cannot see it."""
    places = [_place(i) for i in range(len(boxes))]
    height = max(y for _, y in places) + BOX_HEIGHT + 4
    parts = [_box(box, *place) for box, place in zip(boxes, places, strict=True)]
    parts += [_arrow(*pair) for pair in itertools.pairwise(places)]
    parts.append(_back(places[-1], places[1], again))
    head = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return head.format(WIDTH, height, label) + Markup("").join(parts) + Markup("</svg>")


def _place(i: int) -> tuple[int, int]:
    """Left top corner of the i-th box."""
    column, row = (i, 0) if i < 3 else (5 - i, 1)
    return column * (BOX_WIDTH + GAP_X) + 2, row * (BOX_HEIGHT + GAP_Y) + 2


def _box(box: Box, x: int, y: int) -> Markup:
    lines = [part for line in box.lines for part in textwrap.wrap(line, LINE_LENGTH)][:3]
    middle = x + BOX_WIDTH // 2
    texts = [
        Markup('<text x="{}" y="{}" class="small">{}</text>').format(
            middle, y + 45 + i * LINE_HEIGHT, line
        )
        for i, line in enumerate(lines)
    ]
    frame = Markup(
        '<rect x="{}" y="{}" width="{}" height="{}" rx="8" class="box"/>'
        '<text x="{}" y="{}" class="strong">{}</text>'
    )
    drawn = frame.format(x, y, BOX_WIDTH, BOX_HEIGHT, middle, y + 24, box.title)
    return drawn + Markup("").join(texts)


TIPS = {"right": "l-9 -5v10z", "left": "l9 -5v10z", "down": "l-5 -9h10z", "up": "l-5 9h10z"}


def _path(d: str, x: int, y: int, way: str, css: str = "arrow") -> Markup:
    """A line, and the tip of an arrow where it ends."""
    line = Markup('<path d="{}" class="{}"/>').format(d, css)
    return line + Markup('<path d="M{} {}{}" class="tip"/>').format(x, y, TIPS[way])


def _arrow(a: tuple[int, int], b: tuple[int, int]) -> Markup:
    (ax, ay), (bx, by) = a, b
    half = BOX_HEIGHT // 2
    if ay != by:
        x = ax + BOX_WIDTH // 2
        return _path(f"M{x} {ay + BOX_HEIGHT}V{by - 8}", x, by - 1, "down")
    if bx > ax:
        return _path(f"M{ax + BOX_WIDTH} {ay + half}H{bx - 8}", bx - 1, ay + half, "right")
    end = bx + BOX_WIDTH + 1
    return _path(f"M{ax} {ay + half}H{end + 7}", end, ay + half, "left")


def _back(last: tuple[int, int], second: tuple[int, int], again: str) -> Markup:
    """From the last step to the second, with its words in the gap between the rows."""
    (x, y), (to_x, to_y) = last, second
    middle, to, end = x + BOX_WIDTH // 2, to_x + BOX_WIDTH // 2, to_y + BOX_HEIGHT + 1
    between = y - GAP_Y // 2
    if x == to_x:
        line = f"M{to} {y}V{end + 7}"
    elif x < to_x:
        line = f"M{middle} {y}V{between}H{to}V{end + 7}"
    else:
        line = f"M{x} {y + BOX_HEIGHT // 2}H{to}V{end + 7}"
    words = Markup('<text x="{}" y="{}" class="small right">{}</text>').format(
        to - 12, between - 8, again
    )
    return _path(line, to, end, "up", "arrow back") + words


# -------------------------------------------------------------------- curves


def curve(
    series: Sequence[Series],
    title: str,
    told: Callable[[float], str],
    tick: Callable[[float], str],
    *,
    share: bool = True,
) -> Markup:
    """Values by iteration with their intervals, and the baselines to the right of them.

    `told` writes a value, `tick` one of the axis; `share` fixes the axis to begin at 0 and to end
    at 1 at most.
    """
    iterations = sorted({k for one in series for k in one.points})
    baselines = list(dict.fromkeys(name for one in series for name in one.baselines))
    axis = _Axis(series, share)
    columns = _columns(iterations, baselines)
    names = [f"iteration {k}" if k else "base model" for k in iterations]
    several = len(series) > 1
    ticks, lines = _ticks(iterations, baselines, columns)
    height = HEIGHT + max(0, lines - 2) * TICK_LINE
    parts = [_grid(axis, tick), ticks]
    for number, one in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * min(12.0, 60 / max(1, len(columns)))
        parts.append(_series(one, number, columns, shift, axis, None if several else told))
    if several:
        parts.append(_legend(series, height))
        height += 22 * ceil(len(series) / 2)
    shown = ", ".join((*names, *baselines))
    label = f"{title} by iteration ({shown}); the table has the numbers"
    head = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    svg = head.format(WIDTH, height, label)
    return svg + Markup("").join(parts) + Markup("</svg>")


class _Axis:
    """The scale of the values: from `low` to `high` in steps."""

    def __init__(self, series: Sequence[Series], share: bool) -> None:
        points = [p for one in series for p in (*one.points.values(), *one.baselines.values())]
        ends = [x for p in points for x in (p.value, p.low, p.high) if x is not None]
        top, bottom = max([*ends, 0.0]), min([*ends, 0.0])
        span = (top - bottom) or 1.0
        power = 10 ** floor(log10(span / 4))
        step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= span / 5)
        self.step = step
        self.low = step * floor(bottom / step + 1e-9)
        self.high = step * ceil(top / step - 1e-9) or step
        if share:
            self.low, self.high = max(0.0, self.low), min(1.0, self.high)

    def at(self, value: float) -> float:
        """Height of a value in the picture."""
        portion = (value - self.low) / (self.high - self.low)
        return float(round(HEIGHT - BOTTOM - portion * (HEIGHT - TOP - BOTTOM), 1))

    def values(self) -> list[float]:
        """The values that have a line."""
        count = round((self.high - self.low) / self.step)
        return [self.low + i * self.step for i in range(count + 1)]


def _columns(iterations: Sequence[int], baselines: Sequence[str]) -> dict[int | str, float]:
    """Where each iteration and baseline stands, left to right."""
    width = (WIDTH - LEFT - RIGHT) / max(1, len(iterations) + len(baselines))
    keys: list[int | str] = [*iterations, *baselines]
    return {key: round(LEFT + (i + 0.5) * width, 1) for i, key in enumerate(keys)}


def _grid(axis: _Axis, told: Callable[[float], str]) -> Markup:
    parts = [
        Markup(
            '<line x1="{}" x2="{}" y1="{}" y2="{}" class="grid"/>'
            '<text x="{}" y="{}" class="small right">{}</text>'
        ).format(LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, told(value))
        for value in axis.values()
        for y in (axis.at(value),)
    ]
    return Markup("").join(parts)


def _ticks(
    iterations: Sequence[int], baselines: Sequence[str], columns: dict[int | str, float]
) -> tuple[Markup, int]:
    """The names below the axis, and how many lines the longest takes."""
    every = max(1, ceil(len(iterations) / MOST_TICKS))
    words: list[tuple[float, str]] = [
        (columns[k], "base model" if k == 0 else f"iteration {k}" if every == 1 else str(k))
        for k in iterations
        if k % every == 0
    ]
    words += [(columns[name], name) for name in baselines]
    wide = max(9, int((WIDTH - LEFT - RIGHT) / max(1, len(words)) / 7))
    wrapped = [(x, textwrap.wrap(word, wide)) for x, word in words]
    parts = [
        Markup('<text x="{}" y="{}" class="small">{}</text>').format(
            x, HEIGHT - BOTTOM + 17 + i * TICK_LINE, line
        )
        for x, lines in wrapped
        for i, line in enumerate(lines)
    ]
    if baselines and iterations:
        x = (columns[iterations[-1]] + columns[baselines[0]]) / 2
        line = Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" class="divide"/>')
        parts.append(line.format(x, x, TOP, HEIGHT - BOTTOM))
    return Markup("").join(parts), max((len(lines) for _, lines in wrapped), default=1)


def _series(
    one: Series,
    number: int,
    columns: dict[int | str, float],
    shift: float,
    axis: _Axis,
    told: Callable[[float], str] | None,
) -> Markup:
    """A run's line, its points with whiskers, and (`told`) their values."""
    keyed: list[tuple[int | str, Point]] = [*sorted(one.points.items()), *one.baselines.items()]
    line = " ".join(
        f"{columns[k] + shift},{axis.at(p.value)}" for k, p in sorted(one.points.items())
    )
    parts = [Markup('<polyline points="{}" class="line dash{}"/>').format(line, number // 4)]
    for key, point in keyed:
        x, y = round(columns[key] + shift, 1), axis.at(point.value)
        if point.low is not None and point.high is not None:
            low, high = axis.at(point.low), axis.at(point.high)
            whisker = f"M{x} {low}V{high}M{x - 4} {low}h8M{x - 4} {high}h8"
            parts.append(Markup('<path d="{}" class="line"/>').format(whisker))
        css = "mark hollow" if isinstance(key, str) else "mark"
        parts.append(_marker(number, x, y, css))
        if told is not None and len(keyed) <= MOST_VALUES:
            text = Markup('<text x="{}" y="{}" class="small left value">{}</text>')
            parts.append(text.format(x + 8, y - 8, told(point.value)))
    return Markup('<g class="s{}">').format(number % 8) + Markup("").join(parts) + Markup("</g>")


SHAPES = (
    "M{x0} {y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",  # circle
    "M{x} {y0}l6 6l-6 6l-6 -6z",  # diamond
    "M{x0} {y1}h10v10h-10z",  # square
    "M{x} {y0}l6 11h-12z",  # triangle
)


def _marker(number: int, x: float, y: float, css: str) -> Markup:
    shape = SHAPES[number % len(SHAPES)].format(x=x, y=y, x0=x - 5, y0=y - 6, y1=y - 5)
    return Markup('<path d="{}" class="{}"/>').format(shape, css)


def _legend(series: Sequence[Series], top: int) -> Markup:
    parts = []
    for number, one in enumerate(series):
        x = LEFT + (number % 2) * (WIDTH - LEFT) // 2
        y = top + 6 + (number // 2) * 22
        mark = Markup('<g class="s{}">').format(number % 8) + _marker(number, x, y, "mark")
        line = Markup('<path d="M{} {}h24" class="line dash{}"/></g>')
        text = Markup('<text x="{}" y="{}" class="small left">{}</text>')
        parts.append(mark + line.format(x - 12, y, number // 4))
        parts.append(text.format(x + 20, y + 4, one.name))
    return Markup("").join(parts)
