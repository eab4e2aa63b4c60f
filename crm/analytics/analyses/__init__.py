"""Analyses: reports whose rows do not come from groups of records. One file each; `base.py` says what each must do."""
