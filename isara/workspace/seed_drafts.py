"""Drafts of seed sets on disk: every change is a line, so nothing is lost and all can be undone.

    drafts = SeedDrafts(workspace)
    draft = drafts.begin("mine", version=2)          # or the draft that is there
    draft.change(edit(row, answer="Only in winter."), seen=draft.view().n, author="Ann")
    draft.undo(seen=draft.view().n)
    version = drafts.save(draft, seen=draft.view().n, author="Ann", note="clearer answers")

WORKSPACE/seed-drafts/NAME/0001.jsonl begins with a header; each line after it is a change, an undo,
a redo, or the draft's end (saved or discarded; a discarded draft can be taken up again). Any number
of windows and people may work on one draft: a change needs the rows that it touches to be as its
author saw them (`seen` is the view's number), otherwise it is refused with a sentence.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filelock import FileLock

from isara.curation import Alike, Board, Change, SeedRow, draft_rows, problems, replay
from isara.errors import InputError, RunStateError
from isara.workspace.files import LOCK_SECONDS, append_lines, locked, not_written, write_text

if TYPE_CHECKING:
    from isara.workspace.runs import Workspace

SHOWN_PROBLEMS = 5


class Step(NamedTuple):
    """A change that counts, who made it and when."""

    change: Change
    author: str
    time: str


class View(NamedTuple):
    """A draft at one moment. `n` is its number: it grows with every line, undo included.

    `steps` are the changes that count, `redo` the one that a redo would bring back; `ended` is
    "saved", "discarded" or None.
    """

    n: int
    name: str
    version: int
    base: int
    board: Board
    steps: tuple[Step, ...]
    redo: Step | None
    ended: str | None

    @property
    def changed(self) -> bool:
        """Whether anything was changed."""
        return bool(self.steps)


class SeedDraft:
    """One draft; all threads of a process share the object, all processes the file."""

    def __init__(self, path: Path, first: Sequence[SeedRow]) -> None:
        """`first` are the rows of the version that the draft was begun from."""
        self.path = path
        self._first = tuple(first)
        self._guard = threading.RLock()
        self._file_lock = FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS)
        self._read_to = 0
        self._header: dict[str, Any] = {}
        self._lines: list[dict[str, Any]] = []
        self._steps: list[Step] = []
        self._undone: list[Step] = []
        self._touched: dict[str, int] = {}  # key of a row -> number of the line that last did
        self._ended: str | None = None
        self._view: View | None = None

    def view(self) -> View:
        """The draft as it is now, what other windows did to it included."""
        with self._guard:
            self._refresh()
            if self._view is None:
                header = self._header
                self._view = View(
                    len(self._lines),
                    header["name"],
                    header["version"],
                    header["base"],
                    replay(self.first_board(), [step.change for step in self._steps]),
                    tuple(self._steps),
                    self._undone[-1] if self._undone else None,
                    self._ended,
                )
            return self._view

    def first_board(self) -> Board:
        """What the draft began with."""
        fine = frozenset((a, b) for a, b in self._header["fine"])
        return Board(self._first, fine, frozenset(self._header["used"]))

    def change(self, change: Change, *, seen: int, author: str = "") -> None:
        """Make a change. RunStateError when a row that it touches was changed after `seen`."""
        with self.writing() as lines:
            self._open_only()
            late = [k for k in change.touched if self._touched.get(k, 0) > seen]
            board, who = self.view().board, self._last_author(seen)
            if late or not change.touched <= {row.key for row in board.rows}:
                raise RunStateError(
                    f"{change.title}: not done, because {who} changed or removed the same row in "
                    "another window in the meantime. The row is shown as it is now; look at it and "
                    "make your change again."
                )
            if board.used.intersection(change.used):
                raise RunStateError(
                    f"{change.title}: not done, because {who} has accepted the same proposal, or "
                    "turned it down, in another window."
                )
            lines.append({"change": change.to_dict(), "author": author})

    def undo(self, *, seen: int) -> Step:
        """Take back the last change that counts. RunStateError when the draft is another than the
        one that was seen, or nothing is left to undo."""
        return self._step_back("undo", self._steps, seen)

    def redo(self, *, seen: int) -> Step:
        """Make the last change again that was taken back."""
        return self._step_back("redo", self._undone, seen)

    def _step_back(self, what: str, steps: list[Step], seen: int) -> Step:
        with self.writing() as lines:
            self._as_seen_only(what, seen)
            if not steps:
                raise RunStateError(f"There is nothing left to {what} in this draft.")
            step = steps[-1]
            lines.append({what: True})
        return step

    def discard(self, *, seen: int, author: str = "") -> None:
        """Close the draft without saving. RunStateError when it is another than was seen."""
        with self.writing() as lines:
            self._as_seen_only("discard", seen)
            lines.append({"end": "discarded", "author": author})

    def end(self, how: str, **values: Any) -> None:
        """Close the draft as "saved" or "discarded", or take it up again ("reopened")."""
        with self.writing() as lines:
            lines.append({"end": how, **values})

    def writing(self) -> Appending:
        """A block in which nobody else changes the draft; its lines are written at the end."""
        return Appending(self)

    # ---------------------------------------------------------------- the file

    def _open_only(self) -> None:
        if self._ended is not None:
            raise RunStateError(
                f"This draft was {self._ended} in another window: nothing was changed. Reload the "
                "page to see the seed set as it is now."
            )

    def _as_seen_only(self, what: str, seen: int) -> None:
        self._open_only()
        if len(self._lines) != seen:
            raise RunStateError(
                f"The {what} was not done, because {self._last_author(seen)} worked on the same "
                f"draft in another window. Look at it as it is now, and {what} again."
            )

    def _last_author(self, seen: int) -> str:
        names = [line.get("author") for line in self._lines[seen:]]
        return next((str(name) for name in reversed(names) if name), "someone")

    def _refresh(self) -> None:
        """Read the lines that were written since; half a line, left by a kill, is left out."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read_to)
                data = file.read()
        except OSError as error:
            raise not_written(self.path, error) from error
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole.split(b"\n")[:-1]:
            try:
                values = json.loads(line)
            except ValueError:
                continue
            if self._header:
                self._take(values)
            else:
                self._header = values
        if whole:
            self._read_to += len(whole)
            self._view = None

    def _take(self, line: dict[str, Any]) -> None:
        self._lines.append(line)
        number = len(self._lines)
        if "change" in line:
            step = Step(Change.from_dict(line["change"]), line["author"], line["time"])
            self._steps.append(step)
            self._undone.clear()
        elif "undo" in line:
            step = self._steps.pop()
            self._undone.append(step)
        elif "redo" in line:
            step = self._undone.pop()
            self._steps.append(step)
        else:
            self._ended = None if line["end"] == "reopened" else line["end"]
            return
        new = {row.key for _, row in step.change.inserted}
        self._touched.update(dict.fromkeys(step.change.touched | new, number))


