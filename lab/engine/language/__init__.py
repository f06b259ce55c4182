"""The Python language host stand-in: runs the program for the engine."""
