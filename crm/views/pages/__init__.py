"""The pages: one file each, named by the word `view=` of the address."""
