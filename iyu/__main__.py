"""`python -m iyu` is `iyu`."""

from iyu.cli import main

main()
