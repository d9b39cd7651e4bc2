"""What the command line and other front ends call: submit, wait, replay, rescore, status."""
