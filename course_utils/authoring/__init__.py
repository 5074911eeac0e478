"""Everything that makes or checks notebooks; nothing but the command line imports it."""
