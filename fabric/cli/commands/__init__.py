"""One file, one command: its name, ``SUMMARY`` and ``ORDER`` are what ``fabric --help`` lists."""
