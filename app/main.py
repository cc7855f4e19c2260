"""Entry of the app: `python -m isara app`, or `python -m streamlit run app/main.py`.

Only navigation: the pages are in ../pages, what they share is in app/state.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
# `streamlit run` puts only app/ on the path.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402
from streamlit.navigation.page import Page  # noqa: E402

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
FIRST = PAGES[0][0]

# A file: the browser would ask another server for the picture of a Material name.
ICON = ROOT / "app" / "help" / "icon.png"
NAVIGATION = 200  # pixels: on a tablet Streamlit's 300 are more than a third of the width

st.set_page_config(
    page_title=TITLE, page_icon=ICON, layout="wide", initial_sidebar_state=NAVIGATION
)
# As markdown, as st.html would come after the first widgets and move them.
st.container(key="style").markdown(f"{HIDE_TOOLBAR_DOWNLOAD}\n{STYLE}", unsafe_allow_html=True)
try:
    start()
except IsaraError as error:  # no page can do without the workspace and its database
    st.error(plain(error), icon=":material/error:")
    st.stop()
# Streamlit serves the default page under the bare address alone. Under its own name it is a page of
# its own, and only one of the two stands in the menu: that which the browser shows.
by_name = urlsplit(st.context.url or "").path.endswith(f"/{FIRST}")


def page(name: str, title: str, icon: str, *, default: bool = False, shown: bool = True) -> Page:
    """A page under its name, or the default one under the bare address."""
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=title,
        icon=icon,
        url_path="" if default else name,
        default=default,
        visibility="visible" if shown else "hidden",
    )


chosen = st.navigation(
    [
        page(*PAGES[0], default=True, shown=not by_name),
        page(*PAGES[0], shown=by_name),
        *(page(*one) for one in PAGES[1:]),
    ]
)
tell_endings(chosen.url_path)
tour.show(chosen.url_path or FIRST)
chosen.run()
