"""How far to trust a judge: its own spread, its leanings, its agreement with others, its drift."""
