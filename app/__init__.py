"""The Streamlit app: main.py is the entry, pages/ has the pages, isara/ has the work."""
