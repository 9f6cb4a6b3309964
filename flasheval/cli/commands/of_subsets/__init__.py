"""Parts of `flasheval subsets`: its rows, and the actions export and import."""
