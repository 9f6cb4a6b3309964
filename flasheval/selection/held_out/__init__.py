"""How a claim is made: splits, held-out agreement, and the random baseline beside it."""
