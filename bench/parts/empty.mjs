// A program that does nothing, to compare with.
process.exitCode = 0;
