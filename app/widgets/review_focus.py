"""Where the keyboard goes: Streamlit has no call for it, so a fixed line of script does it.

Keys are ignored while a field has the focus. After a setting was changed the field gives it up; an
editor that opens takes it. The scripts hold no text of users.
"""

from __future__ import annotations

import streamlit as st

LEAVE = """<script>
(() => {
  const changed = %d, at = document.activeElement;
  if (changed && at && !at.closest('.st-key-keeps_review_editor')) at.blur();
})();
</script>"""
ENTER = """<script>
(() => {
  let tries = 400; // a page that was just opened has the field to fetch
  const timer = setInterval(() => {
    const field = document.querySelector('[class*="st-key-review_question_"] textarea');
    const typing = () => document.activeElement?.matches('input, textarea');
    if (field && !typing()) {
      field.focus(); // in vain as long as it is not seen
      field.setSelectionRange(field.value.length, field.value.length);
    }
    if ((field && typing()) || --tries === 0) clearInterval(timer);
  }, 50);
})(); // card %d
</script>"""
COUNT, LAST = "review_settings_count", "review_settings_last"


def give_keys_back(settings: tuple[object, ...]) -> None:
    """Take the focus out of the fields once after they were changed, not when they are drawn
    first: a name may be half written by then."""
    count = st.session_state.setdefault(COUNT, 0)
    if st.session_state.setdefault(LAST, settings) != settings:
        st.session_state[LAST] = settings
        st.session_state[COUNT] = count + 1
    # Drawn every time: were it taken away at once, a slow browser would never run it. The browser
    # runs it again only when the number changes.
    st.html(LEAVE % st.session_state[COUNT], unsafe_allow_javascript=True)


def into_editor(row: int) -> None:
    """Put the cursor at the end of the editor's first field as soon as it is there."""
    st.html(ENTER % row, unsafe_allow_javascript=True)
