"""Texts sent while they are typed: Streamlit sends one only when its field is left.

    with st.container(key=f"{KEEPS}seed_form"):     # the fields in it are told that they were left
        st.text_area(…, on_change=…)                # a moment after the last key, and on a reload,
    send_while_typed()                              # and keep the cursor

The script holds no text of users.
"""

from __future__ import annotations

import streamlit as st

KEEPS = "keeps_"  # keys of containers begin so
SEND = f"""<script>
window.isaraKeeps ??= (() => {{
  const FIELDS = '[class*="st-key-{KEEPS}"] textarea';
  let timer;
  const send = (field) => {{
    // Where the field was left all is sent.
    if (document.activeElement !== field || !field.closest(FIELDS)) return;
    for (const kind of ['focusout', 'focusin'])
      field.dispatchEvent(new FocusEvent(kind, {{bubbles: true}}));
  }};
  document.addEventListener('input', (event) => {{
    if (!event.target.closest(FIELDS)) return;
    clearTimeout(timer);
    timer = setTimeout(send, 700, event.target);
  }});
  addEventListener('beforeunload', () => send(document.activeElement));
  return true;
}})();
</script>"""


def send_while_typed() -> None:
    """Have the texts sent, from here on and for as long as the page is open."""
    st.html(SEND, unsafe_allow_javascript=True)
