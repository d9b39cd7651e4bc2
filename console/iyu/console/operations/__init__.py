"""What the command line and other front ends call to act."""