class Appending:
    """Holds the draft's locks; the lines given to `append` are on disk when the block ends."""

    def __init__(self, draft: SeedDraft) -> None:
        self.draft = draft
        self.lines: list[dict[str, Any]] = []
        self._held = ExitStack()

    def append(self, line: dict[str, Any]) -> None:
        """Note a line with the time."""
        self.lines.append(line | {"time": datetime.now(UTC).isoformat(timespec="seconds")})

    def __enter__(self) -> Appending:
        with ExitStack() as held:
            held.enter_context(self.draft._guard)
            held.enter_context(locked(self.draft._file_lock))
            self.draft._refresh()
            self._held = held.pop_all()  # until the block ends, unless something went wrong
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if kind is None and self.lines:
                append_lines(self.draft.path, self.lines)
                self.draft._refresh()


def draft_folder(root: Path, name: str) -> Path:
    """The folder of a seed set in a workspace. Names may hold anything: it has their letters and a
    hash."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:40]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return root / "seed-drafts" / f"{letters}-{digest}"


class SeedDrafts:
    """The drafts of a workspace: at most one that is open for a seed set."""

    def __init__(self, workspace: Workspace) -> None:
        self._database = workspace.database
        self._root = workspace.root
        self._guard = threading.Lock()
        self._known: dict[Path, SeedDraft] = {}

    def open(self, name: str) -> SeedDraft | None:
        """The draft of a seed set that was not saved or discarded yet."""
        draft = self.last(name)
        return draft if draft is not None and draft.view().ended is None else None

    def discarded(self, name: str) -> SeedDraft | None:
        """The last draft of a seed set when it was discarded with changes in it."""
        draft = self.last(name)
        if draft is None or draft.view().ended != "discarded" or not draft.view().changed:
            return None
        return draft

    def carried(self, name: str) -> tuple[frozenset[Alike], frozenset[str]]:
        """What a new draft of a seed set begins with: pairs found fine, proposals settled.

        A discarded draft hands on only what it began with itself.
        """
        last = self.last(name)
        if last is None:
            return frozenset(), frozenset()
        view = last.view()
        board = last.first_board() if view.ended == "discarded" else view.board
        return board.fine, board.used

    def begin(self, name: str, version: int) -> SeedDraft:
        """A draft of a version, or the one that is open for this seed set."""
        folder = draft_folder(self._root, name)
        with self._beginning(name):
            if (there := self.open(name)) is not None:
                return there
            saved = self._database.load_seed_set(name, version)
            fine, used = self.carried(name)
            header = {
                "name": name,
                "version": saved.info.version,
                "base": saved.info.id,
                "fine": sorted(fine),
                "used": sorted(used),
            }
            path = folder / f"{len(self._files(name)) + 1:04d}.jsonl"
            write_text(path, json.dumps(header, ensure_ascii=False) + "\n")
        return self._draft(path, name)

    def take_up(self, draft: SeedDraft, author: str = "") -> None:
        """Go on with a discarded draft. RunStateError when another one was begun meanwhile."""
        name = draft.view().name
        with self._beginning(name):
            if self.discarded(name) is not draft:
                raise RunStateError(
                    "The draft was not taken up again: a later one was begun, or this one taken "
                    "up, in another window. It is shown now."
                )
            draft.end("reopened", author=author)

    @contextmanager
    def _beginning(self, name: str) -> Iterator[None]:
        """Nobody else begins a draft of this seed set."""
        folder = draft_folder(self._root, name)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(FileLock(folder / "begin.lock", timeout=LOCK_SECONDS)):
            yield

    def save(
        self, draft: SeedDraft, *, seen: int, name: str = "", author: str = "", note: str = ""
    ) -> int:
        """Save the draft as the next version of its seed set, or of `name`, and end it.

        Its parent is the version that the draft was begun from. InputError with all problems of
        the rows; RunStateError when the draft was changed after `seen`.
        """
        with draft.writing():
            view = draft.view()
            if view.n != seen or view.ended:
                raise RunStateError(
                    "Nothing was saved, because the draft was changed in another window in the "
                    "meantime. Look at it as it is now, and save again."
                )
            if found := problems(view.board.rows):
                words = " ".join(str(problem) for problem in found[:SHOWN_PROBLEMS])
                more = len(found) - SHOWN_PROBLEMS
                rest = f" And {more:,} more." if more > 0 else ""
                raise InputError(f"Nothing was saved. {words}{rest}")
            examples = [row.example for row in view.board.rows]
            tags = {
                e.id: row.tags for e, row in zip(examples, view.board.rows, strict=True) if row.tags
            }
            target = name.strip() or view.name
            version = self._database.save_seed_set(
                target, examples, author, note, tags=tags, parent=view.base
            )
            draft.end("saved", name=target, version=version, author=author)
        return version

    def _files(self, name: str) -> list[Path]:
        return sorted(draft_folder(self._root, name).glob("[0-9]*.jsonl"))

    def last(self, name: str) -> SeedDraft | None:
        """The last draft of a seed set, open or not."""
        files = self._files(name)
        return self._draft(files[-1], name) if files else None

    def _draft(self, path: Path, name: str) -> SeedDraft:
        """The one object of a file in this process."""
        with self._guard:
            if path not in self._known:
                header = json.loads(path.read_bytes().split(b"\n", 1)[0])
                saved = self._database.load_seed_set(name, header["version"])
                self._known[path] = SeedDraft(path, draft_rows(saved))
            return self._known[path]
