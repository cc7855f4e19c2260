"""Entry of the app: `python -m isara app`, or `python -m streamlit run app/main.py`.

Only navigation: the pages are in ../pages, what they share is in app/state.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# `streamlit run` puts only app/ on the path.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app import tour  # noqa: E402
from app.look import STYLE  # noqa: E402
from app.state import start  # noqa: E402
from app.widgets.downloads import HIDE_TOOLBAR_DOWNLOAD  # noqa: E402
from app.widgets.plain import plain  # noqa: E402
from app.widgets.run_notice import TITLE, tell_endings  # noqa: E402
from isara.errors import IsaraError  # noqa: E402

PAGES = (
    ("seed", "Seed", ":material/grass:"),
    ("neighbours", "Neighbours", ":material/hub:"),
    ("samples", "Samples", ":material/forum:"),
    ("filters", "Filters", ":material/filter_alt:"),
    ("run", "Run", ":material/play_circle:"),
    ("results", "Results", ":material/monitoring:"),
    ("playground", "Playground", ":material/compare:"),
    ("report", "Report", ":material/description:"),
    ("help", "Help", ":material/help:"),
)

# A file: the browser would ask another server for the picture of a Material name.
ICON = ROOT / "app" / "help" / "icon.png"
NAVIGATION = 200  # pixels: on a tablet Streamlit's 300 are more than a third of the width

st.set_page_config(
    page_title=TITLE, page_icon=ICON, layout="wide", initial_sidebar_state=NAVIGATION
)
st.html(HIDE_TOOLBAR_DOWNLOAD + STYLE)
try:
    start()
except IsaraError as error:  # no page can do without the workspace and its database
    st.error(plain(error), icon=":material/error:")
    st.stop()
pages = [
    st.Page(ROOT / "pages" / f"{name}.py", title=title, icon=icon, url_path=name, default=not i)
    for i, (name, title, icon) in enumerate(PAGES)
]
chosen = st.navigation(pages)
tell_endings(chosen.url_path)
tour.show(chosen.url_path or PAGES[0][0])
chosen.run()
