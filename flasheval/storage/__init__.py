"""Reading and writing files: whole or not at all, and one readable line for every fault."""
