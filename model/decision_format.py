"""What moderators decided, exported as a table to train on: its form. Loads with nothing else.

CSV (UTF-8, comma) or Parquet, a row for each decision, with these columns:

- `product`: content hash of what was decided on; all rows of one product have the same.
- `designation`, `description`: its texts, empty when it has none.
- `image`: path of its picture from the table's folder; empty, or no such column, without pictures.
- `decision`: "accepted" (the category proposed), "corrected" (to another), "unknown" (none could be told), "skipped"
  (left for later), "approved" (a second look that agrees), "undone" (takes back the decision on this product before
  it).
- `code`: category code decided on; empty unless accepted, corrected, or approved after either.
- `decided_at`: ISO 8601, UTC where no offset is given: 2026-01-31T09:30:00Z.
- `model`, `note`: version of the model that proposed, what the moderator wrote; may be missing.

A table is taken for one by its columns `product`, `decision` and `code`. For each product the last decision that was
not taken back counts; between two of the same moment, the one further down.
"""

COLUMNS = ("product", "designation", "description", "image", "decision", "code", "decided_at", "model", "note")
DECISIONS = ("accepted", "corrected", "unknown", "skipped", "approved", "undone")
EXPORTED = ("decisions.csv", "decisions.parquet")
"""The table's name in a folder that holds it with its pictures."""
