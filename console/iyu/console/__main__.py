"""`python -m iyu.console` is `iyu`."""

from iyu.console.main import main

main()
