"""`python -m isara`: see cli.py."""

from isara.cli import main

if __name__ == "__main__":
    main()
