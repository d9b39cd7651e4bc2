"""`python -m iyu.console` is `iyu`."""

from iyu.console.start import main

main()
